"""One broadcast day of one channel: whole programmes back to back or on a grid, with filler in the gaps.

A day is a pure function of its arguments. The cursors it returns are the next day's; a published day is a
checkpoint of the fold over all days, so planning goes on from there as if it had never stopped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate, islice
from types import MappingProxyType
from zoneinfo import ZoneInfo

from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind
from exstream.model.channel import ChannelDefinition, Pool
from exstream.model.programme import OFF_AIR, Cursor, Cursors, DaySchedule, Segment, SegmentKind
from exstream.schedule.civil import HOUR_MS, day_bounds, day_of, grid_at_or_after
from exstream.schedule.filler import fill, pack
from exstream.schedule.query import select
from exstream.schedule.rotation import Rotation

__all__ = ["EMPTY", "SHORTEST_MS", "TURN", "Planner", "Taken", "day_bounds", "day_of", "plan_day"]

Taken = Mapping[ItemKey, Sequence[tuple[int, int]]]
"""When items are on other channels: UTC milliseconds, half open, in any order."""
EMPTY: Taken = MappingProxyType({})

TURN = "@turn"
"""The cursor that holds whose turn it is."""
SHORTEST_MS = 1_000
"""Shorter items are not scheduled: a day of them would be a list without an end."""
_LONGEST_OVERRUN_MS = 12 * HOUR_MS
"""How far the last programme may run into the next day; it is cut there."""
_FARTHEST_START_MS = 72 * HOUR_MS
_LOOK_AHEAD = 50
"""How many items are looked at for one that is not on another channel."""


def plan_day(
    definition: ChannelDefinition,
    catalogue: Catalogue,
    day: date,
    starts: int | None,
    cursors: Cursors,
    taken: Taken = EMPTY,
) -> DaySchedule:
    """Plan broadcast day ``day`` from ``starts`` on, where the day before ended (None: from the day's own beginning).

    The last programme may run over the end. A day has an hour of rows at least, even if the one before took all of
    it. Raises `ValueError` if ``starts`` lies days before the day.
    """
    return Planner(definition, catalogue).day(day, starts, cursors, taken)


def air_title(item: Item) -> str:
    """Return what the guide calls ``item``: an episode by its show."""
    return (item.show if item.kind is ItemKind.EPISODE else "") or item.title


class Planner:
    """Plans any number of days of one channel from one catalogue; the pools are selected and sorted once."""

    def __init__(self, definition: ChannelDefinition, catalogue: Catalogue) -> None:
        self.definition = definition
        self.zone = ZoneInfo(definition.timezone)
        self.rotations = {pool.name: self._rotation(pool, catalogue) for pool in definition.pools}
        self.filler = self._rotation(definition.filler, catalogue) if definition.filler else None

    def day(self, day: date, starts: int | None, cursors: Cursors, taken: Taken = EMPTY) -> DaySchedule:
        """Plan one day; see `plan_day`."""
        begins, ends = day_bounds(self.definition, day)
        now = begins if starts is None else starts
        if now < begins - _FARTHEST_START_MS:
            raise ValueError(f"{self.definition.id} {day}: the day before cannot have ended at {now}")
        plan = _Plan(self, now, cursors, taken)
        plan.run(max(ends, now + HOUR_MS))
        return DaySchedule(self.definition.id, day, tuple(plan.segments), plan.cursors())

    def _rotation(self, pool: Pool, catalogue: Catalogue) -> Rotation:
        items = [item for item in select(pool.query, catalogue) if item.duration_ms >= SHORTEST_MS]
        return Rotation(pool, items, self.definition.seed or self.definition.id)


class _Plan:
    """A day in the making."""

    def __init__(self, planner: Planner, now: int, cursors: Cursors, taken: Taken) -> None:
        self._definition = planner.definition
        self._zone = planner.zone
        self._rotations = planner.rotations
        self._filler = planner.filler
        self._pools = [pool for pool in planner.definition.pools if planner.rotations[pool.name].items]
        self._upcoming = {pool.name: self._stream(pool, cursors) for pool in self._pools}
        self._cursors = dict(cursors)
        self._elsewhere = _Elsewhere(taken)
        self._now = now
        self.segments: list[Segment] = []

    def run(self, ends: int) -> None:
        """Plan from now until ``ends``."""
        latest = ends + _LONGEST_OVERRUN_MS
        while self._now < ends:
            if not self._pools:
                self._add_gap(min(self._now + HOUR_MS, ends), OFF_AIR)
                continue
            if self._definition.align_minutes:
                grid = grid_at_or_after(self._zone, self._definition.align_minutes, self._now)
                self._add_gap(grid, self._definition.name)
            if self._now < ends:
                self._add_programme(latest)

    def cursors(self) -> Cursors:
        """Return where every pool of the definition stands now."""
        named = {TURN, *self._rotations}
        if self._definition.filler:
            named.add(self._definition.filler.name)
        return {name: cursor for name, cursor in self._cursors.items() if name in named}

    def _add_programme(self, latest: int) -> None:
        pool = self._in_turn()
        item = self._choose(pool)
        ends = min(self._now + item.duration_ms, latest)
        channel = self._definition.id
        self._add([Segment(channel, SegmentKind.PROGRAMME, self._now, ends, item.key, 0, air_title(item))])

    def _add_gap(self, ends: int, card_title: str) -> None:
        """Fill the time up to ``ends``."""
        if ends <= self._now:
            return
        items: list[Item] = []
        if self._filler and self._definition.filler:
            name = self._definition.filler.name
            cursor = self._cursors.get(name, Cursor())
            items, self._cursors[name] = pack(self._filler, cursor, ends - self._now, self._last_item())
        self._add(fill(self._definition.id, self._now, ends, items, card_title))

    def _add(self, segments: Sequence[Segment]) -> None:
        self.segments += segments
        self._now = self.segments[-1].ends

    def _in_turn(self) -> Pool:
        """Return the pool whose turn it is, and count the turn."""
        turn = self._cursors.get(TURN, Cursor())
        names = [pool.name for pool in self._definition.pools]
        at = names.index(turn.after) if turn.after in names else -1
        if (
            at >= 0
            and self._definition.pools[at] in self._pools
            and turn.cycle < self._definition.pools[at].count
        ):
            self._cursors[TURN] = Cursor(turn.cycle + 1, turn.after)
            return self._definition.pools[at]
        following = [*self._definition.pools[at + 1 :], *self._definition.pools[: at + 1]]
        pool = next(pool for pool in following if pool in self._pools)
        self._cursors[TURN] = Cursor(1, pool.name)
        return pool

    def _choose(self, pool: Pool) -> Item:
        """Return the next item of ``pool``: the first that is not on another channel meanwhile, if there is one.

        The items passed over are given up for this cycle: they are on elsewhere at the very time.
        """
        last = self._last_item()
        size = len(self._rotations[pool.name].items)
        passed_over: list[tuple[Item, Cursor]] = []
        for item, cursor in islice(self._upcoming[pool.name], min(_LOOK_AHEAD, size)):
            again = item.key == last and size > 1
            if not again and not self._elsewhere.overlaps(item.key, self._now, self._now + item.duration_ms):
                self._cursors[pool.name] = cursor
                return item
            passed_over.append((item, cursor))
        item, self._cursors[pool.name] = passed_over[0]
        self._upcoming[pool.name] = self._stream(pool, self._cursors)
        return item

    def _stream(self, pool: Pool, cursors: Cursors) -> Iterator[tuple[Item, Cursor]]:
        return self._rotations[pool.name].take(cursors.get(pool.name, Cursor()))

    def _last_item(self) -> ItemKey | None:
        return self.segments[-1].item if self.segments else None


class _Elsewhere:
    """Answers whether an item is on another channel during an interval."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._sorted: dict[ItemKey, tuple[list[int], list[int]]] = {}

    def overlaps(self, item: ItemKey, starts: int, ends: int) -> bool:
        if item not in self._taken:
            return False
        if item not in self._sorted:
            intervals = sorted(self._taken[item])
            latest_ends = accumulate((end for _, end in intervals), max)
            self._sorted[item] = [start for start, _ in intervals], list(latest_ends)
        begins, latest = self._sorted[item]
        before = bisect_left(begins, ends)
        return before > 0 and latest[before - 1] > starts
