"""What the player needs from the rest of the product; ``app`` binds the ports."""

from __future__ import annotations

from typing import Protocol

from exstream.model.catalogue import ItemKey, Source
from exstream.model.channel import ChannelId
from exstream.model.programme import AsRunEntry, Cue, Order


class Timetable(Protocol):
    """The published timeline in memory."""

    def cue(self, channel: ChannelId, at_ms: int) -> Cue:
        """Return what is on at schedule time ``at_ms``; where nothing is published, a card up to the next row."""


class Sources(Protocol):
    """Items to playable sources."""

    async def resolve(self, item: ItemKey) -> Source:
        """Return where the item's bytes are now, or raise `SourceUnavailable`."""


class Feed(Protocol):
    """A running encoder. Its MPEG-TS starts at picture ``order.span.first`` on an item-relative clock.

    On that clock the first picture has PTS ``FEED_ORIGIN_SECONDS`` (see `exstream.model.grid`), the video PID
    is 0x100 and the audio PID 0x101; the first audio frame is the profile rate's ``audio_frame_at(span.first)``.
    """

    @property
    def order(self) -> Order:
        """What was ordered."""

    @property
    def fd(self) -> int:
        """The non-blocking read end of its pipe, owned by the feed; whole TS packets are not guaranteed per read."""

    @property
    def returncode(self) -> int | None:
        """How the encoder ended; None while it runs."""

    def stderr(self) -> str:
        """Return the encoder's last words."""

    async def close(self) -> None:
        """Stop the encoder; it is gone when this returns. May be called more than once."""


class Feeds(Protocol):
    """Where feeds come from."""

    async def open(self, order: Order) -> Feed:
        """Start a feed, or raise `FeedError`."""


class AsRunLog(Protocol):
    """What really aired."""

    def note(self, entry: AsRunEntry) -> None:
        """Keep ``entry``; never waits, never fails."""
