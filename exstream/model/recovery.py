"""What is tried when a programme cannot go on, and why it could not. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exstream.model.programme import Way


class Step(StrEnum):
    """The steps of the ladder, downwards."""

    PLANNED = "planned"
    """The item as it was planned, the cheapest way that is clean."""
    RETRY = "retry"
    """The same once more, at the present position."""
    TRANSCODE = "transcode"
    """An item that was sent as it is, encoded instead."""
    CHEAPER = "cheaper"
    """Encoded with less effort."""
    CAREFUL = "careful"
    """Decoded so that damage and odd hardware matter least."""
    COPY = "other copy"
    """Another file of the same title."""
    FILLER = "filler"
    """Filler, up to the end of the slot."""
    AGAIN = "again"
    """The item once more, after a card or a filler, where it would be by now."""


class Failure(StrEnum):
    """How an attempt ended."""

    MISSING = "missing"
    """There is nothing to open: no file, no answer, no such copy; or it is set aside."""
    REFUSED = "cannot open"
    """Nothing came of it: the encoder ended without a picture."""
    BROKE = "broke off"
    KILLED = "killed"
    """The encoder was ended from outside, or the machine was short of something."""
    HUNG = "hung"
    SILENT = "silent"
    """It hung before anything came of it."""
    SLOW = "too slow"
    """It could not keep up with the clock."""
    LATE = "too late"
    """Its pictures came, but no key frame among them that was still to be shown."""
    IRREGULAR = "irregular"
    """The item does not keep to the grid it was copied for."""
    OURS = "our fault"


FAULTS_OF_THE_FILE = frozenset({Failure.REFUSED, Failure.BROKE})
"""What may be the file's doing; everything else is the machine's, the network's or ours."""


@dataclass(frozen=True, slots=True)
class Setback:
    """A step that did not help. Instants are in milliseconds: of air time on air, of UTC in the as-run log."""

    at: int
    step: Step
    failure: Failure
    reason: str = ""
    location: str = ""
    """What was opened; empty where there was nothing to open."""
    spawned: int = 0
    """When its encoder was started; 0 when none was."""
    way: Way | None = None
    """The way its encoder took."""
