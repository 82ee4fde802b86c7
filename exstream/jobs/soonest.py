"""What airs soonest is asked of servers first: the order of the published timelines, as of a moment ago."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from exstream.clock import Clock
from exstream.model.catalogue import ItemKey

LOOK_SECONDS = 120.0

Upcoming = Callable[[Collection[ItemKey]], Awaitable[Sequence[ItemKey]]]
"""Returns those of some items that air soon, the soonest first; raises StoreError."""


class Soonest:
    """An order of items for those who cannot wait for it; ``items`` returns all that there are."""

    def __init__(self, upcoming: Upcoming, items: Callable[[], Collection[ItemKey]], clock: Clock) -> None:
        self._upcoming = upcoming
        self._items = items
        self._clock = clock
        self._places: Mapping[ItemKey, int] = {}

    def __call__(self, keys: Collection[ItemKey]) -> Sequence[ItemKey]:
        """Return ``keys``, what airs soonest first; what does not air soon follows as it comes."""
        return sorted(keys, key=lambda key: self._places.get(key, len(self._places)))

    async def run(self) -> None:
        """Look every `LOOK_SECONDS`; returns only by cancellation."""
        while True:
            soon = await self._upcoming(self._items())
            self._places = {key: place for place, key in enumerate(soon)}
            await self._clock.sleep(LOOK_SECONDS)
