"""The live window: whatever the key frames do, the playlist is one that RFC 8216 allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.grid import Rate
from exstream.mpegts.index import RandomAccessPoint
from exstream.playout import playlist
from exstream.playout.segments import LiveWindow, SegmentRule, Shift
from tests.material import SMALL

SECOND = 90_000
EPOCH = 1_800_000_000
RULE = SegmentRule.of(SMALL)
COPYING = SegmentRule.of(replace(SMALL, copy=True, gop_seconds=12))


@dataclass(frozen=True)
class Entry:
    """An entry as a player reads it; ``steps`` is its discontinuity sequence number."""

    number: int
    seconds: float
    instant: float
    steps: int
    gap: bool


def read(text: str) -> tuple[list[Entry], int]:
    """Read a media playlist; return its entries and the target duration."""
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    tags = dict(re.findall(r"^#(EXT-X-[A-Z-]+):(\d+)$", text, re.MULTILINE))
    number, steps = int(tags["EXT-X-MEDIA-SEQUENCE"]), int(tags["EXT-X-DISCONTINUITY-SEQUENCE"])
    entries, gap, instant, seconds = list[Entry](), False, 0.0, 0.0
    for line in lines:
        name, _, value = line.partition(":")
        if name == "#EXT-X-DISCONTINUITY":
            steps += 1
        elif name == "#EXT-X-GAP":
            gap = True
        elif name == "#EXT-X-PROGRAM-DATE-TIME":
            instant = datetime.fromisoformat(value).timestamp()
        elif name == "#EXTINF":
            seconds = float(value.rstrip(","))
        elif not line.startswith("#"):
            assert line == f"{number}.ts", "the address says the number that the sequence gives it"
            entries.append(Entry(number, seconds, instant, steps, gap))
            number, gap = number + 1, False
    return entries, int(tags["EXT-X-TARGETDURATION"])


def window(rule: SegmentRule = RULE, shifts: list[tuple[float, int]] | None = None) -> LiveWindow:
    """Make a window; ``shifts`` are (seconds of channel time, milliseconds from then on)."""
    moves = shifts or [(0, 0)]
    return LiveWindow(rule, lambda pts: next(ms for since, ms in reversed(moves) if since * SECOND <= pts))


def points(seconds: list[float]) -> list[RandomAccessPoint]:
    """Return key frames at these times, a hundred packets each."""
    return [RandomAccessPoint(18_800 * at, round(each * SECOND)) for at, each in enumerate(seconds)]


@st.composite
def keys(draw: st.DrawFn, longest: float) -> list[RandomAccessPoint]:
    """Draw key frames that lie at most ``longest`` seconds apart."""
    steps = draw(st.lists(st.floats(0.04, longest), min_size=10, max_size=120))
    return points(list(accumulate(steps, initial=EPOCH + draw(st.floats(0, 60)))))


def histories(live: LiveWindow, found: list[RandomAccessPoint]) -> Iterator[list[Entry]]:
    """Give the window one key frame after the other; yield what the playlist says whenever it has changed."""
    for point in found:
        if live.add(point):
            yield read(playlist.media(live.listed(), live.rule))[0]


@given(keys(longest=60.0), st.sampled_from([RULE, COPYING]))
def test_every_playlist_is_one_that_the_rfc_allows(found: list[RandomAccessPoint], rule: SegmentRule) -> None:
    """No entry rounds above the target, numbers run on, nothing listed changes or comes back, enough stays listed."""
    live, told, before = window(rule), dict[int, Entry](), list[Entry]()
    for entries in histories(live, found):
        assert all(round(entry.seconds) <= rule.target for entry in entries)
        assert [entry.number for entry in entries] == list(range(entries[0].number, entries[-1].number + 1))
        assert entries[0].number >= (before[0].number if before else 0)
        assert entries[-1].number > (before[-1].number if before else 0)
        for entry in entries:
            assert told.setdefault(entry.number, entry) == entry
        if before and entries[0].number > before[0].number:
            assert sum(segment.ticks for segment in live.listed()) >= 3 * rule.target * SECOND
        before = entries


@given(keys(longest=11.9))
def test_where_key_frames_come_as_promised_times_are_exact_and_nothing_is_missing(
    found: list[RandomAccessPoint],
) -> None:
    """Within the promise no window is empty, every length is that of the pictures, and the bytes follow on."""
    live = window(COPYING)
    for entries in histories(live, found):
        assert not any(entry.gap for entry in entries)
        for earlier, later in pairwise(entries):
            assert later.instant - earlier.instant == pytest.approx(earlier.seconds, abs=0.002)
        listed = live.listed()
        assert all(one.end == two.begin for one, two in pairwise(listed))
        for segment in listed:
            assert segment.number == segment.pts // (COPYING.window * SECOND)


@given(keys(longest=11.9), st.integers(1, 9))
def test_every_server_gives_the_same_pictures_the_same_name(
    found: list[RandomAccessPoint], late: int
) -> None:
    """A server that goes on air later lists the same segments from its second one on."""
    first, second = window(COPYING), window(COPYING)
    for point in found:
        first.add(point)
    for point in found[late:]:
        second.add(point)
    for segment in second.listed()[1:]:
        assert first.find(segment.number) == segment


@given(keys(longest=11.9))
def test_a_segment_can_be_fetched_long_after_it_was_listed(found: list[RandomAccessPoint]) -> None:
    """It is there for its own length and the longest playlist's after it has left the list."""
    live = window(COPYING)
    left: dict[int, float] = {}
    longest = 0.0
    for entries in histories(live, found):
        now = entries[-1].instant + entries[-1].seconds
        longest = max(longest, sum(entry.seconds for entry in entries))
        for number in range(min(left, default=entries[0].number), entries[0].number):
            left.setdefault(number, now)
        left |= {entry.number: now for entry in entries}
        for number, since in left.items():
            segment = live.find(number)
            if segment is None:
                assert now - since > longest


@st.composite
def encoded(draw: st.DrawFn, rate: Rate) -> list[RandomAccessPoint]:
    """Draw key frames as encoders make them: on the grid, and where programmes begin."""
    first = rate.picture_at(round((EPOCH + draw(st.floats(0, 9))) * 1_000))
    starts = set(draw(st.lists(st.integers(first, first + 1_500), max_size=4)))
    pictures = (
        at for at in range(first, first + 1_500) if at == first or at in starts or rate.is_key_picture(at)
    )
    return [RandomAccessPoint(18_800 * at, rate.ticks_at(picture)) for at, picture in enumerate(pictures)]


@given(st.data(), st.sampled_from([Rate(25), Rate(50), Rate(24_000, 1_001), Rate(60_000, 1_001)]))
def test_what_is_told_beforehand_comes_true_and_in_time(data: st.DataObject, rate: Rate) -> None:
    """The first playlist of an encoded channel has three entries, which stay; each is there when it is to be played."""
    live, told = window(SegmentRule.of(replace(SMALL, rate=rate))), dict[int, Entry]()
    for point in data.draw(encoded(rate)):
        live.add(point)
        if not (segments := live.told()):
            continue
        entries, target = read(playlist.media(segments, live.rule))
        assert len(entries) >= 3
        assert all(round(entry.seconds) <= target and not entry.gap for entry in entries)
        if not told:
            for segment in segments:
                wait = segment.pts + segment.ticks - point.pts if segment.to_come else 0
                assert wait <= segment.pts - segments[0].pts + rate.ticks_at(1)
        for entry in entries:
            assert told.setdefault(entry.number, entry) == entry
    assert len(told) > 3


def test_nothing_is_told_beforehand_where_items_are_sent_as_they_are() -> None:
    """Nobody knows where the key frames of the next one lie."""
    live = window(COPYING)
    for point in points([EPOCH, EPOCH + 10, EPOCH + 20, EPOCH + 30]):
        live.add(point)
        assert live.told() == []
    live.add(points([EPOCH + 40])[0])
    assert [segment.to_come for segment in live.told()] == [False] * 3


def test_a_window_without_a_key_frame_is_a_gap() -> None:
    """The numbers run on over it, the time does too, and no byte is lost."""
    live = window()
    for point in points([EPOCH, EPOCH + 4, EPOCH + 13, EPOCH + 16]):
        live.add(point)
    entries, target = read(playlist.media(live.listed(), RULE))
    assert [entry.gap for entry in entries] == [False, False, True, False]
    assert [entry.seconds for entry in entries] == [4, 4.5 - 0.00001, 4.5 - 0.00001, 3]
    assert target == 4
    assert [(segment.begin, segment.end) for segment in live.listed()] == [
        (0, 18_800),
        (18_800, 37_600),
        (37_600, 37_600),
        (37_600, 56_400),
    ]


def test_an_encoded_channel_has_segments_of_four_seconds() -> None:
    """With a key frame every two seconds of channel time the windows themselves are the segments."""
    live = window()
    for point in points([EPOCH + 1.2, *(EPOCH + 2 * each for each in range(1, 20))]):
        live.add(point)
    entries, target = read(playlist.media(live.listed(), RULE))
    assert target == 4
    assert {entry.seconds for entry in entries[1:]} == {4.0}
    assert entries[-1].instant % 4 == 0


def test_a_step_of_the_wall_is_one_discontinuity_for_ever() -> None:
    """One tag at the first segment behind it, the dates jump there, and the sequence counts it once it is gone."""
    live = window(shifts=[(0, 0), (EPOCH + 21, 3_600_000)])
    told: dict[int, int] = {}
    for entries in histories(live, points([EPOCH + 2 * each for each in range(60)])):
        for entry in entries:
            assert told.setdefault(entry.number, entry.steps) == entry.steps
            moved = entry.number > (EPOCH + 21) // 4
            assert entry.steps == moved
            assert entry.instant == entry.number * 4 + 3_600 * moved
    assert set(told.values()) == {0, 1}


def test_the_count_of_steps_goes_on_when_the_window_begins_anew() -> None:
    """A channel that was off air while the wall was stepped comes back with a discontinuity, not with less of them."""
    live = LiveWindow(RULE, lambda _: 5_000, Shift(0, 3))
    for point in points([EPOCH, EPOCH + 4, EPOCH + 8]):
        live.add(point)
    entries, _ = read(playlist.media(live.listed(), RULE))
    assert [entry.steps for entry in entries] == [4, 4]
    assert live.shift == Shift(5_000, 4)


def test_numbers_and_dates_go_on_over_the_wrap_of_the_stamps() -> None:
    """At 2^33 ticks the stamps in the packets begin anew; names and dates do not."""
    wrap = -(-EPOCH * SECOND // 2**33) * 2**33 / SECOND
    live = window()
    for entries in histories(live, points([wrap - 30 + 2 * each for each in range(30)])):
        assert all(later.number == earlier.number + 1 for earlier, later in pairwise(entries))
        assert all(later.instant > earlier.instant for earlier, later in pairwise(entries))
