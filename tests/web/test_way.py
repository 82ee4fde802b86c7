"""How an item is brought into its channel's format, as the API and the pages tell it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from exstream.jobs.formats import Formats
from exstream.model.catalogue import AudioStream, Cadence, Catalogue, Media, VideoStream
from exstream.model.channel import COPY
from exstream.model.grid import Rate
from exstream.model.programme import Segment, SegmentKind
from tests.web.station import CHANNELS, HOUR, ITEMS, Station, station
from tests.web.wire import ask, served

pytestmark = pytest.mark.anyio

VIDEO = VideoStream(
    *(0, "h264", 1_920, 1_080, Rate(25)),
    pixel_format="yuv420p",
    profile="High",
    cadence=Cadence(0, 2_000, 2),
)
MEDIA = Media(HOUR, "mov", VIDEO, (AudioStream(0, "aac", 2, 48_000, profile="LC"),))
SURROUND = replace(MEDIA, audio=(AudioStream(0, "ac3", 6, 48_000),))
OLD = replace(MEDIA, video=replace(VIDEO, codec="mpeg2video"))


def copying() -> Station:
    """Return a station whose channels copy; its three items are each brought in in another way, hour by hour."""
    made = station(channels=[replace(each, profile=COPY) for each in CHANNELS], length_ms=HOUR)
    items = zip(ITEMS, (MEDIA, SURROUND, OLD), strict=True)
    made.shelf.current = Catalogue.of(replace(item, media=media) for item, media in items)
    made.parts = replace(made.parts, formats=Formats({}, lambda: made.shelf.current))
    return made


async def test_the_timeline_tells_each_programmes_way() -> None:
    """Copied, with its sound encoded, or transcoded: the API has a word for each, the page plain ones."""
    query = "channel=7&from=2027-01-01T12:00:00Z&to=2027-01-01T15:00:00Z"
    async with served(copying()) as ports:
        programmes = json.loads((await ask(ports.iptv, f"/api/v1/guide?{query}")).body)
        found = json.loads((await ask(ports.iptv, "/api/v1/channels/7")).body)
        starts = [1_798_804_800_000 + HOUR * hour for hour in range(3)]
        pages = [await ask(ports.iptv, f"/programme/7/{start}") for start in starts]
        channel = await ask(ports.iptv, "/channel/7")
    assert {each["title"]: each["way"] for each in programmes if each["kind"] == "film"} == {
        "Alpha & <Omega>": "copy"
    }
    assert {each["subtitle"]: each["way"] for each in programmes if each["kind"] == "episode"} == {
        'The "Pilot"': "audio",
        "Second Night": "transcode",
    }
    assert (found["format"]["width"], found["format"]["rate"]) == (1_920, "25")
    assert "1920×1080" in channel.text
    text = "".join(page.text for page in pages)
    for words in ("Sent as it is", "Pictures sent as they are, sound encoded", "Encoded for this channel"):
        assert text.count(words) == 1


async def test_a_card_has_no_way_and_the_rest_of_an_item_is_encoded() -> None:
    """Where no item is on there is nothing to bring in; a segment from inside an item begins at no key frame."""
    made = copying()
    begin = 1_798_804_800_000

    async def rows(channel: str, _start: int, _end: int) -> list[Segment]:
        return [
            Segment(channel, SegmentKind.PROGRAMME, begin, begin + 1_000, ITEMS[0].key, 60_000, "Alpha"),
            Segment(channel, SegmentKind.CARD, begin + HOUR, begin + 2 * HOUR, title="Off air"),
        ]

    made.parts.timeline.rows = rows  # type: ignore[method-assign] # a fake of one method
    query = "channel=7&from=2027-01-01T12:00:00Z&to=2027-01-01T14:00:00Z"
    async with served(made) as ports:
        programmes = json.loads((await ask(ports.iptv, f"/api/v1/guide?{query}")).body)
        page = await ask(ports.iptv, f"/programme/7/{begin + HOUR}")
    assert {each["title"]: each["way"] for each in programmes} == {
        "Alpha & <Omega>": "transcode",
        "Off air": None,
    }
    assert page.status == 200
    assert "ncoded" not in page.text
