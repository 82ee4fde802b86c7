"""Looks into the files of servers that nobody has looked into, those that air soonest first.

A server tells what tracks a file has, but not how its pictures run: until that is known they are encoded, even where
they could be sent as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import NoReturn, Protocol

import structlog

from exstream.clock import Clock
from exstream.errors import OutboundError, StoreError, UnreadableMedia
from exstream.ffmpeg.probe_report import PROBE_VERSION
from exstream.jobs.catalogue import CatalogueHolder
from exstream.model.catalogue import Catalogue, Item, ItemKey, Media, Part
from exstream.sources.candidates import candidates

ROUND_SECONDS = 30.0
BATCH = 20
"""After so many files what was found is kept, and the catalogue read anew."""
AGAIN_SECONDS = 60.0
"""When a server that did not answer is asked again."""
_PAUSE = 0.2
"""Between two files, in seconds: encoders need the machine more."""

log = structlog.get_logger(__name__)

Order = Callable[[Collection[ItemKey]], Awaitable[Sequence[ItemKey]]]
"""Returns those of some items that air soon, the soonest first."""
Probe = Callable[[str, ItemKey], Awaitable[Media]]
"""Looks into a file of this machine or of a server."""


class Findings(Protocol):
    """Where it is kept what is in files."""

    async def describe_parts(self, found: Mapping[ItemKey, Mapping[str, Media]]) -> int:
        """Keep what is in the files of items, by the address of each; return how many items have changed."""


class Inspection:
    """Looks into one file after the other: what airs soon first, then what lies on this machine."""

    def __init__(
        self, findings: Findings, catalogue: CatalogueHolder, probe: Probe, order: Order, clock: Clock
    ) -> None:
        self._findings = findings
        self._catalogue = catalogue
        self._probe = probe
        self._order = order
        self._clock = clock
        self._failed: dict[tuple[ItemKey, str, int], float] = {}
        """Until when files are left alone that could not be looked into, as they were then, in air time."""

    async def run(self) -> NoReturn:
        """Look for ever; a database that fails is asked again in the next round."""
        while True:
            try:
                while await self.batch():
                    await self._clock.sleep(_PAUSE)
            except StoreError as fault:
                log.warning("what is in files cannot be kept", reason=str(fault))
            await self._clock.sleep(ROUND_SECONDS)

    async def batch(self) -> int:
        """Look into the next files and keep what is in them; return how many there were."""
        items = await asyncio.to_thread(self._due, self._catalogue.current, self._clock.air())
        here = (key for key, item in items.items() if item.path)
        chosen = [items[key] for key in dict.fromkeys((*await self._order(items), *here))][:BATCH]
        found: dict[ItemKey, dict[str, Media]] = {}
        for item in chosen:
            media = await self._look(item)
            if media is not None:
                found[item.key] = {_part(item).key: media}
            await self._clock.sleep(_PAUSE)
        if found and await self._findings.describe_parts(found):
            await self._catalogue.reload()
        return len(chosen)

    def _due(self, catalogue: Catalogue, now: float) -> dict[ItemKey, Item]:
        """Return what is to be looked into at ``now``; of a large library that takes some time."""
        return {
            item.key: item for item in unknown(catalogue) if self._failed.get(self._mark(item), now) <= now
        }

    async def _look(self, item: Item) -> Media | None:
        """Return what is in the first version of ``item``, here or on its server; None where nobody can tell now.

        A file that is no media stays as it is until it changes; a server that does not answer is asked again.
        """
        first, wait = candidates(item)[0], inf
        for source in (first.file, first.server):
            if source is None:
                continue
            try:
                media = await self._probe(source.location, item.key)
            except OutboundError as fault:
                wait = AGAIN_SECONDS
                log.debug("a file is looked into later", source=source.location, reason=str(fault))
            except UnreadableMedia as fault:
                log.info(
                    "a file of a server cannot be looked into", source=source.location, reason=str(fault)
                )
            else:
                return _completed(media, _part(item).media)
        self._failed[self._mark(item)] = self._clock.air() + wait
        return None

    @staticmethod
    def _mark(item: Item) -> tuple[ItemKey, str, int]:
        part = _part(item)
        return item.key, part.key, part.size


def unknown(catalogue: Catalogue) -> Iterable[Item]:
    """Yield the items of servers whose one file nobody here has looked into; several in a row are always encoded."""
    for item in catalogue.items.values():
        if item.missing or not item.versions or len(item.versions[0].parts) != 1:
            continue
        media = _part(item).media
        if media is None or media.probed < PROBE_VERSION:
            yield item


def _part(item: Item) -> Part:
    return item.versions[0].parts[0]


def _completed(media: Media, told: Media | None) -> Media:
    """Return what a probe found, with the subtitles that its server has beside the file."""
    beside = tuple(subtitle for subtitle in told.subtitles if subtitle.path) if told is not None else ()
    return replace(media, subtitles=(*media.subtitles, *beside))
