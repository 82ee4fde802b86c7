"""What is seen is what the guide says: recordings of demo channels, read picture by picture."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from exstream.jobs.demo_manifest import Clip
from tests.acceptance.pictures import FILLER_CODES, Seen, clip_of, pictures
from tests.referee import decode_faults, examine
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings
from tests.reliability.server import Server, ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_POOL = "programmes:\n  - pool: {{library: Demo, {}}}\n    order: shuffle\n"
OWN = {
    "interludes": 'number: "301"\nname: Interludes\nprofile: small\n' + _POOL.format("kind: filler"),
    "cinema-interludes": 'number: "302"\nname: Cinema Interludes\nprofile: cinema\n'
    + _POOL.format("kind: filler"),
    "mixture": 'number: "303"\nname: Mixture\nprofile: small\n'
    + _POOL.format("title: [Swifts, Moss and Stone, Wide Screen, Brass Band, Low Tide, The Lighthouse]"),
}
SHIPPED = "lantern-cinema"
BOUNDARIES = {"interludes": 5, "cinema-interludes": 5, "mixture": 2, SHIPPED: 1}
PICTURE = {"cinema-interludes": 1_001 / 24_000}
TICK = 1 / 90_000
UNDER_WAY = 3.0
"""Seconds from the time of a boundary until every viewer has the pictures around it, well counted."""


@pytest.fixture(scope="module")
def station(demo: Server) -> Iterator[Server]:
    """Add channels of short and unlike clips to the demo."""
    files = {demo.data_dir / "channels" / f"{name}.yaml": text for name, text in OWN.items()}
    for file, text in files.items():
        file.write_text(text)
    eventually(lambda: {each["id"] for each in demo.json("channels")} >= OWN.keys(), "the channels are there")
    eventually(lambda: ask(f"{demo.iptv}/readyz").status == 200, "they are published")
    yield demo
    for file in files:
        file.unlink()
    eventually(lambda: len(demo.json("channels")) == 7, "the channels are gone")


def test_every_picture_is_what_the_guide_says(station: Server, tmp_path: Path, ffmpeg: str) -> None:
    """Item and position of every picture are the published ones; the one at a boundary is the new one."""
    began = time.time()
    carded = station.figure("exstream_card_seconds_total")

    def passed(channel: str, wanted: int) -> bool:
        rows = station.guide(channel, began, time.time() + 1)
        return len([row for row in rows if began + 2 < row["starts"] < time.time() - UNDER_WAY]) >= wanted

    with recordings({name: station.stream(name) for name in BOUNDARIES}, tmp_path) as recorded:
        eventually(
            lambda: all(passed(name, wanted) for name, wanted in BOUNDARIES.items()),
            "every channel has shown its boundaries",
            seconds=240,
            pause=1,
        )
        for recording in recorded.values():
            recording.stop()
    carded = station.figure("exstream_card_seconds_total") - carded
    guide = {name: station.guide(name, began - 1, time.time() + 5) for name in BOUNDARIES}
    covered: list[tuple[float, str, Seen]] = []
    for name, wanted in BOUNDARIES.items():
        path, picture = tmp_path / f"{name}.ts", PICTURE.get(name, 0.04)
        assert examine(path.read_bytes(), picture * 90_000).faults == [], name
        assert decode_faults(ffmpeg, path) == "", name
        seen = list(pictures(path))
        covered += [(picture, *each) for each in covered_pictures(seen, guide[name], picture)]
        assert boundaries(seen, guide[name], picture) >= wanted, name
    # Where a programme could not be shown in time there was a card, and the server counts every second of it.
    assert sum(picture for picture, _, _ in covered) <= carded + 1e-6, covered


def programme_at(guide: list[dict[str, Any]], at: float) -> dict[str, Any]:
    """Return what the guide says for an instant; a picture is due at most half a tick beside its time."""
    return next(row for row in guide if row["starts"] <= at + TICK < row["ends"])


def covered_pictures(seen: list[Seen], guide: list[dict[str, Any]], length: float) -> list[tuple[str, Seen]]:
    """Compare every picture with the guide; return those that show nothing, and which programme should be there."""
    nothing = []
    for picture in seen:
        row = programme_at(guide, picture.at)
        clip, into = clip_of(row["title"], row["subtitle"]), picture.at - row["starts"]
        if into >= float(clip.seconds):  # the programme is over, filler follows until the next one
            assert picture.code in FILLER_CODES | {None}, (row, picture)
        elif picture.code is None:
            if clip.code != 0 or into >= length:
                nothing.append((f"{row['title']} {row['subtitle']} after {into:.3f} s", picture))
        else:
            # The item begins with the first picture of the channel at or after its time. A position is told in
            # fiftieths; the clip has pictures of its own, of which some formats leave out two in a row.
            shown = (into + TICK) // length * length
            assert picture.code == clip.code, (row, picture)
            assert -0.04 <= shown - picture.position <= max(_step(clip), 0.04) + 0.02, (row, picture, into)
    return nothing


def _step(clip: Clip) -> float:
    """Return for how long a picture of ``clip`` may stay, in seconds."""
    return float(clip.format.rate.seconds) * (3 if clip.format.variable else 1)


def boundaries(seen: list[Seen], guide: list[dict[str, Any]], length: float) -> int:
    """Count the boundaries at which the picture before shows the old programme and the very next one the new."""
    count = 0
    for before, after in pairwise(seen):
        assert abs(after.at - before.at - length) < 2 * TICK
        old, new = programme_at(guide, before.at), programme_at(guide, after.at)
        if old is new:
            continue
        assert before.at < new["starts"] <= after.at + TICK
        assert after.at - new["starts"] < length
        # What was on before is compared picture by picture; on a channel that keeps to the clock it may be a card.
        clip = clip_of(new["title"], new["subtitle"])
        count += after.code == (clip.code or None)
    return count


def test_xmltv_and_the_api_tell_the_same(demo: Server) -> None:
    """Every programme of every channel is in the XMLTV guide, with the API's times to the second and its titles."""
    now = time.time()
    root = etree.fromstring(ask(f"{demo.iptv}/iptv/xmltv.xml").body)
    names = {each.get("id"): each.findall("display-name")[1].text for each in root.iter("channel")}
    told: dict[str | None, list[tuple[int, int, str, str]]] = {name: [] for name in names.values()}
    for each in root.iter("programme"):
        titles = each.findtext("title") or "", each.findtext("sub-title") or ""
        told[names[each.get("channel")]].append((_unix(each.get("start")), _unix(each.get("stop")), *titles))
    channels = {channel["name"]: channel["id"] for channel in demo.json("channels")}
    assert told.keys() == channels.keys()
    for name, channel in channels.items():
        # XMLTV's times are whole seconds, cut off.
        published = [
            (int(row["starts"]), int(row["ends"]), row["title"], row["subtitle"])
            for row in demo.guide(channel, now, now + 6 * 3_600)
        ]
        first = told[name].index(published[0])
        assert len(published) > 100
        assert told[name][first : first + len(published)] == published


def _unix(written: str | None) -> int:
    return round(datetime.strptime(written or "", "%Y%m%d%H%M%S %z").timestamp())
