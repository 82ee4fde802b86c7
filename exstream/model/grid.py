"""The picture and audio grid of channel time.

Channel time is Unix time. Picture ``k`` of a rate ``num/den`` starts ``k * den / num`` seconds after the epoch; audio
frame ``a`` (1024 samples at 48 kHz) starts ``a * 1024 / 48000`` seconds after it. Everything here is exact integer
arithmetic: a boundary computed twice, on any machine, is the same boundary.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

CLOCK_HZ = 90_000
PCR_HZ = 27_000_000
AUDIO_RATE = 48_000
AUDIO_FRAME_SAMPLES = 1_024
AUDIO_FRAME_TICKS = CLOCK_HZ * AUDIO_FRAME_SAMPLES // AUDIO_RATE
KEY_FRAME_SECONDS = 2
"""Key frames lie at channel time = 0 modulo this many seconds, and at every programme start."""
FEED_ORIGIN_SECONDS = 20
"""A feed's first picture has this time on the feed's own clock: muxers misbehave near zero."""


@dataclass(frozen=True, slots=True)
class Rate:
    """An exact picture rate in pictures per second: 25/1, 30000/1001, ..."""

    num: int
    den: int = 1

    def __post_init__(self) -> None:
        if self.num <= 0 or self.den <= 0:
            raise ValueError(f"a picture rate is positive, not {self.num}/{self.den}")

    def __str__(self) -> str:
        return str(self.num) if self.den == 1 else f"{self.num}/{self.den}"

    @property
    def seconds(self) -> Fraction:
        """The duration of one picture."""
        return Fraction(self.den, self.num)

    def picture_at(self, ms: int) -> int:
        """Return the first picture that starts at or after ``ms`` (UTC milliseconds)."""
        return -(-ms * self.num // (1_000 * self.den))

    def ms_at(self, picture: int) -> float:
        """Return the start of ``picture`` in UTC milliseconds."""
        return picture * 1_000 * self.den / self.num

    def ticks_at(self, picture: int) -> int:
        """Return the start of ``picture`` in 90 kHz ticks since the epoch, rounded half up."""
        return (2 * picture * CLOCK_HZ * self.den + self.num) // (2 * self.num)

    def picture_near(self, ticks: int) -> int:
        """Return the picture whose start is nearest to ``ticks`` (90 kHz)."""
        return (2 * ticks * self.num + CLOCK_HZ * self.den) // (2 * CLOCK_HZ * self.den)

    def audio_frame_at(self, picture: int) -> int:
        """Return the first audio frame that starts at or after the start of ``picture``."""
        return -(-picture * self.den * AUDIO_RATE // (self.num * AUDIO_FRAME_SAMPLES))

    def is_key_picture(self, picture: int) -> bool:
        """Tell whether ``picture`` is the first one in its ``KEY_FRAME_SECONDS`` of channel time."""
        span = KEY_FRAME_SECONDS * self.num
        return picture * self.den // span != (picture - 1) * self.den // span


@dataclass(frozen=True, slots=True)
class Span:
    """Pictures ``first`` (included) to ``end`` (excluded) of channel time."""

    first: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.first:
            raise ValueError(f"a span runs forward, not from {self.first} to {self.end}")

    def __len__(self) -> int:
        return self.end - self.first
