"""What stands in for an item that cannot be shown: another file of the same title, or filler. In memory alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind, Source
from exstream.model.channel import ChannelDefinition, ChannelId, Order, Pool, Query
from exstream.model.programme import Cursor, Segment
from exstream.playout.ports import Filling
from exstream.schedule.query import select
from exstream.schedule.rotation import Rotation
from exstream.sources.candidates import first_choice

SHORTEST_MS = 2_000
"""A filler that has less left than this is not begun; the next one is waited for."""
MOST_IN_A_SLOT = 20_000


class LibrarySubstitutes:
    """Finds substitutes in the current catalogue. ``set_aside`` tells why a file is not to be played, or nothing.

    ``others`` returns the other sources of an item's title.
    """

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        definition: Callable[[ChannelId], ChannelDefinition | None],
        set_aside: Callable[[str], str],
        others: Callable[[ItemKey], Awaitable[Sequence[Source]]],
    ) -> None:
        self._catalogue = catalogue
        self._definition = definition
        self._set_aside = set_aside
        self._others = others

    async def copies(self, item: ItemKey) -> Sequence[Source]:
        """Return the other sources of the item's title."""
        return await self._others(item)

    async def filler(self, segment: Segment, at_ms: int, without: Collection[str] = ()) -> Filling | None:
        """Return what is on at ``at_ms`` when filler takes the place of ``segment``, or next."""
        catalogue, definition = self._catalogue(), self._definition(segment.channel)
        items = await asyncio.to_thread(_fillers, catalogue, definition)
        usable = [
            item
            for item in items
            if (source := first_choice(item)) is not None
            and source.location not in without
            and item.key != segment.item
            and not self._set_aside(source.location)
        ]
        return filling(usable, segment, at_ms)


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
        source = first_choice(item)
        if source is None:
            continue
        this = Filling(source, starts, ends, 0)
        if starts <= at_ms:
            return this if ends - at_ms >= SHORTEST_MS else latest
        latest, ends = this, starts
    return None


def _fillers(catalogue: Catalogue, definition: ChannelDefinition | None) -> list[Item]:
    """Return the channel's own fillers, else all that the library has."""
    own = select(definition.filler.query, catalogue) if definition and definition.filler else ()
    every = own or select(Query(kinds=(ItemKind.FILLER,)), catalogue)
    return [item for item in every if first_choice(item) and item.duration_ms >= SHORTEST_MS]
