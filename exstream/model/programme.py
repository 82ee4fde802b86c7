"""What is on: rows of the published timeline and what is made of them.

All instants are UTC epoch milliseconds; intervals are half open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from exstream.model.catalogue import ItemKey, Source
from exstream.model.channel import ChannelId, Profile
from exstream.model.grid import Span

OFF_AIR = "Off air"
"""The title of a card that stands where there is nothing to show; cards in gaps carry the channel's name."""


class SegmentKind(StrEnum):
    """What the player puts on air for a row."""

    PROGRAMME = "programme"
    FILLER = "filler"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Segment:
    """One row of a channel's published timeline: the player's unit."""

    channel: ChannelId
    kind: SegmentKind
    starts: int
    ends: int
    item: ItemKey | None = None
    """None on a card."""
    offset: int = 0
    """Where in the item the segment begins, in milliseconds."""
    title: str = ""
    """What the guide calls it, kept so that a row can be read when its item is gone."""

    def __post_init__(self) -> None:
        if self.ends <= self.starts:
            raise ValueError(f"a segment ends after it starts: {self.starts}..{self.ends} on {self.channel}")


@dataclass(frozen=True, slots=True)
class Programme:
    """The guide's unit: a programme segment with the filler and cards that follow it, or a stretch of those alone."""

    channel: ChannelId
    starts: int
    ends: int
    title: str
    item: ItemKey | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order, not an index: the cycle of the order and the item that was taken last."""

    cycle: int = 0
    after: str = ""
    """The item that was taken last, as its order marks it (a key, or a sort key that ends with it); "": none yet."""


Cursors = Mapping[str, Cursor]
"""By pool name. The key ``@turn`` tells whose turn it is: ``after`` is a pool, ``cycle`` how many it has given."""


@dataclass(frozen=True, slots=True)
class DaySchedule:
    """One broadcast day of one channel, without a gap; refuses gaps and overlaps."""

    channel: ChannelId
    day: date
    segments: tuple[Segment, ...]
    cursors: Cursors

    def __post_init__(self) -> None:
        for before, after in zip(self.segments, self.segments[1:], strict=False):
            if before.ends != after.starts:
                raise ValueError(f"{self.channel} {self.day}: {before.ends} is followed by {after.starts}")

    @property
    def starts(self) -> int:
        """The first instant of the day."""
        return self.segments[0].starts

    @property
    def ends(self) -> int:
        """The first instant after the day."""
        return self.segments[-1].ends


@dataclass(frozen=True, slots=True)
class Cue:
    """What is on at an instant: a segment and how far into it, in milliseconds."""

    segment: Segment
    offset: int


class Way(StrEnum):
    """How an item is brought into its channel's format, the cheapest first."""

    COPY = "copy"
    """Pictures and sound as they are."""
    AUDIO = "audio"
    """Pictures as they are, sound encoded."""
    TRANSCODE = "transcode"


@dataclass(frozen=True, slots=True)
class Order:
    """What a feed has to deliver: pictures ``span`` of channel time from ``offset_ms`` into the source."""

    source: Source
    span: Span
    offset_ms: int
    profile: Profile
    way: Way = Way.COPY
    """The cheapest way that is allowed; on the order of a feed that runs, the way it takes."""
    careful: bool = False
    """Decode so that damage and odd hardware matter least, at any price."""
