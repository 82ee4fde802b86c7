"""The splice, with real encodings and an independent referee."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream.model.channel import Profile
from exstream.model.grid import CLOCK_HZ, Rate, Span
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.intake import Intake
from exstream.mpegts.psi import tables
from exstream.mpegts.splice import Spliced, Splicer
from tests import material
from tests.referee import decode_faults, examine

PICTURES = 75
FAR = 1 << 60
WRAP_SECONDS = (1 << 33) / CLOCK_HZ


class Feeds(NamedTuple):
    """One real encoding per profile, its first picture at a key picture of channel time."""

    folder: Path
    data: dict[str, bytes]


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Feeds:
    """Encode the clip for every profile."""
    folder = tmp_path_factory.mktemp("splice")
    path = material.clip(folder)
    profiles = (material.SMALL, material.CINEMA, material.FAST)
    data = {
        p.name: material.encoding(path, p, Span(near(p.rate, 0), near(p.rate, 0) + PICTURES))
        for p in profiles
    }
    return Feeds(folder, data)


def near(rate: Rate, wraps: int, before: float = 0.0) -> int:
    """Return a picture ``before`` seconds ahead of the clock's ``wraps``-th wrap; 0 wraps: any quiet place."""
    seconds = wraps * WRAP_SECONDS - before if wraps else 1_000.0
    return rate.picture_at(round(seconds * 1000))


class Recorder:
    """Splices and keeps the stream."""

    def __init__(self, profile: Profile, data: bytes, start: int) -> None:
        self.profile = profile
        self.data = data
        self.card = material.plain_card(profile)
        self.splicer = Splicer(profile.rate, tables("Test"), start)
        self.stream = b""
        self.points: list[RandomAccessPoint] = []

    def add(self, spliced: Spliced | None) -> bool:
        """Append what came; tell whether anything did."""
        if spliced is None:
            return False
        self.points += [
            RandomAccessPoint(len(self.stream) + at, pts)
            for at, pts in ((p.offset, p.pts) for p in spliced.points)
        ]
        self.stream += spliced.data
        return True

    def item(self, first: int, *, size: int | None = None, chunk: int = 30_000) -> None:
        """Put the encoding on air at ``first``; ``size`` bytes of it, as if it was killed there."""
        intake = Intake(self.profile.rate, Span(first, first + PICTURES))
        data = self.data[:size]
        for at in range(0, len(data), chunk):
            intake.feed(data[at : at + chunk])
            while self.add(self.splicer.take(intake, FAR, self.card)):
                pass
        if size is None:
            while self.add(self.splicer.take(intake, FAR, self.card, ended=True)):
                pass

    def cover(self, pictures: int) -> None:
        """Put the card on air for so many pictures."""
        self.add(self.splicer.cover(self.card, self.splicer.picture + pictures))

    def faults(self) -> list[str]:
        """Return what the referee finds."""
        rate = self.profile.rate
        return examine(self.stream, CLOCK_HZ * rate.den / rate.num).faults


@pytest.mark.parametrize("profile", [material.SMALL, material.CINEMA, material.FAST], ids=lambda p: p.name)
def test_items_cards_and_broken_items_make_one_stream(feeds: Feeds, profile: Profile) -> None:
    """Whole items, cards of any length and an item cut off in the middle join without a gap, and decode cleanly."""
    start = near(profile.rate, 0)
    recorder = Recorder(profile, feeds.data[profile.name], start)
    recorder.item(start)
    assert recorder.splicer.picture == start + PICTURES
    recorder.item(recorder.splicer.picture)
    recorder.cover(37)
    recorder.item(recorder.splicer.picture)
    recorder.item(recorder.splicer.picture, size=100_001)
    recorder.cover(3)
    recorder.item(recorder.splicer.picture)
    path = feeds.folder / f"{profile.name}.ts"
    path.write_bytes(recorder.stream)

    assert recorder.faults() == []
    assert decode_faults(material.FFMPEG, path) == ""


@pytest.mark.parametrize("profile", [material.SMALL, material.CINEMA], ids=lambda p: p.name)
@pytest.mark.parametrize(
    "before", [1.0, PICTURES / 25, 0.2, 5.5], ids=["in an item", "at a join", "at the start", "in a card"]
)
def test_the_33_bit_clock_wraps_anywhere(feeds: Feeds, profile: Profile, before: float) -> None:
    """The wrap of the clock after 26.5 hours leaves no trace, wherever it falls."""
    start = near(profile.rate, 3, before)
    recorder = Recorder(profile, feeds.data[profile.name], start)
    recorder.item(start)
    recorder.cover(90)
    recorder.item(recorder.splicer.picture)
    pictures = examine(recorder.stream).video

    assert recorder.faults() == []
    assert max(pictures) - min(pictures) > 1 << 32


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, 130_000), st.integers(0, 40), st.integers(-60, 30)), min_size=1, max_size=5
    ),
    chunk=st.integers(1, 60_000).filter(lambda size: size > 500),
)
def test_a_feed_may_die_or_come_late_at_any_byte(
    feeds: Feeds, cuts: list[tuple[int, int, int]], chunk: int
) -> None:
    """Wherever feeds are cut, however late the next one joins and however bytes arrive, the stream has no fault."""
    start = near(material.SMALL.rate, 1, 2.0)
    recorder = Recorder(material.SMALL, feeds.data["small"], start)
    for size, cards, late in cuts:
        recorder.cover(cards)
        recorder.item(recorder.splicer.picture + min(late, 0), size=size, chunk=chunk)
        recorder.cover(max(late, 0))
    recorder.cover(5)
    path = feeds.folder / "cuts.ts"
    path.write_bytes(recorder.stream)

    assert recorder.faults() == []
    assert decode_faults(material.FFMPEG, path) == ""


def test_a_feed_that_falls_behind_a_card_joins_anew(feeds: Feeds) -> None:
    """When a card has gone on without a feed that was on air, no picture of it that is past comes any more."""
    start = near(material.SMALL.rate, 0)
    recorder = Recorder(material.SMALL, feeds.data["small"], start)
    intake = Intake(material.SMALL.rate, Span(start, start + PICTURES))
    intake.feed(recorder.data[:60_000])
    recorder.add(recorder.splicer.take(intake, FAR, recorder.card))
    reached = recorder.splicer.picture
    recorder.cover(10)
    intake.feed(recorder.data[60_000:])
    while recorder.add(recorder.splicer.take(intake, FAR, recorder.card, ended=True)):
        pass

    assert start < reached < start + 40
    assert recorder.splicer.picture == start + PICTURES
    assert recorder.splicer.card_pictures == 50 - (reached - start)
    assert recorder.faults() == []


def test_tables_stand_before_every_key_frame(feeds: Feeds) -> None:
    """Every random-access point is the byte where a PAT begins, and its PTS that of the key frame behind it."""
    start = near(material.SMALL.rate, 0)
    recorder = Recorder(material.SMALL, feeds.data["small"], start)
    recorder.item(start)
    recorder.cover(20)
    for point, after in pairwise(recorder.points):
        piece = recorder.stream[point.offset : after.offset]
        report = examine(piece)
        assert piece[0] == 0x47
        assert piece[1:3] == b"\x40\x00"
        assert report.video[0] == point.pts % (1 << 33)
        assert report.keys[0] == report.video[0]

    assert len(recorder.points) >= 4


def test_a_late_feed_is_joined_at_its_next_key_frame(feeds: Feeds) -> None:
    """When a card has covered a feed's beginning, the card goes on up to the feed's key frame and no further."""
    start = near(material.SMALL.rate, 0)
    recorder = Recorder(material.SMALL, feeds.data["small"], start)
    recorder.cover(7)
    recorder.item(start)

    assert recorder.splicer.picture == start + PICTURES
    assert recorder.splicer.card_pictures == 50
    assert recorder.faults() == []


def test_nothing_is_released_beyond_the_limit(feeds: Feeds) -> None:
    """A feed that is ahead is held back at the limit, to the group of pictures that cannot be cut."""
    start = near(material.SMALL.rate, 0)
    recorder = Recorder(material.SMALL, feeds.data["small"], start)
    intake = Intake(material.SMALL.rate, Span(start, start + PICTURES))
    intake.feed(recorder.data)
    recorder.add(recorder.splicer.take(intake, start + 30, recorder.card))

    assert start + 30 <= recorder.splicer.picture <= start + 33
