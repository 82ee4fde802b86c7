"""Where a stream to be checked comes from, and the check while it comes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import Progress, TextColumn

from exstream.cli.whole_groups import WholeGroups
from exstream.clock import Clock, SystemClock
from exstream.errors import ExstreamError, OutboundError, Unreachable
from exstream.ffmpeg.capabilities import find_ffmpeg
from exstream.ffmpeg.decoding import Decoder, decoder
from exstream.ffmpeg.process import Processes
from exstream.mpegts.conformance import Checker, Report
from exstream.outbound import SILENCE_SECONDS, incoming
from exstream.telemetry import Redaction, errors_only

LIVE_SECONDS = 30.0
"""How much of a stream without an end is checked."""
PATIENCE_SECONDS = 20.0
"""How much longer than its own time a stream may take to come."""
SMALLEST = 10_000
"""Bytes in which there must be packets, if there are any."""
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a stream. ``ended`` says in a sentence that it stopped too early; empty when it did not.

    ``decoder`` are the decoder's complaints, None where it was not asked.
    """

    report: Report
    ended: str
    decoder: tuple[str, ...] | None

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.report.clean and not self.ended and not self.decoder


class Origin(Protocol):
    """Bytes that come in."""

    @property
    def live(self) -> bool:
        """Whether they have no foreseeable end."""

    def bytes(self) -> AsyncIterator[bytes]:
        """Yield them; raises `Unreachable` where they stop."""


async def receive(source: str, seconds: float | None, ffmpeg: str | None) -> Received:
    """Check ``seconds`` of ``source``, and let ``ffmpeg`` decode it where that is not None; "" is the default one.

    Raises `Unreachable` and `OutboundError` where nothing comes, ExstreamError where what comes is no stream.
    """
    errors_only(Redaction())
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        groups = None
        if ffmpeg is not None:
            processes = await stack.enter_async_context(Processes(find_ffmpeg(ffmpeg)))
            judge = await decoder(processes)
            stack.push_async_callback(judge.stop)
            groups = WholeGroups(), judge
        origin = await stack.enter_async_context(_origin(source))
        show = stack.enter_context(_progress())
        limit = seconds if seconds is not None else LIVE_SECONDS if origin.live else None
        check = _Check(source, limit, clock, groups, show)
        ended = await check.run(origin)
        words = await check.decoded()
        return Received(check.checker.report(), ended, words)


class _Check:
    """The check of one stream as it comes."""

    def __init__(
        self,
        source: str,
        limit: float | None,
        clock: Clock,
        groups: tuple[WholeGroups, Decoder] | None,
        show: _Show,
    ) -> None:
        self.checker = Checker()
        self._source = source
        self._limit = limit
        self._clock = clock
        self._groups = groups
        self._show = show
        self._began = b""
        self._received = 0

    async def run(self, origin: Origin) -> str:
        """Check until enough has come; return why it ended too early, in a sentence."""
        ended = ""
        began = self._clock.air()
        try:
            async for data in origin.bytes():
                await self._take(data)
                if self._enough():
                    break
                spent = self._clock.air() - began
                if self._limit is not None and spent > self._limit + PATIENCE_SECONDS:
                    ended = f"{self._source} is too slow: {self._seconds:.1f} s of stream in {spent:.0f} s"
                    break
        except Unreachable as fault:
            if not self._received:
                raise
            ended = f"{fault}, after {self._seconds:.1f} s"
        self.checker.finish()
        self._recognise()
        if not ended and origin.live and not self._enough():
            ended = f"{self._source} ended after {self._seconds:.1f} s"
        return ended

    async def decoded(self) -> tuple[str, ...] | None:
        """Return what the decoder says."""
        if self._groups is None:
            return None
        groups, judge = self._groups
        await judge.write(groups.rest())
        return tuple(await judge.finish())

    @property
    def _seconds(self) -> float:
        return self.checker.references.elapsed

    def _enough(self) -> bool:
        return self._limit is not None and self._seconds >= self._limit

    async def _take(self, data: bytes) -> None:
        if len(self._began) < SMALLEST:
            self._began += data[:SMALLEST]
        self._received += len(data)
        findings = self.checker.feed(data)
        self._show(self._seconds, sum(finding.severity == "error" for finding in findings))
        if len(self._began) >= SMALLEST:
            self._recognise()
        if self._groups is not None:
            groups, judge = self._groups
            pictures = self.checker.report().pictures
            await judge.write(groups.feed(data, pictures.pid if pictures is not None else None))

    def _recognise(self) -> None:
        """Raise ExstreamError where what came is no transport stream."""
        if self.checker.report().packets:
            return
        if not self._began:
            raise ExstreamError(f"{self._source} is empty: not a single byte came")
        start = self._began.lstrip()[:200].lower()
        if start.startswith(b"#extm3u"):
            text = "is a playlist, not a stream: name one of the addresses in it that is no playlist"
        elif start.startswith((b"<!doctype html", b"<html")):
            text = "is a web page, not a stream: a channel's address ends with .ts"
        else:
            text = "is no MPEG transport stream: there are no packets in it"
        raise ExstreamError(f"{self._source} {text}")


class _Pipe:
    """A file or standard input."""

    live = False

    def __init__(self, fd: int) -> None:
        self._fd = fd

    async def bytes(self) -> AsyncIterator[bytes]:
        """Yield what is read; the reading waits in a thread."""
        while data := await asyncio.to_thread(os.read, self._fd, _PIECE):
            yield data


class _Web:
    """An answer over HTTP."""

    def __init__(self, answer: AsyncIterator[bytes], *, live: bool) -> None:
        self._answer = answer
        self.live = live

    def bytes(self) -> AsyncIterator[bytes]:
        """Yield what comes."""
        return self._answer


@asynccontextmanager
async def _origin(source: str) -> AsyncIterator[Origin]:
    """Open ``source``; raises ExstreamError in a sentence."""
    scheme = urlsplit(source).scheme
    if scheme in {"http", "https"}:
        async with incoming(source, silence=SILENCE_SECONDS) as answer:
            if answer.kind == "text/html":
                raise OutboundError(
                    f"{source} is a web page, not a stream: a channel's address ends with .ts"
                )
            yield _Web(answer.bytes(), live=answer.length is None)
        return
    if "://" in source:
        raise OutboundError(f"{source} cannot be read: a stream's address begins with http:// or https://")
    if source == "-":
        yield _Pipe(sys.stdin.fileno())
        return
    try:
        file = Path(source).open("rb", buffering=0)  # noqa: SIM115, ASYNC230 -- opened once, closed below
        with file:
            yield _Pipe(file.fileno())
    except OSError as fault:
        raise ExstreamError(f"{source} cannot be read: {fault.strerror}") from fault


class _Show:
    """A line on standard error that tells how far the check is; nothing where that is no terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, text="waiting for the stream")
        self._faults = 0

    def __call__(self, seconds: float, faults: int) -> None:
        self._faults += faults
        words = f"{self._faults} fault{'' if self._faults == 1 else 's'}" if self._faults else "clean so far"
        self._progress.update(self._task, text=f"{seconds:.1f} s checked, {words}")


@contextmanager
def _progress() -> Iterator[_Show]:
    console = Console(stderr=True)
    text = TextColumn("{task.fields[text]}", markup=False)
    with Progress(text, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield _Show(progress)
