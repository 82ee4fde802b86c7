"""What stands in for an item that cannot be shown: another file of the same title, or filler. In memory alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind, Source
from exstream.model.channel import ChannelDefinition, ChannelId, Order, Pool, Query
from exstream.model.programme import Cursor, Segment
from exstream.playout.ports import Filling
from exstream.schedule.query import select
from exstream.schedule.rotation import Rotation

ALIKE = 0.1
"""By how much of its length another copy may differ: more is another cut, or another work of that name."""
SHORTEST_MS = 2_000
"""A filler that has less left than this is not begun; the next one is waited for."""
MOST_IN_A_SLOT = 20_000

Identity = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Titles:
    """The items of one catalogue by what they are."""

    version: str
    items: dict[Identity, list[Item]]

    @classmethod
    def of(cls, catalogue: Catalogue) -> _Titles:
        items: dict[Identity, list[Item]] = defaultdict(list)
        for item in catalogue.items.values():
            if item.path and not item.missing:
                items[identity(item)].append(item)
        return cls(catalogue.version, items)


class LibrarySubstitutes:
    """Finds substitutes in the current catalogue. ``set_aside`` tells why a file is not to be played, or nothing."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        definition: Callable[[ChannelId], ChannelDefinition | None],
        set_aside: Callable[[str], str],
    ) -> None:
        self._catalogue = catalogue
        self._definition = definition
        self._set_aside = set_aside
        self._titles = _Titles("", {})

    async def copies(self, item: ItemKey) -> Sequence[Source]:
        """Return the other files of the item's title, those closest to its length first."""
        catalogue = self._catalogue()
        wanted = catalogue.items.get(item)
        if wanted is None:
            return ()
        if self._titles.version != catalogue.version or not catalogue.version:
            # A large library takes some time: the event loop goes on meanwhile.
            self._titles = await asyncio.to_thread(_Titles.of, catalogue)
        alike = [
            other
            for other in self._titles.items.get(identity(wanted), ())
            if other.path != wanted.path
            and abs(other.duration_ms - wanted.duration_ms) <= ALIKE * wanted.duration_ms
            and not self._set_aside(other.path)
        ]
        alike.sort(key=lambda other: (abs(other.duration_ms - wanted.duration_ms), other.key))
        return [Source(other.path, other.media) for other in alike]

    async def filler(self, segment: Segment, at_ms: int, without: Collection[str] = ()) -> Filling | None:
        """Return what is on at ``at_ms`` when filler takes the place of ``segment``, or next."""
        catalogue, definition = self._catalogue(), self._definition(segment.channel)
        items = await asyncio.to_thread(_fillers, catalogue, definition)
        usable = [
            item
            for item in items
            if item.path not in without and item.key != segment.item and not self._set_aside(item.path)
        ]
        return filling(usable, segment, at_ms)


def identity(item: Item) -> Identity:
    """Return what two files of the same title have in common."""
    if item.show and item.season is not None and item.episode is not None:
        return item.kind, _plain(item.show), item.season, item.episode
    return item.kind, _plain(item.show), _plain(item.title), item.year


def filling(items: Sequence[Item], segment: Segment, at_ms: int) -> Filling | None:
    """Return which of ``items`` is on at ``at_ms``, or next, where they fill the slot of ``segment`` up to its end.

    They are laid out from the end backwards: whoever comes in the middle joins one that is under way, and the last
    one ends with the slot. The order is that of the channel, the slot and the items alone.
    """
    seed = f"{segment.channel} {segment.starts}"
    rotation = Rotation(Pool("substitute", Query(), Order.SHUFFLE), items, seed)
    ends = segment.ends
    latest: Filling | None = None
    for (item, _), _number in zip(rotation.take(Cursor()), range(MOST_IN_A_SLOT), strict=False):
        starts = ends - item.duration_ms
        this = Filling(Source(item.path, item.media), starts, ends, 0)
        if starts <= at_ms:
            return this if ends - at_ms >= SHORTEST_MS else latest
        latest, ends = this, starts
    return None


def _fillers(catalogue: Catalogue, definition: ChannelDefinition | None) -> list[Item]:
    """Return the channel's own fillers, else all that the library has."""
    own = select(definition.filler.query, catalogue) if definition and definition.filler else ()
    every = own or select(Query(kinds=(ItemKind.FILLER,)), catalogue)
    return [item for item in every if item.path and item.duration_ms >= SHORTEST_MS]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
