"""A stretch of channel time on a player's running order, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from exstream.model.grid import Span
from exstream.model.programme import Segment
from exstream.mpegts.intake import Intake
from exstream.playout.ports import Feed


class State(Enum):
    """What has become of a slot."""

    WAITING = auto()
    AIRED = auto()
    BROKEN = auto()
    DROPPED = auto()


@dataclass(slots=True, eq=False)
class Reception:
    """A feed and what has come of it. Air times in seconds."""

    feed: Feed
    intake: Intake
    opened: float
    heard: float = 0.0
    """When bytes came last; 0 before the first."""
    ended: bool = False
    """The encoder has written its last byte."""

    @property
    def whole(self) -> bool:
        """What was written is the whole feed: how one that is copied ended, its exit status says."""
        return self.ended and (not self.intake.copied or self.feed.returncode == 0)

    @property
    def over(self) -> bool:
        """Nothing more will come of it."""
        undecided = self.intake.copied and self.feed.returncode is None
        return bool(self.intake.fault) or self.intake.finished or (self.ended and not undecided)


@dataclass(slots=True, eq=False)
class Slot:
    """``reception`` fills ``span``; without one the off-air card does. Written by the pump once it is on air."""

    span: Span
    segment: Segment
    reception: Reception | None
    pictures: int = 0
    """How many of its own pictures have aired."""
    state: State = State.WAITING
    reason: str = ""
    """Why it is BROKEN."""

    @property
    def joined(self) -> bool:
        """Its feed is on air, which may have begun with a key frame before the span."""
        return self.reception is not None and self.reception.intake.joined
