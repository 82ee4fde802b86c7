"""Where the guide is made: a few days in a thread, a whole guide in a process that is there as long as it is used."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from exstream.errors import FeedError
from exstream.ffmpeg.process import Process, Processes
from exstream.guide import press
from exstream.guide.packing import Fragment
from exstream.model.catalogue import Catalogue
from exstream.model.programme import Segment

ANSWER_SECONDS = 30.0
"""How long the process may take for one channel."""
IDLE_SECONDS = 10.0
"""A process that has nothing to do for so long is ended, and its memory with it."""
_NICE = 5
_PIPE_BYTES = 1 << 20
_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from exstream.guide.press_child import main; main()"

log = structlog.get_logger(__name__)


class _Broken(Exception):
    """The process gave no answer; the text says how."""


class _Printer:
    """A running process and the pipe to it."""

    def __init__(self, process: Process, pipe: int) -> None:
        self.orders = press.Orders()
        self._process = process
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()
        self._rest = b""

    @classmethod
    async def start(cls, processes: Processes) -> _Printer:
        """Start one; raises `FeedError`."""
        theirs, ours = os.pipe()
        try:
            os.set_blocking(ours, False)
            folders = [folder or str(Path.cwd()) for folder in sys.path]
            argv = ("-I", "-S", "-c", _CHILD, *folders)
            process = await processes.start(
                argv, name="guide", program=sys.executable, stdin=theirs, nice=_NICE, pipe_bytes=_PIPE_BYTES
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(process, ours)

    async def print(self, order: bytes) -> Mapping[int, Fragment]:
        """Have an order carried out; raises `_Broken`."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._write(order)
                while b"\n" not in self._rest:
                    await self._read()
                line, _, self._rest = self._rest.partition(b"\n")
                listed = press.contents(line)
                whole = sum(size for *_, size in listed)
                while len(self._rest) < whole:
                    await self._read()
        except TimeoutError:
            raise _Broken(f"it took more than {ANSWER_SECONDS:.0f} s") from None
        except (OSError, ValueError) as fault:
            raise _Broken(str(fault)) from fault
        body, self._rest = self._rest[:whole], self._rest[whole:]
        return press.unpacked(listed, body)

    async def stop(self) -> None:
        """End it; it is gone when this returns."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        await self._process.stop()

    async def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._pipe, left) :]
            except BlockingIOError:
                room = self._loop.create_future()
                self._loop.add_writer(self._pipe, _resolve, room)
                try:
                    await room
                finally:
                    self._loop.remove_writer(self._pipe)

    async def _read(self) -> None:
        data = await self._process.read()
        if not data:
            words = self._process.stderr(1)
            raise _Broken(f"it ended (status {await self._process.wait()}){': ' if words else ''}{words}")
        self._rest += data


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Press:
    """Makes fragments of the guide. Without ``processes`` it does everything in threads."""

    def __init__(self, processes: Processes | None = None, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._processes = processes
        self._idle_seconds = idle_seconds
        self._printer: _Printer | None = None
        self._one = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    async def fragments(
        self,
        rows: Sequence[Segment],
        catalogue: Catalogue,
        days: Sequence[int],
        opening: int | None,
        *,
        many: bool,
    ) -> Mapping[int, Fragment]:
        """Do as `exstream.guide.press.fragments`; ``many`` says that a lot more is wanted at the same time."""
        if many and self._processes is not None:
            try:
                return await self._ordered(self._processes, rows, catalogue, days, opening)
            except (_Broken, FeedError) as fault:
                log.warning(
                    "the guide is made inside the server: the process for it failed", reason=str(fault)
                )
        return await asyncio.to_thread(press.fragments, rows, catalogue, days, opening)

    async def _ordered(
        self,
        processes: Processes,
        rows: Sequence[Segment],
        catalogue: Catalogue,
        days: Sequence[int],
        opening: int | None,
    ) -> Mapping[int, Fragment]:
        async with self._one:
            self._stay()
            printer = self._printer or await _Printer.start(processes)
            self._printer = None
            try:
                order = await asyncio.to_thread(printer.orders.write, rows, catalogue, days, opening)
                made = await printer.print(order)
            except BaseException:
                # Half an answer may be under way: what comes next begins with another process.
                await asyncio.shield(printer.stop())
                raise
            self._printer = printer
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)
            return made

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _retire(self) -> None:
        printer, self._printer = self._printer, None
        if printer is not None:
            task = asyncio.create_task(printer.stop())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
