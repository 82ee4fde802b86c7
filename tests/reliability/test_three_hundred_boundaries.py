"""Three hundred boundaries of items of every way, with the 33-bit wrap in programmes and at joins: not one fault."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from pathlib import Path

import pytest

from exstream.model.catalogue import ItemKey, Media
from exstream.model.channel import ChannelId, Profile
from exstream.model.grid import CLOCK_HZ, Rate
from exstream.model.programme import Cue, Segment, SegmentKind, Way
from exstream.mpegts.conformance import check
from tests import copyable, material
from tests.playout.studio import Rota, Shelf, SpeedyClock, station
from tests.referee import decode_faults, examine

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(900)]

WANTED = 300
SECONDS = 135.0
STAGGER = 0.7
WRAP_MS = ceil((1 << 33) * 7 / CLOCK_HZ * 1000)
FILM = Rate(24_000, 1_001)
PROFILES = (
    *[copyable.profile()] * 8,
    *[copyable.profile(FILM)] * 2,
    *[material.SMALL] * 4,
    *[material.CINEMA] * 2,
)
LENGTHS = (5, 7, 6, 8, 6, 7, 5, 8)
"""Seconds of the files, by their place in the recipes."""
CUT_MS = {2: 4_300, 5: 5_480}
"""Slots that end before their item does, by the place of the item."""


class Listing(Rota):
    """A timetable of items with slots of their own, over and over; the first one begins at ``origin`` (UTC ms)."""

    def __init__(self, slots: Sequence[tuple[ItemKey, int]], origin: int) -> None:
        super().__init__([item for item, _ in slots], 0)
        self._origin = origin
        self._ends = list(accumulate(length for _, length in slots))

    def cue(self, channel: ChannelId, at_ms: int) -> Cue:
        """Return what is on."""
        cycle, within = divmod(at_ms - self._origin, self._ends[-1])
        place = bisect_right(self._ends, within)
        base = self._origin + cycle * self._ends[-1]
        starts = base + (self._ends[place - 1] if place else 0)
        segment = Segment(channel, SegmentKind.PROGRAMME, starts, base + self._ends[place], self.items[place])
        return Cue(segment, at_ms - starts)

    def boundaries(self, first_ms: float, last_ms: float) -> int:
        """Return how many lie between two instants."""
        count, at = -1, round(first_ms)
        while at < last_ms:
            at = self.cue("one", at).segment.ends
            count += 1
        return count


@dataclass(frozen=True)
class Story:
    """One channel's recording."""

    profile: Profile
    data: bytes
    boundaries: int
    ways: frozenset[Way]
    failures: tuple[str, ...]


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> dict[Rate, dict[ItemKey, Media]]:
    """Make every recipe at both rates; return what probing finds out about the files."""
    found: dict[Rate, dict[ItemKey, Media]] = {}
    for rate in (Rate(25), FILM):
        folder = tmp_path_factory.mktemp("items")
        paths = [
            copyable.make(folder, name, seconds=seconds, rate=str(rate))
            for name, seconds in zip(copyable.RECIPES, LENGTHS, strict=True)
        ]
        found[rate] = {str(path): copyable.known(path) for path in paths}
    return found


def listing(media: dict[ItemKey, Media], place: int) -> Listing:
    """Return a timetable of all files, begun with another one on each channel.

    On every other channel a programme begins where the clock wraps, on the others it is in the middle of one.
    """
    slots = [
        (path, CUT_MS.get(number, known.duration_ms)) for number, (path, known) in enumerate(media.items())
    ]
    turned = slots[place % len(slots) :] + slots[: place % len(slots)]
    return Listing(turned, WRAP_MS - (place % 2) * 2_345)


async def watched(place: int, profile: Profile, media: dict[ItemKey, Media]) -> Story:
    """Watch one channel over the wrap."""
    await asyncio.sleep(place * STAGGER)
    timetable = listing(media, place)
    start = WRAP_MS / 1000 - 8 - place * 6
    async with station(timetable, clock=SpeedyClock(start), shelf=Shelf(dict(media)), profile=profile) as on:
        data = await on.record(SECONDS)
        ways = frozenset(feed.order.way for feed in on.feeds.feeds)
        seen = timetable.boundaries(start * 1000 + 1_000, on.clock.air() * 1000 - 1_000)
        return Story(profile, data, seen, ways, tuple(on.notes.failures))


async def test_no_boundary_of_three_hundred_shows_a_fault(
    shelves: dict[Rate, dict[ItemKey, Media]], tmp_path: Path
) -> None:
    """Sixteen channels that copy, copy in part and encode: no error of priority 1, no gap, and a silent decoder."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(watched(place, profile, shelves[profile.rate]))
            for place, profile in enumerate(PROFILES)
        ]
    stories = [task.result() for task in tasks]
    assert sum(story.boundaries for story in stories) >= WANTED
    for place, story in enumerate(stories):
        picture = CLOCK_HZ * story.profile.rate.den / story.profile.rate.num
        name = f"{place} {story.profile.name} {story.failures}"
        report = examine(story.data, picture)
        assert report.faults == [], name
        assert max(report.video) - min(report.video) > 1 << 32, f"{name}: the clock has not wrapped"
        assert check(story.data, rate=story.profile.rate).told() == [], name
        path = tmp_path / f"{place}.ts"
        path.write_bytes(story.data)
        assert decode_faults(material.FFMPEG, path) == "", name
        assert story.ways == (frozenset(Way) if story.profile.copy else {Way.TRANSCODE}), name
