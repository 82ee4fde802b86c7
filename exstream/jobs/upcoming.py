"""What airs soon, for those who work ahead of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from exstream.clock import Clock
from exstream.model.catalogue import ItemKey
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.model.programme import Segment

SOON_MS = 24 * 3_600_000

Rows = Callable[[ChannelId, int, int], Awaitable[Sequence[Segment]]]
"""Returns the rows of a channel between two instants."""


class Upcoming:
    """Puts items in the order in which they air on the channels that ``enabled`` returns."""

    def __init__(
        self,
        enabled: Callable[[], Sequence[ChannelDefinition]],
        rows: Rows,
        clock: Clock,
        ahead_ms: int = SOON_MS,
    ) -> None:
        self._enabled = enabled
        self._rows = rows
        self._clock = clock
        self._ahead_ms = ahead_ms

    async def soonest(self, keys: Collection[ItemKey]) -> Sequence[ItemKey]:
        """Return those of ``keys`` that air soon, the soonest first."""
        now = self._clock.now_ms()
        rows = [
            row for each in self._enabled() for row in await self._rows(each.id, now, now + self._ahead_ms)
        ]
        rows.sort(key=lambda row: row.starts)
        return [item for item in dict.fromkeys(row.item for row in rows) if item is not None and item in keys]
