"""The demo's channel that copies, and clips that an older version has looked into."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exstream.definitions import load_directory
from exstream.ffmpeg.copying import cheapest
from exstream.ffmpeg.probe_report import PROBE_VERSION
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.demo import DemoLibrary, key_of
from exstream.jobs.demo_manifest import CLIPS, OPENING
from exstream.jobs.formats import Formats
from exstream.model.channel import COPY
from exstream.model.grid import Rate
from exstream.model.programme import Way
from exstream.resources import data_path
from exstream.store.catalogue import CatalogueStore
from tests.jobs.test_demo import SHORT, Build, build

__all__ = ["build"]
pytestmark = pytest.mark.anyio


@pytest.mark.timeout(120)
async def test_one_shipped_channel_copies_encodes_sound_and_transcodes(
    build: Build, catalogue: CatalogueHolder
) -> None:
    """Harbour Television is sent in the format of its opening from the first minute, and airs all three ways."""
    [channel] = [c for c in load_directory(data_path("channels"), (), {}).channels if c.profile == COPY]
    clips = tuple(clip for clip in CLIPS if clip.show == "Harbour Road" or clip in OPENING)
    library = build(clips)
    await library.install()
    await library.make_opening()
    profile = Formats({}, lambda: catalogue.current).of(channel)
    assert (profile.width, profile.height, profile.rate) == (640, 360, Rate(25))
    await library.run()
    assert Formats({}, lambda: catalogue.current).of(channel) == profile
    ways = {clip.title: cheapest(catalogue.current.items[key_of(clip)].media, profile) for clip in clips}
    assert {title: way for title, way in ways.items() if way is not Way.COPY} == {
        "Low Tide": Way.TRANSCODE,
        "The Lighthouse": Way.TRANSCODE,
        "High Water": Way.AUDIO,
    }
    assert sum(way is Way.COPY for way in ways.values()) == len(OPENING) + 2


async def test_clips_of_an_older_version_are_looked_into_once_more(
    build: Build, catalogue: CatalogueHolder, shelves: CatalogueStore, tmp_path: Path
) -> None:
    """What is there is not made again: in the background it is learnt what the old version did not look for."""
    first = build()
    library = await first.install()
    await first.run()
    now = dict(catalogue.current.items)
    old = []
    for item in now.values():
        assert item.media is not None
        assert item.media.probed == PROBE_VERSION
        old.append(replace(item, media=replace(item.media, video=None, probed=0)))
    await shelves.apply(library.id, old)

    again: DemoLibrary = build()
    await again.install()
    assert again.waiting() == ()
    assert {item.media and item.media.probed for item in catalogue.current.items.values()} == {0}
    (tmp_path / "demo" / SHORT[0].path).write_bytes(b"damaged")
    await again.run()
    lost = key_of(SHORT[0])
    assert {key: item for key, item in catalogue.current.items.items() if key != lost} == {
        key: item for key, item in now.items() if key != lost
    }
    assert catalogue.current.items[lost].media is not None
