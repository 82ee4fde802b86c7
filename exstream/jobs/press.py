"""Where the guide is made: a few days in a thread, a whole guide in a process that is there as long as it is used."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from exstream.errors import FeedError
from exstream.ffmpeg.process import Process, Processes
from exstream.guide import press
from exstream.guide.packing import Fragment
from exstream.guide.press import Sheet
from exstream.guide.xmltv import Edition

ANSWER_SECONDS = 30.0
"""How long the process may take for one order."""
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
        self._room: asyncio.Future[None] | None = None
        self._rest = bytearray()

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

    async def write(self, order: bytes) -> None:
        """Give it an order, behind those that it has; raises `_Broken`."""
        with _in_time():
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._write(order)

    async def read(self) -> Sequence[Mapping[int, Fragment]]:
        """Return what it delivers next; raises `_Broken`."""
        with _in_time():
            async with asyncio.timeout(ANSWER_SECONDS):
                end = await self._line()
                listed = press.contents(bytes(self._rest[:end]))
                whole = end + 1 + press.size(listed)
                while len(self._rest) < whole:
                    await self._read()
        body = bytes(self._rest[end + 1 : whole])
        del self._rest[:whole]
        return press.unpacked(listed, body)

    async def stop(self) -> None:
        """End it; it is gone when this returns. May be called more than once."""
        pipe, self._pipe = self._pipe, -1
        if pipe >= 0:
            self._loop.remove_writer(pipe)
            os.close(pipe)
            self._go_on()
        await self._process.stop()

    async def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if self._pipe < 0:
                raise _Broken("it was ended, because of the order before")
            try:
                left = left[os.write(self._pipe, left) :]
            except BlockingIOError:
                self._room = self._loop.create_future()
                self._loop.add_writer(self._pipe, self._go_on)
                try:
                    await self._room
                finally:
                    if self._pipe >= 0:
                        self._loop.remove_writer(self._pipe)

    def _go_on(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    async def _line(self) -> int:
        while (end := self._rest.find(b"\n")) < 0:
            await self._read()
        return end

    async def _read(self) -> None:
        data = await self._process.read()
        if not data:
            words = self._process.stderr(1)
            raise _Broken(f"it ended (status {await self._process.wait()}){': ' if words else ''}{words}")
        self._rest += data


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise _Broken(f"it took more than {ANSWER_SECONDS:.0f} s") from None
    except (OSError, ValueError) as fault:
        raise _Broken(str(fault)) from fault


class Press:
    """Makes fragments of the guide. Without ``processes`` it does everything in threads."""

    def __init__(self, processes: Processes | None = None, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._processes = processes
        self._idle_seconds = idle_seconds
        self._printer: _Printer | None = None
        self._writing, self._reading = asyncio.Lock(), asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    async def fragments(
        self, sheets: Sequence[Sheet], edition: Edition, opening: int | None, *, many: bool
    ) -> Sequence[Mapping[int, Fragment]]:
        """Do as `exstream.guide.press.fragments` for each of ``sheets``.

        ``many`` says that a lot more is wanted at the same time.
        """
        if many and self._processes is not None:
            try:
                return await self._ordered(self._processes, sheets, edition, opening)
            except (_Broken, FeedError) as fault:
                log.warning(
                    "the guide is made inside the server: the process for it failed", reason=str(fault)
                )
        return await asyncio.to_thread(_printed_here, sheets, edition, opening)

    async def _ordered(
        self, processes: Processes, sheets: Sequence[Sheet], edition: Edition, opening: int | None
    ) -> Sequence[Mapping[int, Fragment]]:
        async with self._writing:
            printer = self._printer = self._printer or await _Printer.start(processes)
            try:
                order = await asyncio.to_thread(printer.orders.write, sheets, edition, opening)
                await printer.write(order)
                # While one order is carried out the next one lies ready, but not more.
                await self._reading.acquire()
            except BaseException:
                await self._give_up(printer)
                raise
        try:
            return await printer.read()
        except BaseException:
            await self._give_up(printer)
            raise
        finally:
            self._reading.release()
            self._wait_for_more()

    async def _give_up(self, printer: _Printer) -> None:
        """End a process that may be amid an order: what comes next begins with another one."""
        if self._printer is printer:
            self._printer = None
        await asyncio.shield(printer.stop())

    def _wait_for_more(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._retire)

    def _retire(self) -> None:
        if self._writing.locked() or self._reading.locked():
            return  # whoever has them waits for more after that
        printer, self._printer = self._printer, None
        if printer is not None:
            task = asyncio.create_task(printer.stop())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


def _printed_here(
    sheets: Sequence[Sheet], edition: Edition, opening: int | None
) -> list[dict[int, Fragment]]:
    return [press.fragments(sheet, edition, opening) for sheet in sheets]
