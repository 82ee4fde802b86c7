"""What becomes of each segment on a channel, until it is over and can be written into the as-run log."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from exstream.model.grid import Rate
from exstream.model.programme import AsRunEntry, Outcome, Segment, SegmentKind


@dataclass(slots=True)
class _Tally:
    first: int
    pictures: int = 0
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

    def aired(self, segment: Segment, pictures: int) -> None:
        """So many of its own pictures went out."""
        tally = self._tallies.get(segment)
        if tally is not None:
            tally.pictures += pictures

    def failed(self, segment: Segment, reason: str) -> int:
        """Its feed failed; returns how often by now."""
        tally = self._tallies.get(segment)
        if tally is None:
            return 1
        tally.failures += 1
        tally.reason = reason
        return tally.failures

    def close(
        self, picture: int, shift_ms: int, *, busy: Collection[Segment] = (), cut: bool = False
    ) -> None:
        """Note the segments that end before ``picture`` and are not ``busy``; with ``cut`` all that have begun."""
        for segment, tally in list(self._tallies.items()):
            end = self._rate.picture_at(segment.ends - shift_ms)
            if (picture < end or segment in busy) and not cut:
                continue
            del self._tallies[segment]
            last = min(end, picture)
            if tally.first < last:
                self._note(self._entry(segment, tally, last, shift_ms))

    def _entry(self, segment: Segment, tally: _Tally, last: int, shift_ms: int) -> AsRunEntry:
        outcome = Outcome.PARTLY
        if segment.kind is SegmentKind.CARD or tally.pictures >= last - tally.first:
            outcome = Outcome.AIRED
        elif not tally.pictures:
            outcome = Outcome.CARD
        began, ended = (round(self._rate.ms_at(picture)) + shift_ms for picture in (tally.first, last))
        return AsRunEntry(segment, began, ended, outcome, tally.reason)
