"""A server of our own: a process with a data directory and ports of its own, ended with the block."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from exstream.ffmpeg.guard import setpriv_guard
from load.bench.table import NotMeasured

READY_SECONDS = 120.0
STOP_SECONDS = 15.0
_POLL = 0.02


def environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command of ours: nothing of the user's settings, ``home`` as the data directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXSTREAM_", "PLEX_"))}
    return {**kept, "EXSTREAM_DATA_DIR": str(home), "EXSTREAM_HOST": "127.0.0.1", **settings}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """``exstream serve`` on the data directory ``home``; ready when the block is entered.

    ``program`` is the module that takes its place.
    """

    def __init__(
        self, home: Path, settings: Mapping[str, str] | None = None, program: str = "exstream"
    ) -> None:
        self.home = home
        self._program = program
        self.port = free_port()
        ports = {"EXSTREAM_IPTV_PORT": str(self.port), "EXSTREAM_HDHR_PORT": str(free_port())}
        self._environment = environment(home, {**ports, **(settings or {})})
        self.ready_after = 0.0
        """Seconds from the start of the process to ``/readyz`` with 200."""

    def __enter__(self) -> Self:
        self.home.mkdir(parents=True, exist_ok=True)
        self._said = (self.home / "said.txt").open("wb")
        began = time.perf_counter()
        self._child = subprocess.Popen(
            [*setpriv_guard(), sys.executable, "-m", self._program, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            env=self._environment,
            cwd=self.home,
        )
        try:
            self.process = psutil.Process(self._child.pid)
            self._wait_until_ready(began + READY_SECONDS)
        except BaseException:
            self._stop()
            raise
        self.ready_after = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of ``path``, over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def figures(self, name: str) -> list[float]:
        """Return a figure of ``/metrics``, one for each set of labels."""
        lines = self.get("/metrics")[1].decode().splitlines()
        found = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return [float(line.rpartition(" ")[2]) for line in found]

    def figure(self, name: str) -> float:
        """Return a figure of ``/metrics``, its labels summed up."""
        return sum(self.figures(name))

    def encoders(self) -> list[psutil.Process]:
        """Return its running processes, oldest first."""
        return sorted(self.process.children(recursive=True), key=lambda child: child.create_time())

    def cpu_seconds(self) -> tuple[float, float]:
        """Return the CPU seconds of the server itself, and those of its encoders, present and past."""
        own = self.process.cpu_times()
        encoders = own.children_user + own.children_system
        for encoder in self.encoders():
            times = encoder.cpu_times()
            encoders += times.user + times.system
        return own.user + own.system, encoders

    def wait_until_cold(self, seconds: float = 20.0) -> None:
        """Wait until no channel is on air and no encoder runs."""
        deadline = time.monotonic() + seconds
        while self.encoders() or self.figure("exstream_channels_on_air"):
            if time.monotonic() > deadline:
                raise NotMeasured(f"a channel without viewers was still on air after {seconds:.0f} s")
            time.sleep(0.05)

    def _wait_until_ready(self, deadline: float) -> None:
        while not self._ready():
            if self._child.poll() is not None or time.perf_counter() > deadline:
                raise NotMeasured(f"the server did not become ready: {self._last_words()}")
            time.sleep(_POLL)

    def _ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, HTTPException):
            return False

    def _stop(self) -> None:
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._said.close()

    def _last_words(self) -> str:
        words = (self.home / "said.txt").read_text(encoding="utf-8", errors="replace").strip()
        return words[-1_000:] or "it said nothing"
