"""Where an item's bytes are now: found in memory, with a look at the files of this machine now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exstream.clock import Clock
from exstream.errors import FileUnavailable, SourceUnavailable
from exstream.ffmpeg.reachable import Reachable
from exstream.model.catalogue import Catalogue, Item, ItemKey, Source
from exstream.sources.candidates import candidates, library_of
from exstream.sources.lookup import Lookup
from exstream.sources.titles import LibraryName, Titles

KEPT_SECONDS = 120.0
"""For how long it counts that a file could be read."""
SHORT_SECONDS = 5.0
"""For how long it counts that it could not: shares come back."""
LOOK_SECONDS = 0.5
"""How long a file of this machine is waited for where its server has it too."""
SIZE = 4_096

_Place = tuple[LibraryName, ItemKey]


@dataclass(frozen=True, slots=True)
class _Found:
    """The sources of an item by themselves, the one to play first. ``settled``: all files could be read."""

    item: Item | None
    sources: tuple[Source, ...]
    settled: bool


class Resolver:
    """Finds playable sources in the current catalogue. ``set_aside`` tells why a file may not be played, or nothing.

    ``count`` is told of each look-up whether it was known. Nothing here asks a database or a server.
    """

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        set_aside: Callable[[str], str],
        clock: Clock,
        count: Callable[[bool], None] = lambda _known: None,
    ) -> None:
        self._catalogue = catalogue
        self._set_aside = set_aside
        self._reachable = Reachable()
        self._titles = Titles()
        self._looks: set[asyncio.Task[bool]] = set()
        self._lookup: Lookup[_Place, _Found] = Lookup(self._look, _life, clock, size=SIZE, count=count)

    async def follow(self, catalogue: Catalogue) -> None:
        """Take over a new ``catalogue``: what is known of libraries that have changed is forgotten."""
        changed = await self._titles.follow(catalogue)
        self._lookup.drop(lambda place: place[0] in changed)

    async def resolve(self, item: ItemKey) -> Source:
        """Return where the item's bytes are, or raise `SourceUnavailable` when they are nowhere to be had.

        Its own versions come first, by policy, each from this machine if it can be read there, else from its server. An
        item that has left its library is replaced by another of the same title.
        """
        catalogue = self._catalogue()
        found = catalogue.items.get(item)
        if found is None or (found.missing and found.versions):
            for copy in await self.copies(item):
                return copy
        if found is None:
            raise SourceUnavailable(f"{item} is no longer in the library")
        sources = await self._of(found)
        if not sources:
            raise SourceUnavailable(f"{found.title} has no file on this machine, nor on a server")
        for source in sources:
            reason = self._set_aside(source.location)
            if not reason:
                return source
        raise SourceUnavailable(f"{sources[0].location} is set aside: {self._set_aside(sources[0].location)}")

    async def copies(self, item: ItemKey) -> Sequence[Source]:
        """Return other sources of the item's title: its own versions first, then those of other libraries."""
        catalogue = self._catalogue()
        await self.follow(catalogue)
        wanted = catalogue.items.get(item)
        own = list(await self._of(wanted)) if wanted is not None else []
        first = {source.location for source in own[:1]}
        if wanted is not None and wanted.missing:
            own = []
        wanted = wanted or self._titles.gone(item)
        if wanted is None:
            return ()
        for other in await self._titles.alike(wanted):
            own += await self._of(other)
        return [source for source in _distinct(own, first) if not self._set_aside(source.location)]

    async def _of(self, item: Item) -> tuple[Source, ...]:
        place = library_of(item), item.key
        found = await self._lookup.get(place)
        if found.item is not item and found.item != item:
            self._lookup.drop(lambda known: known == place)
            found = await self._lookup.get(place)
        return found.sources

    async def _look(self, place: _Place) -> _Found:
        """Look which of an item's files can be read here; what cannot is tried last, and soon looked at again."""
        item = self._catalogue().items.get(place[1])
        first: list[Source] = []
        later: list[Source] = []
        settled = True
        for candidate in candidates(item) if item is not None else ():
            here = candidate.file
            if here is None or candidate.server is None:
                first += [source for source in (here, candidate.server) if source]
            elif await self._is_readable(here):
                first.append(here)
                later.append(candidate.server)
            else:
                settled = False
                first.append(candidate.server)
        return _Found(item, (*first, *later), settled)

    async def _is_readable(self, source: Source) -> bool:
        """Look at all files of ``source``, not for long: folders that hang have threads of their own to wait in."""
        look = asyncio.ensure_future(self._looked(source))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)
        done, _ = await asyncio.wait({look}, timeout=LOOK_SECONDS)
        return look in done and look.result()

    async def _looked(self, source: Source) -> bool:
        try:
            for path in [reel.location for reel in source.reels] or [source.location]:
                await self._reachable.check(path)
        except FileUnavailable:
            return False
        return True


def _life(found: _Found) -> float:
    return KEPT_SECONDS if found.settled and found.sources else SHORT_SECONDS


def _distinct(sources: Sequence[Source], seen: set[str]) -> list[Source]:
    """Return ``sources`` without those at a location that has been before."""
    found = {source.location: source for source in reversed(sources) if source.location not in seen}
    return sorted(found.values(), key=sources.index)
