"""The floor: ffmpeg itself, with the very arguments that the server gave it, read without a server between."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import psutil

from exstream.ffmpeg.guard import setpriv_guard
from exstream.ffmpeg.process import PIPE_BYTES
from load.bench.table import NotMeasured
from load.bench.transport import Transport

READ_BYTES = 262_144
BURST = 2.0
"""How far it may run ahead of the clock when it is paced, in seconds, as the server lets it."""
_TICK = 0.1
_TIMEOUT = 30.0


class RawFfmpeg:
    """An encoder with ``argv``, its program included, started when the block is entered."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = list(argv)
        self.transport = Transport()

    def __enter__(self) -> Self:
        self._fd, end = os.pipe()
        fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.set_blocking(self._fd, False)
        self._began = time.perf_counter()
        try:
            self._child = subprocess.Popen(
                [*setpriv_guard(), *self._argv],
                stdin=subprocess.DEVNULL,
                stdout=end,
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
        self._child.kill()
        self._child.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def first_key_frame(self) -> float:
        """Return the seconds from the start to the first whole key frame."""
        while not self.transport.keys:
            if not select.select([self._fd], [], [], _TIMEOUT)[0]:
                raise NotMeasured(f"raw ffmpeg gave nothing within {_TIMEOUT:.0f} s")
            self._read()
        return time.perf_counter() - self._began

    def run(self, seconds: float) -> None:
        """Take its output for ``seconds`` at the pace of the clock."""
        ends = time.perf_counter() + seconds
        while (now := time.perf_counter()) < ends:
            while self.transport.clock < now - self._began + BURST and self._read():
                pass
            time.sleep(_TICK)

    def cpu_seconds(self) -> float:
        """Return the CPU seconds it has taken."""
        times = psutil.Process(self._child.pid).cpu_times()
        return times.user + times.system

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            raise NotMeasured("raw ffmpeg ended early")
        self.transport.feed(data)
        return True
