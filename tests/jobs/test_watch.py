"""Folders are followed unasked."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.library import LibraryScanner, ScanResult
from exstream.jobs.watch import NEWS_SECONDS, ROUND_SECONDS, SETTLE_SECONDS, LibraryWatch
from exstream.model.catalogue import Library, LibraryKind
from exstream.store.catalogue import CatalogueStore
from tests.fakes import SteppedClock, until
from tests.jobs.folders import Put

pytestmark = pytest.mark.anyio

HOUR_NS = 3_600 * 1_000_000_000


class Bell:
    """Notices that a test sends by hand."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[object] = asyncio.Queue()
        self.watched: list[str] = []

    def ring(self) -> None:
        self._queue.put_nowait("changed")

    async def __call__(self, path: str) -> AsyncIterator[object]:
        self.watched.append(path)
        while True:
            yield await self._queue.get()


@pytest.fixture
def reports() -> list[ScanResult]:
    return []


async def test_every_folder_is_scanned_at_start_at_notices_and_on_rounds(
    scanner: LibraryScanner,
    shelves: CatalogueStore,
    library: Library,
    clock: SteppedClock,
    put: Put,
    reports: list[ScanResult],
) -> None:
    """The first scan comes unasked, the next at a notice, then one every ten minutes."""
    put("a (2000).mkv")
    bell = Bell()
    watch = LibraryWatch(scanner, shelves, clock, lambda _, result: reports.append(result), bell)
    running = asyncio.create_task(watch.run())
    await until(lambda: len(reports) == 1)
    assert bell.watched == [library.path]
    put("b (2000).mkv")
    bell.ring()
    await until(lambda: len(reports) == 2)
    await clock.step(ROUND_SECONDS)
    await until(lambda: len(reports) == 3)
    assert [report.added for report in reports] == [1, 1, 0]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_files_that_wait_are_looked_at_again_soon(
    scanner: LibraryScanner,
    shelves: CatalogueStore,
    library: Library,
    clock: SteppedClock,
    put: Put,
    reports: list[ScanResult],
) -> None:
    """A file that was just copied is in the library some seconds later without another notice."""
    put("a (2000).mkv", age_ns=0)
    watch = LibraryWatch(scanner, shelves, clock, lambda _, result: reports.append(result), Bell())
    running = asyncio.create_task(watch.run())
    await until(lambda: len(reports) == 1)
    assert reports[0].waiting == 1
    await until(lambda: clock.sleepers == 3)
    await clock.step(SETTLE_SECONDS)
    await until(lambda: len(reports) == 2)
    assert (reports[1].waiting, reports[1].added) == (0, 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_libraries_come_and_go(
    scanner: LibraryScanner,
    shelves: CatalogueStore,
    library: Library,
    clock: SteppedClock,
    tmp_path: Path,
    reports: list[ScanResult],
    catalogue: CatalogueHolder,
    clip: Path,
) -> None:
    """A library added by another process is scanned within seconds; a removed one is left alone."""
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy2(clip, other / "x (1999).mkv")
    bell = Bell()
    watch = LibraryWatch(scanner, shelves, clock, lambda _, result: reports.append(result), bell)
    running = asyncio.create_task(watch.run())
    await until(lambda: len(reports) == 1)
    added = await shelves.add_library(LibraryKind.FOLDER, "Other", str(other))
    await shelves.remove_library(library.id)
    await clock.step(NEWS_SECONDS)
    await until(lambda: len(reports) == 2)
    assert [item.library for item in catalogue.current.items.values()] == ["Other"]
    await clock.step(ROUND_SECONDS)
    await until(lambda: len(reports) == 3)
    watch.ask(library.id)
    watch.ask(added.id)
    await until(lambda: len(reports) == 4)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_the_system_tells_of_new_files(
    scanner: LibraryScanner,
    shelves: CatalogueStore,
    library: Library,
    clock: SteppedClock,
    put: Put,
    reports: list[ScanResult],
) -> None:
    """With the real notices a file put into a new folder below the library is picked up unasked."""
    put("a (2000).mkv")
    watch = LibraryWatch(scanner, shelves, clock, lambda _, result: reports.append(result))
    running = asyncio.create_task(watch.run())
    await until(lambda: len(reports) == 1)
    async with asyncio.timeout(30):
        while not any(report.added for report in reports[1:]):
            put("new/b (2000).mkv")
            await asyncio.sleep(0.3)
            await clock.step(SETTLE_SECONDS)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
