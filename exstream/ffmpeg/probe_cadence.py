"""How a picture track runs, judged by stretches of it and by its container's index. PURE.

What is sent as it is must lie on the grid of its rate: every picture there once, every group of pictures closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from exstream.model.catalogue import Cadence
from exstream.model.grid import Rate

_ROUNDING_S = Fraction(1, 1_000)
"""Two stamps that Matroska has rounded to milliseconds differ by this much more or less than they should."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pictures in the order of decoding, the first of them a key frame that is an IDR."""

    shown: Sequence[int]
    """When each is shown, in the track's time base."""
    keys: Sequence[int]
    """Which of them are key frames."""
    whole: bool
    """It ends where the track ends."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a container lists of a track, in its order: every picture or the key frames alone."""

    stamps: Sequence[int]
    keys: Sequence[int]
    """Which of the ``stamps`` are key frames."""
    every: bool


class Grid:
    """The pictures of a rate, counted from the stamp ``origin``."""

    def __init__(self, rate: Rate, time_base: Fraction, origin: int) -> None:
        self._origin = origin
        self._scale = time_base.numerator * rate.num
        self._picture = time_base.denominator * rate.den
        off = min(rate.seconds / 4, time_base + _ROUNDING_S)
        self._tolerance = int(off / rate.seconds * self._picture)

    def number(self, stamp: int) -> int | None:
        """Return which picture ``stamp`` stands for, None where it lies between two."""
        place = (stamp - self._origin) * self._scale
        number = (2 * place + self._picture) // (2 * self._picture)
        return number if abs(place - number * self._picture) <= self._tolerance else None

    def numbers(self, stamps: Iterable[int]) -> list[int]:
        """Return the pictures of ``stamps``; raises ValueError where one lies between two."""
        found = [self.number(stamp) for stamp in stamps]
        numbers = [number for number in found if number is not None]
        if len(numbers) < len(found):
            raise ValueError("pictures do not lie on the grid of their rate")
        return numbers


def judge(
    stretches: Sequence[Stretch],
    index: Index | None,
    rate: Rate,
    time_base: Fraction,
    length: int,
    start: Fraction,
) -> Cadence | None:
    """Return how the track runs, or None where it is irregular.

    ``length`` is how many pictures long the file says it is; ``start`` is the container's, in seconds.
    """
    origin = stretches[0].shown[0]
    try:
        groups = [group for each in stretches for group in _groups(each, Grid(rate, time_base, origin))]
        longest = max(map(len, groups))
        if index is not None and index.stamps:
            longest = max(longest, _longest(index, Grid(rate, time_base, index.stamps[0]), length))
    except ValueError:
        return None
    return Cadence(
        starts_us=round((origin * time_base - start) * 1_000_000),
        gop_ms=ceil(longest * rate.seconds * 1_000),
        reorder=max(place - (number - group[0]) for group in groups for place, number in enumerate(group)),
    )


def _groups(stretch: Stretch, grid: Grid) -> list[list[int]]:
    """Return the whole groups of pictures, each as numbers in the order of decoding.

    Raises ValueError where there is none, or one has a hole, a picture twice, or pictures from before its key frame.
    """
    numbers = grid.numbers(stretch.shown)
    ends = [*stretch.keys[1:], len(numbers)]
    groups = [numbers[key:end] for key, end in zip(stretch.keys, ends, strict=True)]
    whole = groups if stretch.whole else groups[:-1]
    firsts = [group[0] for group in groups]
    for group, following in zip(whole, [*firsts[1:], None], strict=False):
        end = group[0] + len(group)
        if sorted(group) != list(range(group[0], end)) or following not in (end, None):
            raise ValueError("a group of pictures is not whole and closed")
    if not whole:
        raise ValueError("no group of pictures is known whole")
    return whole


def _longest(index: Index, grid: Grid, length: int) -> int:
    """Return the longest distance of key frames in pictures; raises ValueError where the index shows a hole."""
    numbers = grid.numbers(index.stamps)
    if index.every and numbers != list(range(len(numbers))):
        raise ValueError("pictures are missing")
    keys = [numbers[key] for key in index.keys]
    end = len(numbers) if index.every else length
    distances = [after - before for before, after in zip(keys, [*keys[1:], end], strict=True)]
    if not keys or keys[0] != 0 or min(distances[:-1], default=1) < 1:
        raise ValueError("the index has no order")
    return max(distances)
