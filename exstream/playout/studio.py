"""What every player works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from exstream.clock import Clock
from exstream.model.asrun import AsRunEntry
from exstream.model.recovery import Failure, Step
from exstream.playout.ports import AsRunLog, Feeds, Sources, Substitutes, Suspicions, Timetable
from exstream.playout.pump import Pump
from exstream.playout.restart import Ladder
from exstream.playout.watching import Verdicts


class Counts(Verdicts, Protocol):
    """Where a player's figures go."""

    def failed(self, failure: Failure) -> None:
        """A feed could not start, broke off or hung."""

    def stepped(self, step: Step) -> None:
        """A step of the ladder was taken."""

    def aired(self, entry: AsRunEntry) -> None:
        """A segment is over."""

    def carded(self, seconds: float) -> None:
        """A card covered ``seconds`` of a programme."""

    def skipped(self) -> None:
        """A slow viewer was moved on."""


@dataclass(frozen=True, slots=True)
class Studio:
    """The parts that all players share."""

    timetable: Timetable
    sources: Sources
    substitutes: Substitutes
    feeds: Feeds
    suspicions: Suspicions
    asrun: AsRunLog
    pump: Pump
    clock: Clock
    counts: Counts
    ladder: Ladder
    burst: float = 2.0
    """How far the stream runs ahead of air time, in seconds."""
