"""Each rule that makes items join without a seam, with it and without it, on real ffmpegs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exstream.ffmpeg.command import programme
from exstream.model.grid import Rate
from tests.ffmpeg.clips import FILM, NTSC, PAL, SMALL, order_of
from tests.ffmpeg.conftest import Encode
from tests.ffmpeg.faults import faults

Argv = tuple[str, ...]
Strip = Callable[[Argv], Argv]


def graph(pattern: str, replacement: str) -> Strip:
    """Return a change of the filter graph; the pattern must be there."""

    def strip(argv: Argv) -> Argv:
        at = argv.index("-filter_complex") + 1
        changed, times = re.subn(pattern, replacement, argv[at])
        assert times, f"{pattern} is not in the graph"
        return (*argv[:at], changed, *argv[at + 1 :])

    return strip


def without(*options: str) -> Strip:
    """Return a change that leaves out options and their values; they must be there."""

    def strip(argv: Argv) -> Argv:
        for option in options:
            at = argv.index(option)
            argv = (*argv[:at], *argv[at + 2 :])
        return argv

    return strip


def instead(option: str, value: str) -> Strip:
    """Return a change of an option's value; it must be there."""

    def strip(argv: Argv) -> Argv:
        at = argv.index(option) + 1
        return (*argv[:at], value, *argv[at + 1 :])

    return strip


def both(*strips: Strip) -> Strip:
    """Return one change after the other."""

    def strip(argv: Argv) -> Argv:
        for change in strips:
            argv = change(argv)
        return argv

    return strip


RULES = {
    "1 whole audio frames on the grid": (
        "plain.mkv",
        both(graph(r"atrim=[^\[]*", "atrim=end=6.52"), graph(r"asetpts=[^\[]*", "asetpts=N")),
        {"sound frames", "sound clock"},
    ),
    "2 pictures are filled": ("short-picture.mkv", graph(r"tpad=[^\[]*", "null"), {"pictures"}),
    "2 sound is filled": ("short-sound.mkv", graph(r"apad", "anull"), {"sound frames"}),
    "2 pictures are cut": ("plain.mkv", graph(r"trim=end_frame=163", "trim=end_frame=164"), {"pictures"}),
    "3 sound is counted": (
        "late-sound.mkv",
        both(graph(r":async=1:first_pts=0", ""), graph(r"asetpts=[^\[]*", "anull")),
        {"sound clock"},
    ),
    "4 priming is dropped": ("plain.mkv", without("-bsf:a"), {"sound frames", "sound clock"}),
    "5 the muxer keeps our clock": ("plain.mkv", without("-mpegts_copyts"), {"pictures", "sound clock"}),
    "5 the clock starts well after zero": ("plain.mkv", instead("-output_ts_offset", "0"), {"pictures"}),
    "6 data comes in time": ("plain.mkv", instead("-muxdelay", "0"), {"late data"}),
    "6 PCR with every picture": ("plain.mkv", without("-pcr_period"), {"clock reference"}),
    "7 the same settings": ("plain.mkv", without("-bf", "-x264-params"), {"decoding lead"}),
}


@pytest.mark.parametrize(("clip", "strip", "expected"), RULES.values(), ids=RULES)
def test_a_feed_is_faultless_only_with_the_rule(
    clips: Path, encode: Encode, clip: str, strip: Strip, expected: set[str]
) -> None:
    """With all rules nothing is at fault; with one left out, exactly what it is for goes wrong."""
    order = order_of(clips, clip)
    assert faults(order, encode(programme(order))) == set()
    assert expected <= faults(order, encode(strip(programme(order))))


@pytest.mark.parametrize("rate", [PAL, FILM, NTSC], ids=str)
@pytest.mark.parametrize("after", [0, 1, 49])
def test_every_rate_is_exact_wherever_the_order_begins(
    clips: Path, encode: Encode, rate: Rate, after: int
) -> None:
    """Pictures, key frames and sound lie where channel time says, at integer and fractional rates."""
    profile = replace(SMALL, rate=rate)
    order = order_of(clips, "plain.mkv", profile=profile, after=after, pictures=140)
    assert faults(order, encode(programme(order))) == set()
