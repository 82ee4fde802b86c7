"""The shipped channels on their first day: whatever they air is made by then."""

from __future__ import annotations

from itertools import chain

import pytest

from exstream.definitions import load_directory
from exstream.jobs import drafts
from exstream.jobs.demo import NAME, key_of
from exstream.jobs.demo_manifest import CLIPS, FILLERS, OPENING, Clip
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind
from exstream.model.channel import COPY, ChannelDefinition, ChannelId
from exstream.model.profiles import SHIPPED
from exstream.model.programme import Segment, SegmentKind
from exstream.resources import data_path
from exstream.schedule.planner import Planner

PROFILES = frozenset(profile.name for profile in SHIPPED)
NOON_MS = 1_795_262_400_000
SLOWER = 3
"""How much slower than measured the clips may be made."""


def making_seconds(clip: Clip) -> float:
    """Return how long one clip takes, as measured on an idle machine of two cores, one at a time."""
    form = clip.format
    pictures_per_second = 1_000 * (640 * 360) / (form.width * form.height)
    if form.pixel_format.endswith("10le"):
        pictures_per_second /= 3.2
    return (
        0.2
        + clip.pictures
        / pictures_per_second
        / (0.7 if form.interlaced else 1)
        * (len(form.languages) + 1)
        / 2
    )


def catalogue() -> Catalogue:
    return Catalogue.of(
        Item(
            key_of(clip),
            clip.kind,
            clip.title,
            clip.duration_ms,
            NAME,
            show=clip.show,
            season=1 if clip.kind is ItemKind.EPISODE else None,
            episode=clip.episode or None,
            year=clip.year,
            genres=clip.genres,
        )
        for clip in CLIPS
    )


def channels() -> tuple[ChannelDefinition, ...]:
    found = load_directory(data_path("channels"), PROFILES, {})
    assert found.faults == ()
    return tuple(channel for channel in found.channels if channel.enabled)


def first_rows(now_ms: int) -> dict[ChannelId, list[Segment]]:
    """Return what is published at a first start, channel after channel as the publisher does it."""
    rows: dict[ChannelId, list[Segment]] = {}
    for channel in channels():
        place = drafts.next_place(channel, None, now_ms)
        planner = Planner(channel, catalogue())
        for day in drafts.draft(planner, rows, place, place.starts):
            rows.setdefault(channel.id, []).extend(day.segments)
    return rows


def made_by(rows: list[Segment], now_ms: int) -> dict[ItemKey, int]:
    """Return when each clip is made: the opening before ``now_ms``, the rest one by one in the order of air."""
    made = {key_of(clip): now_ms for clip in (*OPENING, *FILLERS)}
    clips = {key_of(clip): clip for clip in CLIPS}
    airing = [row.item for row in sorted(rows, key=lambda row: row.starts) if row.item and row.ends > now_ms]
    at = float(now_ms)
    for key in dict.fromkeys(chain(airing, clips)):
        if key not in made:
            at += SLOWER * making_seconds(clips[key]) * 1000
            made[key] = round(at)
    return made


@pytest.mark.parametrize("second", [0, 1, 17, 31, 45, 59])
def test_no_clip_airs_before_it_is_made(second: int) -> None:
    """From whatever second of a minute the first start publishes, every row's file exists when the row starts."""
    now = NOON_MS + second * 1000
    rows = list(chain.from_iterable(first_rows(now).values()))
    made = made_by(rows, now)
    late = {
        row.title: (row.channel, made[row.item] - row.starts)
        for row in rows
        if row.item and row.ends > now and made[row.item] > max(row.starts, now)
    }
    assert late == {}


def test_the_shipped_channels_are_varied_and_never_empty() -> None:
    """Six channels or more, 102 and 1984.1 among them, one switched off; programmes on all, filler where they align."""
    everything = load_directory(data_path("channels"), PROFILES, {}).channels
    on_air = channels()
    assert len(on_air) >= 6
    assert len(everything) == len(on_air) + 1
    assert {"102", "1984.1"} <= {channel.number for channel in on_air}
    assert {channel.profile for channel in everything} == {"480p25", COPY}
    assert {channel.group for channel in everything} == {NAME}
    rows = first_rows(NOON_MS)
    for channel in on_air:
        hour = [row for row in rows[channel.id] if row.starts < NOON_MS + 3_600_000]
        share = sum(row.ends - row.starts for row in hour if row.kind is SegmentKind.CARD) / 3_600_000
        assert share < 0.05
        assert len({row.item for row in hour if row.kind is SegmentKind.PROGRAMME}) >= 5
        assert any(row.kind is SegmentKind.FILLER for row in hour) == bool(channel.filler)
