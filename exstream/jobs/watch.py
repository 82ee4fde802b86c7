"""Notices what happens in folder libraries, unasked: the system's notices, and a slow round for what it misses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from watchfiles import awatch

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.jobs.library import LibraryScanner, ScanResult
from exstream.jobs.ports import Shelves
from exstream.model.catalogue import Library, LibraryKind

DEBOUNCE_MS = 2_000
ROUND_SECONDS = 600.0
"""Network shares and folders mounted later send no notices: every folder is scanned this often anyway."""
NEWS_SECONDS = 10.0
"""How often it is asked whether libraries were added or removed."""
SETTLE_SECONDS = 6.0

Notices = Callable[[str], AsyncIterator[object]]
"""Yields whenever something changes below a folder; raises OSError or RuntimeError when it cannot be watched."""


def notices(path: str) -> AsyncIterator[object]:
    """Return the system's notices about the folder ``path``, those of two seconds together."""
    return awatch(path, debounce=DEBOUNCE_MS, step=1_000, watch_filter=None, ignore_permission_denied=True)


class LibraryWatch:
    """Keeps folder libraries up to date for as long as `run` runs. ``reported`` hears of every scan."""

    def __init__(
        self,
        scanner: LibraryScanner,
        shelves: Shelves,
        clock: Clock,
        reported: Callable[[Library, ScanResult], object] = lambda _library, _result: None,
        watching: Notices = notices,
    ) -> None:
        self._scanner = scanner
        self._shelves = shelves
        self._clock = clock
        self._reported = reported
        self._watching = watching
        self._libraries: dict[int, Library] = {}
        self._watches: dict[int, asyncio.Task[None]] = {}
        self._due: dict[int, None] = {}
        self._something_due = asyncio.Event()

    def ask(self, library_id: int) -> None:
        """Have a library scanned soon."""
        self._due[library_id] = None
        self._something_due.set()

    async def run(self) -> None:
        """Scan every folder, then whatever changes; returns only by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(group))
            group.create_task(self._round())
            while True:
                await self._something_due.wait()
                self._something_due.clear()
                while self._due:
                    library_id = next(iter(self._due))
                    del self._due[library_id]
                    await self._scan(library_id, group)

    async def _scan(self, library_id: int, group: asyncio.TaskGroup) -> None:
        library = self._libraries.get(library_id)
        if library is None:
            return
        try:
            result = await self._scanner.scan(library)
        except StoreError:  # the board says so; the next round tries again
            return
        self._reported(library, result)
        if result.waiting:
            group.create_task(self._ask_later(library_id))

    async def _ask_later(self, library_id: int) -> None:
        await self._clock.sleep(SETTLE_SECONDS)
        self.ask(library_id)

    async def _round(self) -> None:
        while True:
            await self._clock.sleep(ROUND_SECONDS)
            for library_id in self._libraries:
                self.ask(library_id)

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        """Watch the folders of the libraries that there are."""
        while True:
            with suppress(StoreError):  # asked again soon
                found = await self._shelves.libraries()
                wanted = {library.id: library for library in found if library.kind is LibraryKind.FOLDER}
                for library_id in self._libraries.keys() - wanted.keys():
                    self._watches.pop(library_id).cancel()
                    await self._scanner.forget(self._libraries[library_id])
                for library_id in wanted.keys() - self._libraries.keys():
                    self._watches[library_id] = group.create_task(self._watch(wanted[library_id]))
                    self.ask(library_id)
                self._libraries = wanted
            await self._clock.sleep(NEWS_SECONDS)

    async def _watch(self, library: Library) -> None:
        """Ask for a scan at every notice; a folder that cannot be watched is left to the round and tried again."""
        while True:
            with suppress(OSError, RuntimeError):
                async for _ in self._watching(library.path):
                    self.ask(library.id)
                    await self._clock.sleep(SETTLE_SECONDS)  # a long copy sends notices all the time
            await self._clock.sleep(ROUND_SECONDS)
