"""Scans folders of one's own media into the catalogue: only what is new or changed is looked into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from exstream.clock import Clock
from exstream.ffmpeg.probe_report import PROBE_VERSION
from exstream.jobs.board import Board, Job
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.describing import describe, key_of, notes_of
from exstream.jobs.journal import Journal, Remembered, notes_digest
from exstream.jobs.ports import Probing, Shelves
from exstream.local.walk import FoundFile, Walk, walk_folder
from exstream.model.catalogue import Item, ItemKey, Library, Media

SETTLED_MS = 5_000
"""A file that changed less than this ago may still be being copied: it waits for the next scan."""
KEPT_MS = 30 * 24 * 3_600_000
"""How long an item whose file has vanished keeps its place."""
_BATCH = 200

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ScanResult:
    """What a scan found out."""

    added: int = 0
    changed: int = 0
    missing: int = 0
    gone: int = 0
    waiting: int = 0
    """Files that are still being copied, it seems: scan again in some seconds."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Why files cannot be used, by their paths below the folder; those of earlier scans included."""
    faults: list[str] = field(default_factory=list)
    """One sentence for everything else that the user should know."""

    def __bool__(self) -> bool:
        """Tell whether the catalogue has changed."""
        return bool(self.added or self.changed or self.missing or self.gone)


@dataclass(slots=True)
class _Scan:
    """One scan under way."""

    library: Library
    walk: Walk
    journal: Journal
    known: dict[ItemKey, Item]
    result: ScanResult
    job: Job


class LibraryScanner:
    """Scans folder libraries; ``journals`` is the folder where it remembers files between scans."""

    def __init__(
        self,
        shelves: Shelves,
        catalogue: CatalogueHolder,
        prober: Probing,
        board: Board,
        clock: Clock,
        journals: Path,
    ) -> None:
        self._shelves = shelves
        self._catalogue = catalogue
        self._prober = prober
        self._board = board
        self._clock = clock
        self._journals = journals
        self._scanning = asyncio.Lock()
        self._told: dict[int, frozenset[str]] = {}

    async def scan(self, library: Library) -> ScanResult:
        """Bring the items of ``library`` up to date and return what was found.

        Raises StoreError when the database cannot be used; what is done by then is kept.
        """
        async with self._scanning:
            with self._board.job(f"scan {library.name}") as job:
                scan = await self._begin(library, job)
                await self._look_into(scan, self._to_do(scan))
                await self._miss(scan)
                await self._remember(scan)
                job.message = "; ".join([summary(scan.result), *scan.result.faults[:1]])
                self._tell(library, scan.result)
                return scan.result

    async def forget(self, library: Library) -> None:
        """Drop what is remembered of the files of a library that is removed."""
        await asyncio.to_thread(self._journal_path(library).unlink, missing_ok=True)

    def _tell(self, library: Library, result: ScanResult) -> None:
        """Log what changed, and every fault once for as long as it lasts."""
        if result:
            log.info("a library has changed", library=library.name, summary=summary(result))
        faults = frozenset((*result.faults, *result.unreadable.values()))
        for fault in sorted(faults - self._told.get(library.id, frozenset())):
            log.warning("not everything in a library can be used", library=library.name, reason=fault)
        self._told[library.id] = faults

    async def _begin(self, library: Library, job: Job) -> _Scan:
        job.message = f"looking through {library.path}"
        walk = await asyncio.to_thread(walk_folder, library.path)
        journal = await asyncio.to_thread(Journal.read, self._journal_path(library))
        catalogue = await self._catalogue.reload()
        prefix = key_of(library, "")
        known = {key: item for key, item in catalogue.items.items() if key.startswith(prefix)}
        return _Scan(library, walk, journal, known, ScanResult(faults=list(walk.faults)), job)

    def _to_do(self, scan: _Scan) -> list[FoundFile]:
        """Return the files that are new or have changed, and count those that had better wait."""
        to_do = []
        for file in scan.walk.media:
            before = scan.journal.files.get(file.path)
            item = scan.known.get(key_of(scan.library, file.path))
            if before and before.is_of(file):
                if before.fault:
                    scan.result.unreadable[file.path] = before.fault
                    continue
                same_notes = before.notes == notes_digest(notes_of(file, scan.walk))
                if item and not item.missing and same_notes and not _is_outdated(item):
                    continue
            elif 0 <= self._clock.now_ms() - file.mtime_ns // 1_000_000 < SETTLED_MS:
                scan.result.waiting += 1
                continue
            to_do.append(file)
        return to_do

    async def _look_into(self, scan: _Scan, files: Sequence[FoundFile]) -> None:
        """Take ``files`` into the catalogue, a batch at a time."""
        for start in range(0, len(files), _BATCH):
            items: list[Item] = []
            remembered: dict[str, Remembered] = {}
            async with aclosing(self._probed(scan, files[start : start + _BATCH])) as probed:
                async for file, media, fault in probed:
                    scan.job.progress(scan.job.done + 1, len(files), file.path)
                    if await asyncio.to_thread(_has_changed, scan.library, file):
                        scan.result.waiting += 1
                        continue
                    notes = notes_of(file, scan.walk)
                    remembered[file.path] = Remembered(file.size, file.mtime_ns, notes_digest(notes), fault)
                    if media is None:
                        scan.result.unreadable[file.path] = fault
                    else:
                        items.append(await self._item(scan, file, notes, media))
            await self._apply(scan, items, remembered)

    async def _probed(
        self, scan: _Scan, files: Sequence[FoundFile]
    ) -> AsyncGenerator[tuple[FoundFile, Media | None, str]]:
        """Yield each file with its media or the reason why it has none; what is known is not looked into again."""
        unknown: list[FoundFile] = []
        for file in files:
            before = scan.journal.files.get(file.path)
            item = scan.known.get(key_of(scan.library, file.path))
            if item and item.media and not _is_outdated(item) and before and before.is_of(file):
                yield file, _without_sidecars(item.media), ""
            else:
                unknown.append(file)
        paths = [str(Path(scan.library.path, file.path)) for file in unknown]
        found = self._prober.probe_all(paths)
        try:
            for file in unknown:
                probed = await anext(found)
                media, fault = probed.media, probed.fault
                if media and media.duration_ms <= 0:
                    media, fault = (
                        None,
                        f"{probed.path} does not say how long it is: remux it, to mkv for example",
                    )
                yield file, *self._kept(scan, file, media, fault)
        finally:
            if isinstance(found, AsyncGenerator):
                await found.aclose()

    def _kept(
        self, scan: _Scan, file: FoundFile, media: Media | None, fault: str
    ) -> tuple[Media | None, str]:
        """Stay with what an older probe found where a newer one fails at the very same file."""
        before = scan.journal.files.get(file.path)
        item = scan.known.get(key_of(scan.library, file.path))
        if media is None and item and item.media and before and before.is_of(file):
            return replace(_without_sidecars(item.media), probed=PROBE_VERSION), ""
        return media, fault

    async def _item(self, scan: _Scan, file: FoundFile, notes: Sequence[FoundFile], media: Media) -> Item:
        known = scan.known.get(key_of(scan.library, file.path))
        added_at = known.added_at if known else self._clock.now_ms()
        item, faults = await asyncio.to_thread(describe, scan.library, file, notes, media, added_at)
        if media.video is None:
            faults.append(f"{item.path} holds no picture: its sound airs over black")
        scan.result.faults += faults
        return item

    async def _apply(self, scan: _Scan, items: Sequence[Item], remembered: dict[str, Remembered]) -> None:
        if items:
            await self._shelves.apply(scan.library.id, items)
            await self._catalogue.reload()
        scan.journal.files.update(remembered)
        await self._remember(scan)
        added = sum(item.key not in scan.known for item in items)
        scan.result.added += added
        scan.result.changed += len(items) - added

    async def _miss(self, scan: _Scan) -> None:
        """Mark items whose file is not there any more, or can be used no longer; drop those that are long gone."""
        now = self._clock.now_ms()
        present = {file.path for file in scan.walk.media}
        missing: list[ItemKey] = []
        gone: list[str] = []
        for path in _vanished(scan, present):
            before = scan.journal.files.get(path) or Remembered(0, 0)
            since = before.missing_since or now
            scan.journal.files[path] = replace(before, missing_since=since)
            key = key_of(scan.library, path)
            if now - since >= KEPT_MS:
                gone.append(path)
            elif not scan.known[key].missing:
                missing.append(key)
        if missing or gone:
            keys = [key_of(scan.library, path) for path in gone]
            await self._shelves.apply(scan.library.id, (), missing=missing, gone=keys)
            await self._catalogue.reload()
        scan.result.missing, scan.result.gone = len(missing), len(gone)
        items = {key.removeprefix(key_of(scan.library, "")) for key in scan.known} - set(gone)
        scan.journal.forget(
            [
                path
                for path in scan.journal.files
                if not (path in present or path in items or scan.walk.is_unread(path))
            ]
        )

    async def _remember(self, scan: _Scan) -> None:
        try:
            await asyncio.to_thread(scan.journal.write)
        except OSError as fault:
            scan.result.faults.append(
                f"{self._journals} cannot be written ({fault.strerror or fault}): the next scan takes as long again"
            )

    def _journal_path(self, library: Library) -> Path:
        return self._journals / f"{library.id}.json"


def summary(result: ScanResult) -> str:
    """Return ``result`` in a line."""
    counts = {
        "new": result.added,
        "changed": result.changed,
        "missing": result.missing,
        "gone": result.gone,
        "unreadable": len(result.unreadable),
        "still being copied": result.waiting,
    }
    said = [f"{count} {name}" for name, count in counts.items() if count]
    return ", ".join(said) or "nothing has changed"


def _vanished(scan: _Scan, present: set[str]) -> list[str]:
    """Return the paths of known items that are surely not there, or are there and cannot be used."""
    paths = (key.removeprefix(key_of(scan.library, "")) for key in scan.known)
    return [
        path
        for path in paths
        if (path in scan.result.unreadable if path in present else not scan.walk.is_unread(path))
    ]


def _is_outdated(item: Item) -> bool:
    """Tell whether probes know to look for more than when the item was probed."""
    return item.media is not None and item.media.probed < PROBE_VERSION


def _without_sidecars(media: Media) -> Media:
    return replace(media, subtitles=tuple(subtitle for subtitle in media.subtitles if not subtitle.path))


def _has_changed(library: Library, file: FoundFile) -> bool:
    """Tell whether ``file`` is not as it was when the folder was walked."""
    try:
        status = Path(library.path, file.path).stat()
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns)
