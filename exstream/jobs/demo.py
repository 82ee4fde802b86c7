"""The demo library: catalogued whole at once, made in the background in the order in which it goes on air.

A published timeline must not lie, so every clip has to exist before its time comes. The clips of `OPENING` and the
fillers take a few seconds and are made before anything is published; the shipped channels open with them, which gives
the rest its time; and the rest is made in the order that `DemoLibrary.prioritise` is told.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.ffmpeg.probe_report import PROBE_VERSION
from exstream.jobs.board import Board, Job
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.demo_clip import ClipMaker, ClipNotMade, DiskRefuses
from exstream.jobs.demo_manifest import CLIPS, FILLERS, OPENING, Clip
from exstream.jobs.ports import Shelves
from exstream.model.catalogue import Item, ItemKey, ItemKind, Library, LibraryKind, Media

NAME = "Demo"
"""What pools call the library."""
AT_ONCE = 2
NICE = 15
RETRY_SECONDS = 15.0
ATTEMPTS = 3

log = structlog.get_logger(__name__)


def key_of(clip: Clip) -> ItemKey:
    """Return the identity of the item that ``clip`` is."""
    return f"local:demo/{clip.slug}"


class DemoLibrary:
    """Installs and makes the clips of the manifest in ``folder``."""

    def __init__(
        self,
        folder: Path,
        maker: ClipMaker,
        shelves: Shelves,
        catalogue: CatalogueHolder,
        board: Board,
        clock: Clock,
        clips: tuple[Clip, ...] = CLIPS,
    ) -> None:
        self._folder = folder
        self._maker = maker
        self._shelves = shelves
        self._catalogue = catalogue
        self._board = board
        self._clock = clock
        self._clips = {key_of(clip): clip for clip in clips}
        self._waiting = dict(self._clips)
        """What is not yet made, in the order in which it will be."""
        self._outdated: dict[ItemKey, Clip] = {}
        """What an older probe has looked into."""
        self._failures: Counter[ItemKey] = Counter()
        self._library_id = 0

    def waiting(self) -> tuple[ItemKey, ...]:
        """Return what is not yet made, in the order in which it will be."""
        return tuple(self._waiting)

    def opening(self) -> tuple[ItemKey, ...]:
        """Return what must exist before channels are first published: the opening clips, then the fillers."""
        return tuple(key for clip in (*OPENING, *FILLERS) if (key := key_of(clip)) in self._clips)

    async def install(self) -> Library:
        """Catalogue every clip, whether it is made or not, and find out which ones are. Raises StoreError."""
        library = await self._shelves.add_library(LibraryKind.DEMO, NAME, str(self._folder))
        self._library_id = library.id
        await self._maker.clear()
        known = await self._catalogue.reload()
        items = [await self._found(key, clip, known.items.get(key)) for key, clip in self._clips.items()]
        gone = [key for key, item in known.items.items() if item.library == NAME and key not in self._clips]
        await self._shelves.apply(library.id, items, gone=gone)
        for other in await self._shelves.libraries():
            # The data directory has moved: its items are ours by now, the old library is empty.
            if other.kind is LibraryKind.DEMO and other.id != library.id:
                await self._shelves.remove_library(other.id)
        await self._catalogue.reload()
        return library

    def prioritise(self, keys: Iterable[ItemKey]) -> None:
        """Make ``keys`` next, in this order; keys of other libraries and of finished clips are passed over."""
        first = {key: self._waiting[key] for key in keys if key in self._waiting}
        self._waiting = {**first, **self._waiting}

    async def make_opening(self) -> None:
        """Make what `opening` names, at full speed; returns when it exists, having waited for a full disk."""
        wanted = [key for key in self.opening() if key in self._waiting]
        if wanted:
            self.prioritise(wanted)
            await self._make("demo library: opening clips", frozenset(wanted), nice=0)

    async def run(self) -> None:
        """Make everything that is not yet made, at low priority; returns when there is nothing left to do."""
        await self._look_again()
        if self._waiting:
            await self._make("demo library", frozenset(self._waiting), nice=NICE)

    async def _found(self, key: ItemKey, clip: Clip, kept: Item | None) -> Item:
        """Return the item of ``clip``; a file that is there is looked into unless it was before."""
        item = self._item(key, clip, kept.added_at if kept else self._clock.now_ms())
        path = self._maker.path(clip)
        modified = await asyncio.to_thread(_modified_ms, path)
        if not modified:
            return item
        if kept and kept.media and kept.updated_at == modified and not kept.missing:
            media = kept.media
            if media.probed < PROBE_VERSION:
                self._outdated[key] = clip
        else:
            try:
                media = await self._maker.verified(clip)
            except ClipNotMade:
                return item  # whatever lies there is made anew
        del self._waiting[key]
        return replace(item, media=media, updated_at=modified)

    async def _look_again(self) -> None:
        """Look into what an older probe has looked into; what cannot be read is left as it is."""
        while self._outdated:
            key, clip = self._outdated.popitem()
            with suppress(ClipNotMade, StoreError):
                await self._keep(key, clip, await self._maker.verified(clip))

    def _item(self, key: ItemKey, clip: Clip, added_at: int) -> Item:
        return Item(
            key,
            clip.kind,
            clip.title,
            clip.duration_ms,
            NAME,
            show=clip.show,
            season=1 if clip.kind is ItemKind.EPISODE else None,
            episode=clip.episode or None,
            year=clip.year,
            summary=clip.summary,
            genres=clip.genres,
            path=str(self._maker.path(clip)),
            added_at=added_at,
            updated_at=added_at,
        )

    async def _make(self, name: str, wanted: frozenset[ItemKey], nice: int) -> None:
        """Make ``wanted``, a few at a time, with progress on the board."""
        with self._board.job(name) as job:
            job.progress(0, len(wanted))
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._work(job, wanted, nice))

    async def _work(self, job: Job, wanted: frozenset[ItemKey], nice: int) -> None:
        while (key := next((key for key in self._waiting if key in wanted), None)) is not None:
            clip = self._waiting.pop(key)
            job.progress(job.done, job.total, clip.title)
            try:
                await self._keep(key, clip, await self._maker.make(clip, nice=nice))
            except (DiskRefuses, StoreError) as fault:
                self._waiting = {key: clip, **self._waiting}
                job.message = str(fault)
                log.warning("the demo library waits", reason=str(fault))
                await self._clock.sleep(RETRY_SECONDS)
            except ClipNotMade as fault:
                job.message = str(fault)
                log.warning("a demo clip was not made", reason=str(fault))
                await self._put_off(key, clip)
            else:
                job.progress(job.done + 1, job.total, clip.title)

    async def _put_off(self, key: ItemKey, clip: Clip) -> None:
        """Try again after everything else; a clip that cannot be made is taken out of planning."""
        self._failures[key] += 1
        if self._failures[key] < ATTEMPTS:
            self._waiting[key] = clip
            return
        await self._shelves.apply(self._library_id, (), missing=[key])
        await self._catalogue.reload()

    async def _keep(self, key: ItemKey, clip: Clip, media: Media) -> None:
        modified = await asyncio.to_thread(_modified_ms, self._maker.path(clip))
        kept = self._catalogue.current.items.get(key)
        added = kept.added_at if kept else self._clock.now_ms()
        item = replace(self._item(key, clip, added), media=media, updated_at=modified)
        await self._shelves.apply(self._library_id, [item])
        await self._catalogue.reload()


def _modified_ms(path: Path) -> int:
    """Return when ``path`` was last changed in UTC epoch milliseconds, 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0
