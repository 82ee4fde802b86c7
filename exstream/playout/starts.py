"""When encoders start: one after the other, so that many channels at once do not stand in each other's way."""

from __future__ import annotations

from zlib import crc32

from exstream.clock import Clock
from exstream.model.channel import ChannelId
from exstream.model.programme import Order
from exstream.playout.ports import Feed, Feeds

PRESPAWN = 6.0
"""How long before its turn a feed is opened, in seconds: it encodes what its pipe holds, then waits."""
SPREAD = 4.0
"""How much earlier some channels do so: most schedules change items at the same full minutes."""
GAP = 0.02
"""The shortest time between two starts, in seconds; a core starts a copying ffmpeg in about so long."""


def prespawn_of(channel: ChannelId) -> float:
    """Return how long before its turn a feed of ``channel`` is opened, in seconds; always the same for a channel."""
    return PRESPAWN + SPREAD * crc32(channel.encode()) / (1 << 32)


class StaggeredFeeds:
    """Opens feeds in the order in which they are asked for, ``gap`` seconds apart; a single one is opened at once."""

    def __init__(self, feeds: Feeds, clock: Clock, gap: float = GAP) -> None:
        self._feeds = feeds
        self._clock = clock
        self._gap = gap
        self._free = 0.0

    async def open(self, order: Order) -> Feed:
        """Start a feed when it is its turn, or raise `FeedError`."""
        now = self._clock.air()
        turn = max(now, self._free)
        self._free = turn + self._gap
        if turn > now:
            await self._clock.sleep(turn - now)
        return await self._feeds.open(order)
