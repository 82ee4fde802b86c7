"""A library's scan as a command: with a progress bar, and a summary that names what could not be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from exstream.cli.outcome import ExitCode, write
from exstream.clock import Clock, SystemClock
from exstream.config import Settings
from exstream.ffmpeg.capabilities import find_ffmpeg
from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.process import Processes
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.journal import Journal
from exstream.jobs.library import SETTLED_MS, LibraryScanner, ScanResult, summary
from exstream.local.walk import Walk, walk_folder
from exstream.model.catalogue import Item, Library
from exstream.store.catalogue import CatalogueStore
from exstream.telemetry import Redaction, errors_only

_TICK_SECONDS = 0.1
_MOST_SHOWN = 50


class Scanning:
    """Scans libraries one after another, for a person who watches."""

    def __init__(self, scanner: LibraryScanner, board: Board, clock: Clock) -> None:
        self._scanner = scanner
        self._board = board
        self._clock = clock

    async def scan(self, library: Library) -> ScanResult:
        """Scan ``library``; files that were changed a moment ago are looked at once more when they have settled."""
        with _bar(library.name) as show:
            found = await self._watched(library, show)
            if found.waiting:
                await self._clock.sleep(SETTLED_MS / 1_000)
                found = _together(found, await self._watched(library, show))
            return found

    async def _watched(self, library: Library, show: _Show) -> ScanResult:
        scan = asyncio.create_task(self._scanner.scan(library))
        try:
            while not scan.done():
                for job in self._board.jobs()[:1]:
                    show(job.done, job.total, job.message)
                await asyncio.wait({scan}, timeout=_TICK_SECONDS)
        finally:
            scan.cancel()
            await asyncio.wait({scan})
        return scan.result()


@asynccontextmanager
async def scanning(settings: Settings, shelf: CatalogueStore) -> AsyncIterator[Scanning]:
    """Give what scans into ``shelf``; every process it starts has ended when the block is left."""
    errors_only(Redaction(settings.secrets))
    clock = SystemClock()
    board = Board(clock.now_ms)
    ffmpeg = find_ffmpeg(str(settings.ffmpeg or ""))
    async with Processes(ffmpeg) as processes:
        scanner = LibraryScanner(
            shelf, CatalogueHolder(shelf), Prober(processes), board, clock, settings.journals_dir
        )
        yield Scanning(scanner, board, clock)


class _Show:
    """A bar on standard error; nothing where that is no terminal."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._task = progress.add_task(name, total=None, file="")

    def __call__(self, done: int, total: int, message: str) -> None:
        self._progress.update(self._task, completed=done, total=total or None, file=Path(message).name)


@contextmanager
def _bar(name: str) -> Iterator[_Show]:
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[file]}", markup=False),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with progress:
        yield _Show(progress, name)


def _together(first: ScanResult, second: ScanResult) -> ScanResult:
    """Return what both scans found: what changed in either, and what the second says of the files that are there."""
    return ScanResult(
        first.added + second.added,
        first.changed + second.changed,
        first.missing + second.missing,
        first.gone + second.gone,
        second.waiting,
        second.unreadable,
        list(dict.fromkeys((*first.faults, *second.faults))),
    )


def verdict(found: ScanResult) -> ExitCode:
    """Return the exit code of a scan."""
    return ExitCode.PARTIAL if found.unreadable or found.faults else ExitCode.OK


def as_json(library: Library, found: ScanResult) -> dict[str, Any]:
    """Return a scan for a script."""
    return {"name": library.name, "path": library.path, **asdict(found)}


def write_found(library: Library, found: ScanResult) -> None:
    """Tell a person what a scan found; each file that cannot be used with its reason."""
    write(f"{library.name}: {summary(found)}")
    for reason in _some(list(found.unreadable.values())):
        write(f"  unreadable: {reason}")
    for fault in _some(found.faults):
        write(f"  note: {fault}")
    if found.waiting:
        write("  files that are still being copied are taken up by the next scan, or by the running server")


def _some(sentences: Sequence[str]) -> Iterator[str]:
    yield from sentences[:_MOST_SHOWN]
    if len(sentences) > _MOST_SHOWN:
        yield f"... and {len(sentences) - _MOST_SHOWN} more; --json lists them all"


def unusable(journal: Path, walk: Walk) -> dict[str, str]:
    """Return why files of ``walk`` cannot be used, by their paths below its folder; a changed file may be mended."""
    known = Journal.read(journal).files
    return {
        file.path: before.fault
        for file in walk.media
        if (before := known.get(file.path)) is not None and before.fault and before.is_of(file)
    }


def foreseen(folder: str, items: Sequence[Item], journal: Path | None = None) -> dict[str, Any]:
    """Return what a scan of ``folder`` would look into: files that are no item yet, items whose file is not there.

    Files of which the ``journal`` knows that they cannot be used are not looked into again before they change.
    """
    walk = walk_folder(folder)
    faults = unusable(journal, walk) if journal is not None else {}
    known = {item.path for item in items}
    present = {str(Path(folder, file.path)) for file in walk.media}
    passed_over = {str(Path(folder, path)) for path in faults}
    vanished = (
        item.path
        for item in items
        if item.path not in present and not item.missing and not walk.is_unread(item.path[len(folder) + 1 :])
    )
    return {
        "path": folder,
        "files": len(present),
        "new": sorted(present - known - passed_over),
        "missing": sorted(vanished),
        "unreadable": faults,
        "faults": walk.faults,
    }


def write_foreseen(name: str, seen: dict[str, Any]) -> None:
    """Tell a person what a scan would do."""
    write(
        f"{name} would be scanned: {seen['files']} media files in {seen['path']},"
        f" {len(seen['new'])} of them not yet in the catalogue, {len(seen['missing'])} known ones missing"
    )
    for reason in _some(list(seen["unreadable"].values())):
        write(f"  unreadable, and unchanged since: {reason}")
    for fault in _some(seen["faults"]):
        write(f"  note: {fault}")
