"""A clock that stands still until a test steps it."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush
from itertools import count


class SteppedClock:
    """Air time that a test moves; sleepers wake in the order of their times."""

    shift_ms = 0

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now = now_ms / 1000
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._numbers = count()

    def air(self) -> float:
        return self._now

    def now_ms(self) -> int:
        return round(self._now * 1000)

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        heappush(self._sleepers, (self._now + seconds, next(self._numbers), awake))
        await awake.wait()

    @property
    def sleepers(self) -> int:
        """How many wait."""
        return len(self._sleepers)

    def step(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            heappop(self._sleepers)[2].set()


async def until(condition: object, seconds: float = 20.0) -> None:
    """Wait until ``condition()`` is true; real files and processes take their time."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
