"""Judging how pictures run, by their stamps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.ffmpeg.probe_cadence import Grid, Index, Stretch, judge
from exstream.model.catalogue import Cadence
from exstream.model.grid import Rate

CINEMA, PAL, FAST = Rate(24_000, 1_001), Rate(25), Rate(60_000, 1_001)
MATROSKA = Fraction(1, 1_000)
GROUP = (0, 4, 2, 1, 3, 5)
"""A group of pictures with a pyramid in the order of decoding: I P B b b P."""


def stamps(numbers: list[int], rate: Rate, time_base: Fraction = MATROSKA, origin: int = 0) -> list[int]:
    """Return when pictures are shown, rounded as muxers do it."""
    return [origin + round(number * rate.seconds / time_base) for number in numbers]


def stretch(groups: int, first: int = 0, *, rate: Rate = PAL, whole: bool = True) -> Stretch:
    """Return so many whole groups from picture ``first`` on."""
    numbers = [first + 6 * group + number for group in range(groups) for number in GROUP]
    return Stretch(stamps(numbers, rate), range(0, len(numbers), 6), whole)


def found(
    *stretches: Stretch, index: Index | None = None, rate: Rate = PAL, length: int = 60
) -> Cadence | None:
    """Judge ``stretches`` of a Matroska file."""
    return judge(stretches, index, rate, MATROSKA, length, Fraction(0))


@pytest.mark.parametrize("rate", [CINEMA, PAL, FAST])
def test_a_regular_track_is_described(rate: Rate) -> None:
    """Distance of key frames and depth of reordering are measured; rounded stamps do not matter at any rate."""
    assert found(stretch(9, rate=rate), stretch(4, 6_000, rate=rate, whole=False), rate=rate) == Cadence(
        0, gop_ms=-(-6_000 * rate.den // rate.num), reorder=2
    )


def test_the_start_is_told_from_the_containers() -> None:
    """Sound often begins before the first picture."""
    late = Stretch(stamps([0, 1, 2, 3], PAL, origin=120), (0,), whole=True)
    assert judge([late], None, PAL, MATROSKA, 4, Fraction(1, 10)) == Cadence(20_000, 160, 0)


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 2, 1, 3, 5, 6],
        [0, 2, 1, 3, 3, 5],
        [0, 2, 1, 3, 4, 6],
        [1, 0, 2, 3, 4, 5],
    ],
    ids=["a hole", "a picture twice", "one too few", "one before the key"],
)
def test_an_irregular_group_is_found(numbers: list[int]) -> None:
    """Every picture from one key frame to the next is there once, and none of them is shown before its key frame."""
    shown = stamps([*numbers, 6, 8, 7, 9, 10, 11], PAL)
    assert found(Stretch(shown, (0, 6), whole=True)) is None


def test_an_open_group_is_found() -> None:
    """Pictures that are shown before the key frame they are decoded after could not be left out."""
    shown = stamps([0, 2, 1, 5, 3, 4, 8, 6, 7], PAL)
    assert found(Stretch(shown, (0, 3), whole=True)) is None


def test_an_unfinished_group_counts_only_where_the_file_ends() -> None:
    """Reading stops anywhere; what was not read is not missing. Nothing is known without one whole group."""
    cut = stretch(2)
    cut = replace(cut, shown=cut.shown[:-2])
    assert found(replace(cut, whole=False)) == Cadence(0, 240, 2)
    assert found(cut) is None
    assert found(replace(cut, shown=cut.shown[:6], keys=(0,), whole=False)) is None


@pytest.mark.parametrize("jitter", [3, 11])
def test_stamps_between_pictures_are_irregular(jitter: int) -> None:
    """A variable rate is not told by its average."""
    plain = stretch(3)
    shown = list(plain.shown)
    shown[8] += jitter
    assert found(replace(plain, shown=shown)) is None


@given(st.sampled_from((CINEMA, PAL, FAST)), st.integers(0, 10**6), st.sampled_from((1_000, 12_800, 90_000)))
def test_a_picture_is_known_by_its_rounded_stamp(rate: Rate, number: int, clock: int) -> None:
    """However far into a film and whatever the clock, stamps snap to their picture."""
    time_base = Fraction(1, clock)
    shown = stamps([number], rate, time_base, origin=77)
    assert Grid(rate, time_base, 77).numbers(shown) == [number]


def test_an_index_of_every_picture_shows_holes_beyond_the_stretches() -> None:
    """An mp4 lists all pictures: the whole film is judged by them."""
    listed = Index(stamps(list(range(60)), PAL), (0, 6, 30), every=True)
    assert found(stretch(2), index=listed) == Cadence(0, gop_ms=1_200, reorder=2)
    holed = replace(listed, stamps=[*listed.stamps[:40], *(stamp + 40 for stamp in listed.stamps[40:])])
    assert found(stretch(2), index=holed) is None


def test_an_index_of_key_frames_shows_the_longest_distance() -> None:
    """Matroska lists key frames: the longest distance counts, the one to the end included."""
    listed = Index(stamps([0, 6, 30], PAL), range(3), every=False)
    assert found(stretch(2), index=listed, length=50) == Cadence(0, gop_ms=960, reorder=2)
    assert found(stretch(2), index=listed, length=90) == Cadence(0, gop_ms=2_400, reorder=2)
    assert found(stretch(2), index=replace(listed, stamps=stamps([0, 30, 6], PAL))) is None
    assert found(stretch(2), index=replace(listed, keys=())) is None
