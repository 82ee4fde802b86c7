"""The pictures in the order they are shown: one after the other, at the stream's own rate."""

from __future__ import annotations

import heapq
from statistics import fmean, median_low

from exstream.model.grid import CLOCK_HZ, Rate
from exstream.mpegts.conformance.findings import Kind, Ledger

TOLERANCE = 90
"""Ticks: 1 ms."""
LEARN = 12
"""The rate is found from so many steps."""
LEADING = 16
"""Without a key frame among so many pictures the timeline begins anyway."""
DEEPEST = 32
"""More pictures than a decoder can reorder wait only where decode times are wrong."""
RATES = tuple(
    Rate(num, den)
    for num, den in (
        *((10, 1), (12, 1), (12_500, 1_000), (15_000, 1_001), (15, 1), (24_000, 1_001), (24, 1), (25, 1)),
        *((30_000, 1_001), (30, 1), (48, 1), (50, 1), (60_000, 1_001), (60, 1), (100, 1), (120, 1)),
    )
)
NEAR = 0.0005
"""A rate this near to a known one is that one: 24 and 23.976 differ by twice as much."""


def picture_ticks(rate: Rate) -> float:
    """Return the duration of a picture in 90 kHz ticks."""
    return CLOCK_HZ * rate.den / rate.num


class PictureTimeline:
    """Judges the steps between pictures. ``rate`` is what they should have; None to find it from the first ones."""

    def __init__(self, ledger: Ledger, rate: Rate | None) -> None:
        self._ledger = ledger
        self._step = picture_ticks(rate) if rate is not None else None
        self._waiting: list[tuple[int, int]] = []
        self._unjudged: list[tuple[int, int]] = []
        self._floor: int | None = None
        self._leading: list[int] = []
        self._shown: int | None = None
        self._blind = False

    @property
    def rate(self) -> float | None:
        """Pictures per second, None as long as they are not known."""
        return None if self._step is None else CLOCK_HZ / self._step

    def add(self, pts: int, dts: int, packet: int, *, key: bool) -> None:
        """Take a picture as it comes in the stream. Those with a PTS up to ``dts`` cannot be preceded any more."""
        if self._blind or not self._begun(pts, key=key):
            return
        if self._shown is not None and pts < self._shown:
            self._show(until=None)
        heapq.heappush(self._waiting, (pts, packet))
        self._show(until=min(dts, pts))
        if len(self._waiting) > DEEPEST:
            self._show(until=self._waiting[0][0])

    def restart(self) -> None:
        """Begin a new timeline with the next picture."""
        self._show(until=None)
        self._shown = None

    def blind(self) -> None:
        """Give up: there are pictures that do not say when they are shown."""
        self._blind = True

    def finish(self) -> None:
        """Judge what is left. The last reordered pictures may be cut off: nothing is said of them."""
        if self._step is None and len(self._unjudged) > 2:
            self._learn()

    def _begun(self, pts: int, *, key: bool) -> bool:
        """Tell whether a picture belongs to what can be shown: pictures before the first key frame do not."""
        if self._floor is None:
            self._leading.append(pts)
            if not key and len(self._leading) < LEADING:
                return False
            self._floor = pts if key else max(self._leading)
        return pts >= self._floor

    def _show(self, until: int | None) -> None:
        while self._waiting and (until is None or self._waiting[0][0] <= until):
            pts, packet = heapq.heappop(self._waiting)
            before, self._shown = self._shown, pts
            if before is None:
                continue
            if self._step is not None:
                self._judge(pts - before, packet, self._step)
                continue
            self._unjudged.append((pts - before, packet))
            if len(self._unjudged) == LEARN:
                self._learn()

    def _learn(self) -> None:
        """Find the rate: what most steps are, as one of the usual rates where it is one."""
        steps = [step for step, _ in self._unjudged if step > 0]
        usual = median_low(steps) if steps else 0
        mean = fmean([step for step in steps if abs(step - usual) <= usual / 20]) if usual else TOLERANCE
        nearest = min(map(picture_ticks, RATES), key=lambda ticks: abs(ticks - mean))
        self._step = nearest if abs(nearest - mean) <= NEAR * mean else mean
        for step, packet in self._unjudged:
            self._judge(step, packet, self._step)
        self._unjudged.clear()

    def _judge(self, step: int, packet: int, expected: float) -> None:
        off = step - expected
        if abs(off) <= TOLERANCE:
            return
        count = abs(off) / expected
        words = f"{abs(off) / 90:.1f} ms ({count:.1f} pictures)"
        if off > 0:
            self._ledger.note(
                Kind.PICTURE_GAP, packet, f"{words} are missing before this picture", gap=off / CLOCK_HZ
            )
        else:
            self._ledger.note(
                Kind.PICTURE_OVERLAP, packet, f"this picture comes {words} too early", gap=off / CLOCK_HZ
            )
