"""What a check has seen and found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.conformance.findings import Finding, Kind
from exstream.mpegts.packets import PACKET


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One PID with pictures or sound. ``units`` are pictures or frames; what is not known is 0, None or empty."""

    pid: int
    codec: Codec
    packets: int
    units: int = 0
    keys: int = 0
    """Pictures at which a viewer can begin."""
    changes: int = 0
    """How often parameter sets changed."""
    rate: float | None = None
    """Pictures per second."""
    format: str = ""
    """Size and samples, or rate and channels, in words."""


@dataclass(frozen=True, slots=True)
class Report:
    """``seconds`` is the stream's own time; ``skipped`` counts bytes that belong to no packet."""

    packets: int
    skipped: int
    seconds: float
    streams: tuple[StreamReport, ...]
    errors: Mapping[Kind, int]
    warnings: Mapping[Kind, int]
    examples: Mapping[Kind, tuple[Finding, ...]]
    """The first findings of each kind, in order."""

    @property
    def clean(self) -> bool:
        """Whether nothing but warnings was found."""
        return not self.errors

    @property
    def bit_rate(self) -> float:
        """Bits per second on average; 0 where the stream has no time."""
        return self.packets * PACKET * 8 / self.seconds if self.seconds else 0.0

    @property
    def pictures(self) -> StreamReport | None:
        """The first PID with pictures."""
        return next((stream for stream in self.streams if stream.codec.pictures), None)

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of errors found."""
        return set(self.errors)

    def told(self) -> list[str]:
        """Return the first errors in sentences, with their places: empty for a clean stream."""
        found = [
            finding for kind in self.errors for finding in self.examples[kind] if finding.severity == "error"
        ]
        found.sort(key=lambda finding: finding.packet)
        return [f"packet {each.packet}, {each.seconds:.3f} s: {each.kind}: {each.text}" for each in found]
