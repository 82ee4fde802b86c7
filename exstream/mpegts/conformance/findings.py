"""What a checked stream can be found to do wrong: kinds, findings, and the ledger that counts them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Self

EXAMPLES = 10


class Priority(IntEnum):
    """How bad: TR 101 290 priority 1 (cannot be decoded) or 2 (watch it), or what only a splice can do wrong."""

    FIRST = 1
    SECOND = 2
    SPLICE = 3


class Severity(StrEnum):
    """A warning is worth knowing and breaks no player; everything else is an error."""

    WARNING = "warning"
    ERROR = "error"


class Kind(StrEnum):
    """A kind of finding, its priority and its number in TR 101 290 (empty for what is of the splice)."""

    priority: Priority
    indicator: str

    def __new__(cls, name: str, priority: Priority, indicator: str = "") -> Self:
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.priority = priority
        kind.indicator = indicator
        return kind

    SYNC_LOSS = "sync_loss", Priority.FIRST, "1.1"
    SYNC_BYTE = "sync_byte", Priority.FIRST, "1.2"
    PAT = "pat", Priority.FIRST, "1.3"
    CONTINUITY = "continuity", Priority.FIRST, "1.4"
    PMT = "pmt", Priority.FIRST, "1.5"
    PID = "pid", Priority.FIRST, "1.6"
    TRANSPORT = "transport", Priority.SECOND, "2.1"
    CRC = "crc", Priority.SECOND, "2.2"
    PCR_REPETITION = "pcr_repetition", Priority.SECOND, "2.3a"
    PCR_DISCONTINUITY = "pcr_discontinuity", Priority.SECOND, "2.3b"
    PCR_ACCURACY = "pcr_accuracy", Priority.SECOND, "2.4"
    PTS_REPETITION = "pts_repetition", Priority.SECOND, "2.5"
    PES = "pes", Priority.SPLICE
    PICTURE_GAP = "picture_gap", Priority.SPLICE
    PICTURE_OVERLAP = "picture_overlap", Priority.SPLICE
    SOUND_GAP = "sound_gap", Priority.SPLICE
    SOUND_OVERLAP = "sound_overlap", Priority.SPLICE
    SOUND_FRAME = "sound_frame", Priority.SPLICE
    DTS_ORDER = "dts_order", Priority.SPLICE
    DTS_AFTER_PTS = "dts_after_pts", Priority.SPLICE
    LATE = "late", Priority.SPLICE
    PARAMETERS = "parameters", Priority.SPLICE
    EDGES = "edges", Priority.SPLICE


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``packet`` counts 188 bytes from the first byte on, ``seconds`` is stream time by the PCR."""

    kind: Kind
    severity: Severity
    packet: int
    seconds: float
    text: str
    gap: float = 0.0
    """Seconds that are missing from a timeline; negative where it overlaps."""


class Ledger:
    """Counts everything, keeps the first few findings of each kind, and hands out what is new.

    ``seconds`` is the stream time that findings are noted at.
    """

    def __init__(self, examples: int = EXAMPLES) -> None:
        self._most = examples
        self._fresh: list[Finding] = []
        self.seconds = 0.0
        self.errors: Counter[Kind] = Counter()
        self.warnings: Counter[Kind] = Counter()
        self.examples: dict[Kind, list[Finding]] = {}

    def note(
        self, kind: Kind, packet: int, text: str, *, gap: float = 0.0, severity: Severity = Severity.ERROR
    ) -> None:
        """Take down that ``kind`` was found at ``packet``."""
        (self.errors if severity is Severity.ERROR else self.warnings)[kind] += 1
        finding = Finding(kind, severity, packet, round(self.seconds, 3), text, gap)
        kept = self.examples.setdefault(kind, [])
        if sum(other.severity is severity for other in kept) < self._most:
            kept.append(finding)
        self._fresh.append(finding)

    def fresh(self) -> list[Finding]:
        """Return what was noted since the last call, in order of packets."""
        fresh, self._fresh = self._fresh, []
        return sorted(fresh, key=lambda finding: finding.packet)
