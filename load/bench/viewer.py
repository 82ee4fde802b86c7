"""A viewer of one channel over HTTP, and one that goes on watching in the background."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

from load.bench.table import NotMeasured
from load.bench.transport import KeyFrame, Transport

READ_BYTES = 65_536
_TIMEOUT = 20.0


class Viewer:
    """Asks for a channel when the block is entered, and reads what comes."""

    def __init__(self, port: int, channel: str) -> None:
        self.transport = Transport()
        self._path = f"/iptv/channel/{channel}.ts"
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        self.asked = 0.0

    def __enter__(self) -> Self:
        self.asked = time.perf_counter()
        self._connection.request("GET", self._path)
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise NotMeasured(f"{self._path} was answered with {self._answer.status}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answer.close()
        self._connection.close()

    def read(self) -> bytes:
        """Return the next bytes, having looked at them. Raises `NotMeasured` when there are no more."""
        try:
            data = self._answer.read1(READ_BYTES)
        except (OSError, HTTPException) as fault:
            raise NotMeasured(f"{self._path} broke off: {fault}") from fault
        if not data:
            raise NotMeasured(f"{self._path} ended")
        self.transport.feed(data)
        return data

    def key_frame(self) -> KeyFrame:
        """Return the next whole key frame, read as far as it."""
        known = len(self.transport.keys)
        while len(self.transport.keys) == known:
            self.read()
        return self.transport.keys[known]


class Watching:
    """Somebody who watches a channel for as long as the block lasts; ``recording`` keeps the first seconds."""

    def __init__(
        self, port: int, channel: str, recording: Path | None = None, record_seconds: float = 0
    ) -> None:
        self._viewer = Viewer(port, channel)
        self._recording = recording
        self._record_seconds = record_seconds
        self._leaving = threading.Event()
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"viewer of {channel}", daemon=True)
        self._fault: NotMeasured | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._watching.wait()
        self.check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join()

    def check(self) -> None:
        """Raise `NotMeasured` if the stream has ended."""
        if self._fault is not None:
            raise self._fault

    def position(self) -> tuple[float, int]:
        """Return the seconds of media and the bytes up to the last clock reference."""
        return self._viewer.transport.clock, self._viewer.transport.clock_byte

    def _watch(self) -> None:
        try:
            with self._viewer as viewer:
                viewer.read()
                self._watching.set()
                self._record(viewer)
                while not self._leaving.is_set():
                    viewer.read()
        except NotMeasured as fault:
            self._fault = fault
        finally:
            self._watching.set()

    def _record(self, viewer: Viewer) -> None:
        if self._recording is None:
            return
        with self._recording.open("wb") as recording:
            while viewer.transport.clock < self._record_seconds and not self._leaving.is_set():
                recording.write(viewer.read())
