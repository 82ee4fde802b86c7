"""Where planning goes on, and what else it must know: pure answers for the publisher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from exstream.model.catalogue import ItemKey
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.model.programme import Cursor, Cursors, DaySchedule, Segment, SegmentKind
from exstream.schedule.civil import MINUTE_MS, grid_at_or_after
from exstream.schedule.planner import TURN, Planner, day_bounds, day_of
from exstream.schedule.timetable import Replacement

LONGEST_OVERRUN_MS = 12 * 60 * MINUTE_MS
"""How far a day's last programme may run into the next one."""
_LOOK_AHEAD = 60
_ROWS_PER_RUN = 2_000


class Published(Protocol):
    """The last day on the record."""

    @property
    def day(self) -> date:
        """Its local civil date."""

    @property
    def ends(self) -> int:
        """The first instant after it."""

    @property
    def cursors(self) -> Cursors:
        """What the next day starts from."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where planning goes on: a day, the instant it begins at, and the cursors it starts from."""

    day: date
    starts: int
    cursors: Cursors


@dataclass(frozen=True, slots=True)
class Change:
    """What a replanned channel no longer airs from ``at_ms`` on, and what it airs instead."""

    channel: ChannelId
    at_ms: int
    removed: tuple[Segment, ...]
    added: tuple[Segment, ...]

    @classmethod
    def between(
        cls, channel: ChannelId, at_ms: int, before: Iterable[Segment], after: Iterable[Segment]
    ) -> Change:
        """Compare two sequences of rows."""
        old, new = tuple(before), tuple(after)
        kept = {*old} & {*new}
        return cls(
            channel,
            at_ms,
            tuple(row for row in old if row not in kept),
            tuple(row for row in new if row not in kept),
        )


def next_place(definition: ChannelDefinition, latest: Published | None, now_ms: int) -> Place:
    """Return where the next day of a channel begins: where the last one ended, unless that was days ago."""
    if latest is not None and latest.ends >= day_bounds(definition, day_of(definition, now_ms))[0]:
        return Place(latest.day + timedelta(days=1), latest.ends, latest.cursors)
    starts = _opening(definition, now_ms)
    if latest is None:
        return Place(day_of(definition, starts), starts, {})
    starts = max(starts, latest.ends)
    return Place(max(day_of(definition, starts), latest.day + timedelta(days=1)), starts, latest.cursors)


def _opening(definition: ChannelDefinition, now_ms: int) -> int:
    """Return the last minute, or the last instant of the channel's grid, that is not after now."""
    step = (definition.align_minutes or 1) * MINUTE_MS
    if not definition.align_minutes:
        return now_ms // MINUTE_MS * MINUTE_MS
    return grid_at_or_after(ZoneInfo(definition.timezone), definition.align_minutes, now_ms - step + 1)


def cursors_after(planner: Planner, cursors: Cursors, aired: Iterable[Segment]) -> Cursors:
    """Return where the orders stand when ``aired`` has followed ``cursors``: a day is taken over in its middle.

    Rows of another definition, or of items that are gone, leave the orders where they are.
    """
    standing = dict(cursors)
    for row in aired:
        if row.item is None:
            continue
        for name in _pools_of(planner, row):
            taken = planner.rotations[name] if row.kind is SegmentKind.PROGRAMME else planner.filler
            if taken is None:
                continue
            upcoming = islice(taken.take(standing.get(name, Cursor())), _LOOK_AHEAD)
            found = next((cursor for item, cursor in upcoming if item.key == row.item), None)
            if found is not None:
                standing[name] = found
                if row.kind is SegmentKind.PROGRAMME:
                    turn = standing.get(TURN, Cursor())
                    standing[TURN] = Cursor(turn.cycle + 1 if turn.after == name else 1, name)
                break
    return standing


def _pools_of(planner: Planner, row: Segment) -> Iterator[str]:
    if row.kind is SegmentKind.PROGRAMME:
        yield from (pool.name for pool in planner.definition.pools)
    elif planner.definition.filler is not None:
        yield planner.definition.filler.name


def airs_programmes(planner: Planner) -> bool:
    """Tell whether any of the channel's pools has an item."""
    return any(planner.rotations[pool.name].items for pool in planner.definition.pools)


def taken_elsewhere(
    rows: Mapping[ChannelId, Sequence[Segment]], planner: Planner
) -> dict[ItemKey, list[tuple[int, int]]]:
    """Return when the channel's own items are on other channels, as `Planner.day` wants to know it."""
    own = {item.key for rotation in planner.rotations.values() for item in rotation.items}
    taken: dict[ItemKey, list[tuple[int, int]]] = {}
    for channel, segments in rows.items():
        if channel == planner.definition.id:
            continue
        for row in segments:
            if row.item is not None and row.item in own:
                taken.setdefault(row.item, []).append((row.starts, row.ends))
    return taken


def day_span(definition: ChannelDefinition, place: Place) -> tuple[int, int]:
    """Return the instants between which the day at ``place`` may have rows."""
    return place.starts, max(day_bounds(definition, place.day)[1], place.starts) + LONGEST_OVERRUN_MS


def draft(
    planner: Planner,
    rows: Mapping[ChannelId, Sequence[Segment]],
    place: Place,
    until: int,
) -> list[DaySchedule]:
    """Plan whole days from ``place`` until at least ``until``; ``rows`` are what the other channels air."""
    taken = taken_elsewhere(rows, planner)
    days: list[DaySchedule] = []
    while not days or place.starts < until:
        planned = planner.day(place.day, place.starts, place.cursors, taken)
        days.append(planned)
        place = Place(place.day + timedelta(days=1), planned.ends, planned.cursors)
    return days


def substituted(
    rows: Sequence[Segment], replacements: Sequence[Replacement]
) -> Iterator[tuple[list[Segment], list[Segment]]]:
    """Yield runs of published rows without a gap, and what takes their place: few writes for many replacements."""
    by_start = {replacement.row.starts: replacement.by for replacement in replacements}
    old: list[Segment] = []
    new: list[Segment] = []
    for row in rows:
        if old and (old[-1].ends != row.starts or len(old) >= _ROWS_PER_RUN):
            if old != new:
                yield old, new
            old, new = [], []
        substitutes = by_start.get(row.starts)
        if not old and substitutes is None:
            continue
        old.append(row)
        new.extend((row,) if substitutes is None else substitutes)
    if old != new:
        yield old, new
