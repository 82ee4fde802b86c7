"""Viewers: one that records faultlessly, and those that do what clients should not."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PACKET = 188
WRAP = 1 << 33


class Recording:
    """Records a stream over HTTP in a thread of its own, from entering the block until `stop` or its end."""

    def __init__(self, url: str, path: Path, *, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.path = path
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.received = 0
        self.ended = threading.Event()
        """Set once nothing more comes, for whatever reason."""
        self.closed_by_server = False
        self._asks = dict(headers or {})
        self._stopping = False
        self._answered = threading.Event()
        self._socket = socket.socket()
        self._thread = threading.Thread(target=self._run, name=f"recording {url}")

    def __enter__(self) -> Self:
        self._thread.start()
        self._answered.wait(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> bytes:
        """Hang up, and return what was recorded, in whole packets."""
        self._stopping = True
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        data = self.path.read_bytes()
        whole = data[: len(data) // PACKET * PACKET]
        self.path.write_bytes(whole)
        return whole

    def _run(self) -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._socket.settimeout(60)
        try:
            self._socket.connect((parts.hostname, parts.port))
            connection.sock = self._socket
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request("GET", path, headers=self._asks)
            with connection.getresponse() as answer, self.path.open("wb", buffering=0) as file:
                self.status = answer.status
                self.headers = {name.lower(): value for name, value in answer.getheaders()}
                self._answered.set()
                while data := answer.read1(65_536):
                    file.write(data)
                    self.received += len(data)
                self.closed_by_server = not self._stopping
        except (OSError, http.client.HTTPException, ValueError) as fault:
            # Our own hanging up breaks off the answer; anything else is the server's doing.
            self.closed_by_server = not self._stopping and not isinstance(fault, TimeoutError)
        finally:
            connection.close()
            self._socket.close()
            self._answered.set()
            self.ended.set()


@contextmanager
def recordings(urls: Mapping[str, str], folder: Path) -> Iterator[dict[str, Recording]]:
    """Record several streams at once for as long as the block lasts."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(Recording(url, folder / f"{name}.ts")) for name, url in urls.items()}


def _asked(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return connection


@contextmanager
def never_reading(url: str) -> Iterator[None]:
    """A client that asks for a stream and reads nothing of it."""
    with _asked(url):
        yield


@contextmanager
def stalling(url: str) -> Iterator[None]:
    """A client that reads a little, then no more."""
    with _asked(url) as connection:
        connection.recv(20_000)
        yield


def resetting(url: str) -> None:
    """A client that crashes in the middle of the stream: the connection is reset, not closed."""
    connection = _asked(url)
    connection.recv(4_096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def leaving(url: str) -> None:
    """A client that asks, gets its first bytes and goes."""
    with _asked(url) as connection:
        connection.recv(4_096)


def unix_time(ticks: int, near: float | None = None) -> float:
    """Return the Unix time that a 33-bit time stamp of a channel is: the one closest to ``near`` (now)."""
    around = round((time.time() if near is None else near) * 90_000)
    away = (ticks - around) % WRAP
    return (around + (away - WRAP if away >= WRAP // 2 else away)) / 90_000
