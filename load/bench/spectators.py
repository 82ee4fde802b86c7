"""Spectators in a process of their own: one viewer of each channel, and how much of its stream each has in stock.

``python -m load.bench.spectators`` writes one line of JSON when everybody has watched for long enough. A spectator
begins to play when it has half a second of stream, as players do that buffer little, and goes on at the pace of the
clock: its stock is the stream time that it has received, by the clock references, less what it has played. Below 0 its
picture stands still.
"""

from __future__ import annotations

import argparse
import json
import math
import selectors
import socket
import time
from dataclasses import asdict, dataclass, field

import numpy as np

PACKET = 188
PCR_HZ = 90_000
BUFFER_BYTES = 1 << 20
SOCKET_BYTES = 1 << 20
BUFFERED = 0.5
"""With so many seconds in stock a spectator begins to play."""
_WRAP = 1 << 33
_GATHER = 0.01
"""Seconds between two looks at the sockets: fewer, larger reads leave the machine to the server."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What one spectator saw. Times in seconds."""

    channel: str
    answered_after: float
    """From its request to its first packets; infinite when none came."""
    lowest: float
    """The stock when it was smallest."""
    watched: float
    received: int
    gone: bool
    """The server closed the stream."""


@dataclass(slots=True, eq=False)
class Spectator:
    """One viewer of ``channel``; instants as `time.perf_counter` has them."""

    channel: str
    socket: socket.socket
    asked: float
    head: bytes | None = b""
    """What has come of the answer's head; None behind it."""
    rest: bytes = b""
    answered: float = 0.0
    began: float = 0.0
    """When it began to play; 0 before."""
    clock: float = 0.0
    reference: int | None = None
    lowest: float = field(default=math.inf)
    received: int = 0
    gone: bool = False

    def take(self, data: bytes, now: float) -> None:
        """Receive ``data`` at ``now``."""
        if self.head is not None:
            head, end, data = (self.head + data).partition(b"\r\n\r\n")
            self.head = None if end else head
            if b" 200 " not in head[:64]:
                self.gone = bool(end)
                return
        if not data:
            return
        self._look(now)
        self.received += len(data)
        data = self.rest + data
        whole = len(data) - len(data) % PACKET
        self.rest = data[whole:]
        references = clock_references(data[:whole])
        if references:
            if self.reference is None:
                self.answered, self.reference = now, references[0]
            self.clock += (references[-1] - self.reference) % _WRAP / PCR_HZ
            self.reference = references[-1]
        if not self.began and self.clock >= BUFFERED:
            self.began = now

    def _look(self, now: float) -> None:
        if self.began:
            self.lowest = min(self.lowest, self.clock - (now - self.began))

    def result(self, now: float) -> Watched:
        """Return what it has seen up to ``now``."""
        self._look(now)
        return Watched(
            self.channel,
            self.answered - self.asked if self.answered else math.inf,
            self.lowest if self.began else -math.inf,
            now - self.answered if self.answered else 0.0,
            self.received,
            self.gone,
        )


def clock_references(packets: bytes) -> list[int]:
    """Return the first and the last clock reference of whole ``packets``, in 90 kHz ticks; nothing if there is none."""
    table = np.frombuffer(packets, np.uint8).reshape(-1, PACKET)
    if len(table) and not (table[:, 0] == 0x47).all():
        raise ValueError("a packet without its sync byte")
    flagged = (table[:, 3] & 0x20 > 0) & (table[:, 4] > 0) & (table[:, 5] & 0x10 > 0)
    rows = np.flatnonzero(flagged)
    return [_ticks(table[row, 6:11].tobytes()) for row in (rows[0], rows[-1])] if rows.size else []


def _ticks(b: bytes) -> int:
    return b[0] << 25 | b[1] << 17 | b[2] << 9 | b[3] << 1 | b[4] >> 7


class Stand:
    """Where the spectators of one server are; they come one after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = bytearray(BUFFER_BYTES)
        self._selector = selectors.DefaultSelector()
        self._spectators: list[Spectator] = []

    def join(self, channel: str) -> None:
        """Let somebody ask for ``channel``."""
        joining = socket.socket()
        joining.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
        joining.settimeout(10)
        joining.connect(("127.0.0.1", self._port))
        asked = time.perf_counter()
        request = f"GET /iptv/channel/{channel}.ts HTTP/1.0\r\nHost: 127.0.0.1:{self._port}\r\n\r\n"
        joining.sendall(request.encode())
        joining.setblocking(False)
        spectator = Spectator(channel, joining, asked)
        self._spectators.append(spectator)
        self._selector.register(joining, selectors.EVENT_READ, spectator)

    def watch(self, until: float) -> None:
        """Receive until the clock says ``until``."""
        while (left := until - time.perf_counter()) > 0:
            time.sleep(min(_GATHER, left))
            for key, _ in self._selector.select(0):
                self._receive(key.data)

    def leave(self) -> list[Watched]:
        """Return what everybody has seen, and go."""
        now = time.perf_counter()
        seen = [spectator.result(now) for spectator in self._spectators]
        for spectator in self._spectators:
            spectator.socket.close()
        self._selector.close()
        return seen

    def _receive(self, spectator: Spectator) -> None:
        try:
            size = spectator.socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        spectator.take(bytes(memoryview(self._buffer)[:size]), time.perf_counter())
        spectator.gone = spectator.gone or not size
        if spectator.gone:
            self._selector.unregister(spectator.socket)


def main() -> None:
    """Watch as the command line says."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("port", type=int)
    options.add_argument("channels", nargs="+")
    options.add_argument("--stagger", type=float, required=True, help="seconds between two who come")
    options.add_argument("--watch", type=float, required=True, help="seconds to watch when all are there")
    chosen = options.parse_args()
    stand = Stand(chosen.port)
    began = time.perf_counter()
    for place, channel in enumerate(chosen.channels):
        stand.watch(began + place * chosen.stagger)
        stand.join(channel)
    stand.watch(time.perf_counter() + chosen.watch)
    print(json.dumps([asdict(seen) for seen in stand.leave()]), flush=True)


if __name__ == "__main__":
    main()
