"""What becomes of each segment on a channel, until it is over and can be written into the as-run log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from exstream.model.asrun import AsRunEntry, Means, Outcome
from exstream.model.grid import Rate
from exstream.model.programme import Segment, SegmentKind
from exstream.model.recovery import Setback

KEPT_SETBACKS = 20
"""How many of a segment's setbacks are written down; all of them are counted."""
SHORT = "its pictures came late, or ended before it did"
"""Why a segment did not air whole though nothing failed."""


@dataclass(slots=True)
class _Tally:
    first: int
    pictures: Counter[Means] = field(default_factory=Counter)
    drift_ms: int | None = None
    setbacks: list[Setback] = field(default_factory=list)
    failures: int = 0
    reason: str = ""


class Tallies:
    """Counts for the segments of one channel; ``note`` takes the entry of each one when it is over."""

    def __init__(self, rate: Rate, note: Callable[[AsRunEntry], None]) -> None:
        self._rate = rate
        self._note = note
        self._tallies: dict[Segment, _Tally] = {}

    def begin(self, segment: Segment, picture: int) -> None:
        """A segment comes on, from ``picture`` on, unless it is on already."""
        self._tallies.setdefault(segment, _Tally(picture))

    def aired(self, segment: Segment, pictures: int, means: Means, drift_ms: int | None = None) -> None:
        """So many pictures went out in its time; ``drift_ms`` is that of the first one, where they are its own."""
        tally = self._tallies.get(segment)
        if tally is None or not pictures:
            return
        tally.pictures[means] += pictures
        if tally.drift_ms is None:
            tally.drift_ms = drift_ms

    def failed(self, segment: Segment, setback: Setback) -> int:
        """A step did not help; returns how many have failed by now."""
        tally = self._tallies.get(segment)
        if tally is None:
            return 1
        tally.failures += 1
        tally.reason = setback.reason
        if len(tally.setbacks) < KEPT_SETBACKS:
            tally.setbacks.append(setback)
        return tally.failures

    def close(
        self, picture: int, shift_ms: int, *, busy: Collection[Segment] = (), cut: bool = False
    ) -> list[Segment]:
        """Note the segments that end before ``picture`` and are not ``busy``; with ``cut`` all that have begun.

        Returns the segments that are over.
        """
        over = []
        for segment, tally in list(self._tallies.items()):
            end = self._rate.picture_at(segment.ends - shift_ms)
            if (picture < end or segment in busy) and not cut:
                continue
            del self._tallies[segment]
            over.append(segment)
            last = min(end, picture)
            if tally.first < last:
                self._note(self._entry(segment, tally, last, shift_ms))
        return over

    def _entry(self, segment: Segment, tally: _Tally, last: int, shift_ms: int) -> AsRunEntry:
        count = last - tally.first
        if segment.kind is SegmentKind.CARD:
            tally.pictures[Means.CARD] = count
        began, ended = (round(self._rate.ms_at(picture)) + shift_ms for picture in (tally.first, last))
        outcome = _outcome(segment, tally, count)
        return AsRunEntry(
            segment,
            began,
            ended,
            outcome,
            tally.reason or ("" if outcome is Outcome.AIRED else SHORT),
            tally.drift_ms,
            _means(tally),
            count,
            max(0, count - sum(tally.pictures.values()) + tally.pictures[Means.CARD]),
            tuple(_at_schedule_time(setback, shift_ms) for setback in tally.setbacks),
            tally.failures,
        )


def _outcome(segment: Segment, tally: _Tally, count: int) -> Outcome:
    filler = tally.pictures[Means.FILLER]
    own = sum(tally.pictures.values()) - filler - tally.pictures[Means.CARD]
    if segment.kind is SegmentKind.CARD or own >= count:
        return Outcome.AIRED
    if own:
        return Outcome.PARTLY
    return Outcome.FILLER if filler else Outcome.CARD


def _means(tally: _Tally) -> Means:
    """Return what most pictures came from, the item's own before any other."""
    substitutes = {Means.FILLER, Means.CARD}
    own = {means: count for means, count in tally.pictures.items() if means not in substitutes and count}
    if own:
        return max(own, key=lambda means: own[means])
    return Means.FILLER if tally.pictures[Means.FILLER] else Means.CARD


def _at_schedule_time(setback: Setback, shift_ms: int) -> Setback:
    spawned = setback.spawned + shift_ms if setback.spawned else 0
    return replace(setback, at=setback.at + shift_ms, spawned=spawned)
