"""What is on at an instant: the published rows of one channel in memory, and their repair."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from exstream.model.catalogue import Catalogue, Item
from exstream.model.channel import ChannelDefinition, ChannelId, Order, Pool, Query
from exstream.model.programme import OFF_AIR, Cue, Cursor, Segment, SegmentKind
from exstream.schedule.civil import HOUR_MS, MINUTE_MS
from exstream.schedule.filler import fill, pack
from exstream.schedule.planner import SHORTEST_MS, air_title
from exstream.schedule.query import select
from exstream.schedule.rotation import Rotation

REPLAN_NOTICE_MS = 10 * MINUTE_MS
"""A row that starts sooner is not replanned: a viewer's guide may not follow in time."""


class Timeline:
    """The rows of one channel, sorted and immutable.

    Raises `ValueError` if rows overlap or belong to another channel.
    """

    def __init__(self, channel: ChannelId, rows: Iterable[Segment]) -> None:
        self.channel = channel
        self.rows = tuple(sorted(rows, key=lambda row: row.starts))
        for row in self.rows:
            if row.channel != channel:
                raise ValueError(f"a row of {row.channel} is not {channel}'s")
        for before, after in zip(self.rows, self.rows[1:], strict=False):
            if before.ends > after.starts:
                raise ValueError(f"{channel}: rows overlap at {after.starts}")
        self._starts = [row.starts for row in self.rows]

    @property
    def ends(self) -> int | None:
        """The first instant after the last row; None without rows."""
        return self.rows[-1].ends if self.rows else None

    def on_air(self, at_ms: int) -> Cue:
        """Return what is on at ``at_ms``; where nothing is published, a card up to the next row or for an hour."""
        at = bisect_right(self._starts, at_ms) - 1
        if at >= 0 and at_ms < self.rows[at].ends:
            row = self.rows[at]
            return Cue(row, at_ms - row.starts)
        empty_from = self.rows[at].ends if at >= 0 else 0
        starts = at_ms - (at_ms - empty_from) % HOUR_MS
        ends = starts + HOUR_MS
        if at + 1 < len(self.rows):
            ends = min(ends, self.rows[at + 1].starts)
        return Cue(Segment(self.channel, SegmentKind.CARD, starts, ends, title=OFF_AIR), at_ms - starts)

    def between(self, starts: int, ends: int) -> tuple[Segment, ...]:
        """Return the published rows that are on at any time in ``starts``..``ends`` (half open)."""
        if ends <= starts:
            return ()
        first = bisect_right(self._starts, starts) - 1
        if first < 0 or self.rows[first].ends <= starts:
            first += 1
        return self.rows[first : bisect_left(self._starts, ends)]

    def next_after(self, at_ms: int) -> Segment | None:
        """Return the first row that starts after ``at_ms``."""
        following = bisect_right(self._starts, at_ms)
        return self.rows[following] if following < len(self.rows) else None


@dataclass(frozen=True, slots=True)
class Replacement:
    """A published row and the rows that take exactly its place."""

    row: Segment
    by: tuple[Segment, ...]


def replan(
    rows: Iterable[Segment], catalogue: Catalogue, definition: ChannelDefinition, now_ms: int
) -> tuple[Replacement, ...]:
    """Replace the rows whose item is no longer in the catalogue and that start in ten minutes or more.

    An item that is only marked missing may come back and keeps its rows. Other programmes of the channel, filler and
    at last a card take the place; every other row stays as it is.
    """
    gone = [
        row
        for row in rows
        if row.item is not None
        and row.item not in catalogue.items
        and row.starts >= now_ms + REPLAN_NOTICE_MS
    ]
    if not gone:
        return ()
    programmes = [item for pool in definition.pools for item in _playable(pool, catalogue)]
    filler = _playable(definition.filler, catalogue) if definition.filler else ()
    return tuple(Replacement(row, tuple(_substitutes(row, programmes, filler, definition))) for row in gone)


def _substitutes(
    row: Segment, programmes: Sequence[Item], filler: Sequence[Item], definition: ChannelDefinition
) -> list[Segment]:
    """Return rows of exactly the span of ``row``: a programme that fits, if one was lost, then filler, then a card."""
    substitutes: list[Segment] = []
    starts = row.starts
    card_title = definition.name
    if row.kind is SegmentKind.PROGRAMME:
        fitting = [item for item in programmes if item.duration_ms <= row.ends - row.starts]
        if fitting:
            longest = max(item.duration_ms for item in fitting)
            alike = (item for item in fitting if 5 * item.duration_ms >= 4 * longest)
            item = min(alike, key=lambda item: (_lot(row, item), item.key))
            starts += item.duration_ms
            substitutes.append(replace(row, ends=starts, item=item.key, offset=0, title=air_title(item)))
        else:
            card_title = OFF_AIR
    rotation = Rotation(Pool("filler", Query(), Order.SHUFFLE), filler, f"{definition.id} {row.starts}")
    items, _ = pack(rotation, Cursor(), row.ends - starts)
    return substitutes + fill(row.channel, starts, row.ends, items, card_title)


def _playable(pool: Pool, catalogue: Catalogue) -> tuple[Item, ...]:
    return tuple(item for item in select(pool.query, catalogue) if item.duration_ms >= SHORTEST_MS)


def _lot(row: Segment, item: Item) -> bytes:
    """Return what decides among items that fit equally well: not always the same one, but always the same here."""
    return blake2b(f"{row.starts}\0{item.key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
