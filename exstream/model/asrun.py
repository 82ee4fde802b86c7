"""What really aired, beside what was planned. Data only; instants are UTC epoch milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exstream.model.programme import Segment
from exstream.model.recovery import Setback


class Outcome(StrEnum):
    """How a segment went."""

    AIRED = "aired"
    PARTLY = "partly"
    FILLER = "filler"
    """None of it was seen; filler stood in for it."""
    CARD = "card"
    """None of it was seen."""


class Means(StrEnum):
    """What most of a segment's pictures came from."""

    COPY = "copy"
    AUDIO = "audio"
    TRANSCODE = "transcode"
    FILLER = "filler"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class AsRunEntry:
    """What really happened to a segment while its channel was on air."""

    segment: Segment
    started: int
    ended: int
    outcome: Outcome
    reason: str = ""
    """Why something failed at last; empty where nothing did."""
    drift_ms: int | None = None
    """How far its first picture on air was behind the instant that the segment says it belongs to; negative: ahead.

    None where none of its own pictures aired. A viewer that tuned in later makes no drift.
    """
    means: Means = Means.CARD
    pictures: int = 0
    """How many there were from ``started`` to ``ended``."""
    cards: int = 0
    """How many of them were a card's."""
    setbacks: tuple[Setback, ...] = ()
    """What failed, the first ones, in order; at the instants of schedule time."""
    failures: int = 0
    """How many there were in all."""
