"""Which format a channel is sent in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.ffmpeg.copying import cheapest
from exstream.jobs.formats import FALLBACK, Formats, shares
from exstream.model.catalogue import AudioStream, Cadence, Catalogue, Item, ItemKind, Media, VideoStream
from exstream.model.channel import COPY, ChannelDefinition, Pool, Query
from exstream.model.grid import Rate
from exstream.model.programme import Way
from tests.material import SMALL

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
STEREO = AudioStream(0, "aac", 2, 48_000, profile="LC")
CINEMA = Rate(24_000, 1_001)


def film(
    number: int, width: int = 1_920, *, hours: int = 1, rate: Rate = CINEMA, codec: str = "h264"
) -> Item:
    """Return a film that could be copied but for a codec other than H.264."""
    video = VideoStream(
        *(0, codec, width, 1_080, rate),
        pixel_format="yuv420p",
        profile="High",
        cadence=Cadence(0, 10_000, 2),
    )
    media = Media(hours * HOUR, "matroska", video, (STEREO,))
    return Item(f"local:{number}", ItemKind.FILM, f"Film {number}", hours * HOUR, "Films", media=media)


def channel(profile: str = COPY, *libraries: str) -> ChannelDefinition:
    """Return a channel of all films."""
    return ChannelDefinition("films", "7", "Films", profile, (Pool("films", Query(libraries=libraries)),))


class Library:
    """A library that grows."""

    def __init__(self, *items: Item) -> None:
        self.current = Catalogue.of(items)

    async def grow(self, formats: Formats, *items: Item) -> None:
        """Take ``items`` in, and tell."""
        self.current = Catalogue.of([*self.current.items.values(), *items])
        await formats.heard(self.current)


def formats(library: Library) -> Formats:
    """Return the formats of channels of ``library``."""
    return Formats({"small": SMALL}, lambda: library.current)


def test_a_profile_is_found_by_its_name() -> None:
    """A name means what the settings say, whatever the items are; one that is gone leaves the channel on air."""
    found = formats(Library(film(1)))
    assert found.of(channel("small")) is SMALL
    assert replace(found.of(channel("gone")), gop_seconds=FALLBACK.gop_seconds) == FALLBACK


def test_segments_are_as_short_as_the_items_allow() -> None:
    """The room between key frames is what the widest item needs; one that comes later and needs more is encoded."""
    near, far = film(1), film(2)
    assert far.media is not None
    assert far.media.video is not None
    assert far.media.video.cadence is not None
    cadence = replace(far.media.video.cadence, gop_ms=11_400)
    far = replace(far, media=replace(far.media, video=replace(far.media.video, cadence=cadence)))
    before = formats(Library(near)).of(channel())
    assert before.gop_seconds == 10
    assert formats(Library(near, far)).of(channel()).gop_seconds == 12
    assert cheapest(near.media, before) is not Way.TRANSCODE
    assert cheapest(far.media, before) is Way.TRANSCODE


def test_a_channel_that_copies_has_the_format_of_most_hours() -> None:
    """The commonest size and rate of the channel's own items count, by their hours."""
    items = [film(1), film(2), film(3, 1_440, hours=3, rate=Rate(25)), film(4, 1_280, hours=9, codec="hevc")]
    found = formats(Library(*items, replace(film(5, 640, hours=90), library="Other"))).of(
        channel(COPY, "Films")
    )
    assert (found.width, found.rate, found.copy) == (1_440, Rate(25), True)


def test_without_anything_to_copy_there_is_a_format_all_the_same() -> None:
    """An empty library, or one of other codecs, airs at 720p25; what can be copied later will be."""
    for library in (Library(), Library(film(1, codec="hevc"))):
        found = formats(library).of(channel())
        assert (found.width, found.height, found.rate, found.copy) == (1_280, 720, Rate(25), True)


async def test_the_answer_stays_until_the_library_tells() -> None:
    """All who ask get one answer; a new snapshot may change it, and what is on air then is known to be outdated."""
    library = Library(film(1))
    found = formats(library)
    taken = found.take(channel())
    assert taken.width == 1_920
    await library.grow(found, film(2))
    assert not found.is_outdated(channel())
    await library.grow(found, film(3, 1_280, hours=8))
    assert found.of(channel()).width == 1_280
    assert found.is_outdated(channel())
    found.take(channel())
    assert not found.is_outdated(channel())


async def test_a_channel_with_other_pools_is_looked_at_anew() -> None:
    """Editing a channel's pools may change its format at once."""
    library = Library(film(1), replace(film(2, 1_280), library="Other"))
    found = formats(library)
    assert found.of(channel(COPY, "Films")).width == 1_920
    assert found.of(channel(COPY, "Other")).width == 1_280


def test_hours_are_told_by_their_way() -> None:
    """Each item counts once, on the cheapest way; an item that is not known or missing is not copied."""
    mute = film(1)
    surround = film(2, hours=2)
    assert surround.media is not None
    surround = replace(surround, media=replace(surround.media, audio=(replace(STEREO, channels=6),)))
    items = (mute, surround, film(3, 1_280, hours=3), replace(film(4), missing=True))
    pools = (Pool("all", Query()), Pool("again", Query()))
    profile = formats(Library(mute)).of(channel())
    assert shares(pools, profile, Catalogue.of(items)) == {
        Way.COPY: HOUR,
        Way.AUDIO: 2 * HOUR,
        Way.TRANSCODE: 3 * HOUR,
    }
