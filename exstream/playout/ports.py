"""What the player needs from the rest of the product; ``app`` binds the ports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from exstream.model.asrun import AsRunEntry
from exstream.model.catalogue import ItemKey, Source
from exstream.model.channel import ChannelId
from exstream.model.programme import Cue, Order, Segment


class Timetable(Protocol):
    """The published timeline in memory."""

    def cue(self, channel: ChannelId, at_ms: int) -> Cue:
        """Return what is on at schedule time ``at_ms``; where nothing is published, a card up to the next row."""


class Sources(Protocol):
    """Items to playable sources."""

    async def resolve(self, item: ItemKey) -> Source:
        """Return where the item's bytes are now, or raise `SourceUnavailable`."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Filler in the place of a programme: ``source`` from ``offset_ms`` on, from ``starts`` to ``ends``."""

    source: Source
    starts: int
    ends: int
    offset_ms: int


class Substitutes(Protocol):
    """What can stand in for an item that cannot be shown."""

    async def copies(self, item: ItemKey) -> Sequence[Source]:
        """Return other files of the same title that can be played as far as is known, the likeliest first."""

    async def filler(self, segment: Segment, at_ms: int, without: Collection[str] = ()) -> Filling | None:
        """Return the filler that is on in the slot of ``segment`` at schedule time ``at_ms``, or next in it.

        The fillers of a slot end with it, so that the next programme finds its time; they depend on channel, slot and
        library alone. ``without`` are the locations that failed just now. None: there is none.
        """


class Suspicions(Protocol):
    """Who is told how files do, so that bad ones are known before their next airing. Never waits, never fails."""

    def suspect(self, location: str, reason: str) -> None:
        """An encoder failed, and it may be the file's fault."""

    def clear(self, location: str) -> None:
        """The file has aired as it should."""


class Feed(Protocol):
    """A running encoder. Its MPEG-TS starts at picture ``order.span.first`` on an item-relative clock.

    On that clock the first picture has PTS ``FEED_ORIGIN_SECONDS`` (see `exstream.model.grid`), the video PID
    is 0x100 and the audio PID 0x101; the first audio frame is the profile rate's ``audio_frame_at(span.first)``.
    """

    @property
    def order(self) -> Order:
        """What was ordered, with the way that it takes."""

    @property
    def fd(self) -> int:
        """The non-blocking read end of its pipe, owned by the feed; whole TS packets are not guaranteed per read."""

    @property
    def returncode(self) -> int | None:
        """How the encoder ended; None while it runs."""

    @property
    def lost(self) -> str:
        """Why its source gave out, where nothing but another one or time helps; empty otherwise."""

    def stderr(self) -> str:
        """Return the encoder's last words."""

    async def close(self) -> None:
        """Stop the encoder; it is gone when this returns. May be called more than once."""


class Feeds(Protocol):
    """Where feeds come from."""

    async def open(self, order: Order) -> Feed:
        """Start a feed, or raise `FeedError`; `FileUnavailable` when its file cannot be read at all."""


class AsRunLog(Protocol):
    """What really aired."""

    def note(self, entry: AsRunEntry) -> None:
        """Keep ``entry``; never waits, never fails."""
