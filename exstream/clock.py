"""Where time enters: one monotonic clock, slewed to the wall.

*Air time* never jumps: it starts at the wall's Unix time and follows the wall by slewing. When the wall itself is
stepped by more than ``STEP_SECONDS``, air time goes on and ``shift_ms`` takes up the difference, so that the content
moves and the timestamps do not: schedule time = air time + shift.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

STEP_SECONDS = 2.0
SLEW = 0.005
"""How much faster or slower than real time air time may run: 5 ms per second, too little to hear or see."""


class Clock(Protocol):
    """Air time, its shift to schedule time, and waiting."""

    def air(self) -> float:
        """Return air time in seconds since the epoch; never decreases, never jumps."""

    @property
    def shift_ms(self) -> int:
        """Milliseconds to add to air time to get schedule time."""

    def now_ms(self) -> int:
        """Return schedule time in UTC epoch milliseconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of air time."""


class SystemClock:
    """The clock of the machine. Safe to read from several threads."""

    def __init__(self) -> None:
        # One tuple, replaced whole: readers in other threads see either anchor, and both are continuous.
        self._anchor = (time.monotonic(), time.time(), 0.0)

    def air(self) -> float:
        """Return air time, having slewed towards the wall by what the elapsed time allows."""
        anchor, air, shift = self._anchor
        monotonic = time.monotonic()
        elapsed = monotonic - anchor
        if elapsed < 1.0:
            return air + elapsed
        ahead = air + elapsed + shift - time.time()
        if abs(ahead) > STEP_SECONDS:
            shift -= ahead
            correction = 0.0
        else:
            correction = max(-SLEW * elapsed, min(SLEW * elapsed, ahead))
        self._anchor = (monotonic, air + elapsed - correction, shift)
        return air + elapsed - correction

    @property
    def shift_ms(self) -> int:
        """Return the sum of the wall's steps since the start."""
        return round(self._anchor[2] * 1000)

    def now_ms(self) -> int:
        """Return schedule time in UTC epoch milliseconds."""
        return round(self.air() * 1000) + self.shift_ms

    async def sleep(self, seconds: float) -> None:
        """Wait on the event loop."""
        await asyncio.sleep(seconds)
