"""What files hold, found out in a child process that can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from exstream.errors import FeedError, UnreadableMedia
from exstream.ffmpeg.allowed import input_address, input_limits
from exstream.ffmpeg.probe_report import Report, media_of
from exstream.ffmpeg.probe_text import read_report
from exstream.ffmpeg.process import Process, Processes
from exstream.model.catalogue import Media

PROBE_SECONDS = 15.0
"""How long one file may take: a sleeping disk or a share far away is slow, a hung reader is for ever."""
_BACKGROUND = 10
_HEAD_BYTES = 4_096
_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from exstream.ffmpeg.probe_child import main; main()"


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of one path: its media, or a fault (a sentence that names the file)."""

    path: str
    media: Media | None
    fault: str = ""


class Prober:
    """Looks into files: with PyAV in a child, else with ``ffmpeg -i``. ``timeout`` is for one file, in seconds."""

    def __init__(
        self, processes: Processes, timeout: float = PROBE_SECONDS, *, use_pyav: bool | None = None
    ) -> None:
        self._processes = processes
        self._timeout = timeout
        self._pyav = find_spec("av") is not None if use_pyav is None else use_pyav

    async def probe(self, path: str) -> Media:
        """Return what the file at the absolute ``path``, or at a loopback URL, holds; raises `UnreadableMedia`."""
        async with aclosing(self._probe([path], nice=0)) as answers:
            found = await anext(
                answers, Probed(path, None, f"{path} cannot be used: nothing was found out about it")
            )
        if found.media is None:
            raise UnreadableMedia(found.fault)
        return found.media

    def probe_all(self, paths: Sequence[str]) -> AsyncGenerator[Probed, None]:
        """Probe many files in the background, one child for all; yields one answer per path, in their order.

        A file that kills or hangs the child is at fault, and the next child goes on behind it. Close the iterator
        (`contextlib.aclosing`) when leaving it early.
        """
        return self._probe(paths, nice=_BACKGROUND)

    async def _probe(self, paths: Sequence[str], nice: int) -> AsyncGenerator[Probed, None]:
        for path in paths:
            input_address(path)  # nothing else is ever opened
        if not self._pyav:
            for path in paths:
                yield await self._ask_ffmpeg(path, nice)
            return
        left = list(paths)
        while left:
            try:
                child = await self._start_child(left, nice)
            except FeedError as fault:
                for path in left:
                    yield Probed(path, None, f"{path} cannot be looked into: {fault}")
                return
            try:
                async for found in self._answers(child, left):
                    del left[0]
                    yield found
            finally:
                await child.stop()

    async def _start_child(self, paths: Sequence[str], nice: int) -> Process:
        questions = "".join(json.dumps(path) + "\n" for path in paths).encode()
        folders = [folder or str(Path.cwd()) for folder in sys.path]
        argv = ("-I", "-S", "-c", _CHILD, *folders)
        return await self._processes.start(
            argv, name="probe", program=sys.executable, stdin=questions, nice=nice
        )

    async def _answers(self, child: Process, paths: Sequence[str]) -> AsyncIterator[Probed]:
        """Yield answers until the child is done; the last one may be that it hung or died."""
        lines = _lines(child)
        for path in tuple(paths):
            try:
                async with asyncio.timeout(self._timeout):
                    line = await anext(lines, b"")
            except TimeoutError:
                yield Probed(path, None, f"{path} cannot be used: reading it took over {self._timeout:g} s")
                return
            if not line:
                await child.wait()
                yield Probed(path, None, _last_words(path, child))
                return
            yield _probed(path, json.loads(line))

    async def _ask_ffmpeg(self, path: str, nice: int) -> Probed:
        address, protocols = input_address(path)
        limits = [word for name, value in input_limits(protocols).items() for word in (f"-{name}", value)]
        argv = ("-hide_banner", "-nostdin", *limits, "-i", address)
        try:
            head, size = await asyncio.to_thread(_head, path) if path.startswith("/") else (b"", None)
            run = await self._processes.run(argv, self._timeout, name="probe", nice=nice)
        except TimeoutError:
            return Probed(path, None, f"{path} cannot be used: reading it took over {self._timeout:g} s")
        except (OSError, FeedError) as fault:
            return _probed(path, {"fault": getattr(fault, "strerror", None) or str(fault)})
        report = read_report(run.stderr, head)
        return _probed(path, report if size is None else {**report, "size": size})


async def _lines(child: Process) -> AsyncIterator[bytes]:
    """Yield the whole lines of the child's output."""
    rest = b""
    while chunk := await child.read():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


def _probed(path: str, report: Report) -> Probed:
    try:
        return Probed(path, media_of(report))
    except ValueError as fault:
        return Probed(path, None, f"{path} cannot be used: {fault}")


def _last_words(path: str, child: Process) -> str:
    code = child.returncode or 0
    if code < 0:
        return f"{path} cannot be used: it made its reader crash (signal {-code})"
    return f"{path} cannot be used: its reader gave up: {child.stderr().rpartition(os.linesep)[2]}"


def _head(path: str) -> tuple[bytes, int]:
    """Return how a file begins, and how long it is in bytes."""
    with Path(path).open("rb") as file:
        return file.read(_HEAD_BYTES), file.seek(0, os.SEEK_END)
