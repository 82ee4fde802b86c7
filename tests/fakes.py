"""Stand-ins with a behaviour of their own."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count


class SteppedClock:
    """A clock that stands still until it is stepped; implements `exstream.clock.Clock`.

    Whoever sleeps wakes in the order of the deadlines, and has run as far as it can when the step goes on.
    """

    def __init__(self, start_ms: int) -> None:
        self._air_ms = float(start_ms)
        self._shift_ms = 0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def air(self) -> float:
        """Return air time in seconds since the epoch."""
        return self._air_ms / 1000

    @property
    def shift_ms(self) -> int:
        """Milliseconds to add to air time to get schedule time."""
        return self._shift_ms

    def now_ms(self) -> int:
        """Return schedule time in UTC epoch milliseconds."""
        return round(self._air_ms) + self._shift_ms

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was stepped over ``seconds`` from now."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._air_ms + seconds * 1000, next(self._order), wake))
        await wake

    @property
    def sleepers(self) -> int:
        """How many are waiting for time to pass."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    def shift(self, ms: int) -> None:
        """Step the wall: schedule time jumps, air time does not."""
        self._shift_ms += ms

    async def step(self, seconds: float, *, settle: int = 20) -> None:
        """Let ``seconds`` pass; after each wake-up the loop turns ``settle`` times."""
        until = self._air_ms + seconds * 1000
        while self._sleepers and self._sleepers[0][0] <= until:
            self._air_ms, _, wake = heapq.heappop(self._sleepers)
            if not wake.done():
                wake.set_result(None)
                await turn(settle)
        self._air_ms = until
        await turn(settle)


async def turn(times: int = 20) -> None:
    """Let everything that is ready run."""
    for _ in range(times):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until ``condition()`` is true; real files and processes take their time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
