"""Which items may be sent as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.ffmpeg.copying import (
    LATEST_START_US,
    LONGEST_GOP_MS,
    MOST_SHORT_MS,
    REORDER,
    CopyClass,
    cheapest,
    commonest,
)
from exstream.model.catalogue import AudioStream, Cadence, Colour, Media, VideoStream
from exstream.model.channel import Profile
from exstream.model.grid import Rate
from exstream.model.programme import Way

CADENCE = Cadence(starts_us=0, gop_ms=10_000, reorder=2)
VIDEO = VideoStream(0, "h264", 1_280, 720, Rate(25), pixel_format="yuv420p", profile="High", cadence=CADENCE)
AUDIO = AudioStream(0, "aac", 2, 48_000, "eng", profile="LC")
MEDIA = Media(3_600_000, "matroska", VIDEO, (AUDIO,))
PROFILE = CopyClass(1_280, 720, 25, 1).profile


def test_a_file_of_the_channels_class_is_sent_as_it_is() -> None:
    """Pictures and stereo AAC of the channel's own format cost nothing; a mute file neither."""
    assert cheapest(MEDIA, PROFILE) is Way.COPY
    assert cheapest(replace(MEDIA, audio=()), PROFILE) is Way.COPY


@pytest.mark.parametrize(
    "audio",
    [
        replace(AUDIO, codec="ac3", profile=""),
        replace(AUDIO, channels=6),
        replace(AUDIO, channels=1),
        replace(AUDIO, sample_rate=44_100),
        replace(AUDIO, profile="HE-AAC"),
        replace(AUDIO, profile=""),
    ],
)
def test_other_sound_alone_is_encoded(audio: AudioStream) -> None:
    """The pictures stay as they are where only the sound differs."""
    assert cheapest(replace(MEDIA, audio=(audio,)), PROFILE) is Way.AUDIO


def test_the_track_that_airs_decides() -> None:
    """A file's other tracks do not matter, whichever the channel's language picks."""
    german = replace(AUDIO, index=1, codec="dts", language="deu")
    media = replace(MEDIA, audio=(AUDIO, german))
    assert cheapest(media, replace(PROFILE, languages=("eng",))) is Way.COPY
    assert cheapest(media, replace(PROFILE, languages=("deu",))) is Way.AUDIO


def test_a_loudness_to_reach_means_encoding_the_sound() -> None:
    """Sound that is sent as it is stays as loud as it is."""
    assert cheapest(MEDIA, replace(PROFILE, loudness=-23.0)) is Way.AUDIO


@pytest.mark.parametrize(
    "video",
    [
        replace(VIDEO, codec="hevc"),
        replace(VIDEO, profile="High 10"),
        replace(VIDEO, profile=""),
        replace(VIDEO, pixel_format="yuv420p10le"),
        replace(VIDEO, sar=(16, 15)),
        replace(VIDEO, interlaced=True),
        replace(VIDEO, rotation=90),
        replace(VIDEO, width=1_279),
        replace(VIDEO, rate=None),
        replace(VIDEO, colour=Colour("bt2020nc")),
        replace(VIDEO, colour=Colour(full_range=True)),
        replace(VIDEO, cadence=None),
        replace(VIDEO, cadence=replace(CADENCE, starts_us=-1)),
        replace(VIDEO, cadence=replace(CADENCE, starts_us=LATEST_START_US + 1)),
        replace(VIDEO, cadence=replace(CADENCE, gop_ms=LONGEST_GOP_MS + 1)),
        replace(VIDEO, cadence=replace(CADENCE, reorder=REORDER + 1)),
        replace(VIDEO, cadence=replace(CADENCE, short_ms=MOST_SHORT_MS + 1)),
    ],
)
def test_whatever_could_break_a_join_is_encoded(video: VideoStream) -> None:
    """Each fact alone keeps a file out of every class."""
    media = replace(MEDIA, video=video)
    assert CopyClass.of(media) is None
    assert cheapest(media, PROFILE) is Way.TRANSCODE


@pytest.mark.parametrize("media", [None, replace(MEDIA, video=None), replace(MEDIA, container="avi")])
def test_what_is_not_known_is_encoded(media: Media | None) -> None:
    """Without a probe, without pictures and from containers that keep no order nothing is copied."""
    assert CopyClass.of(media) is None
    assert cheapest(media, PROFILE) is Way.TRANSCODE


@pytest.mark.parametrize(
    "profile",
    [
        replace(PROFILE, copy=False),
        replace(PROFILE, width=1_920, height=1_080),
        replace(PROFILE, rate=Rate(50)),
        replace(PROFILE, rate=Rate(24_000, 1_001)),
    ],
)
def test_other_channels_get_it_encoded(profile: Profile) -> None:
    """A file is copied only into a channel that copies, and that has its very size and rate."""
    assert cheapest(MEDIA, profile) is Way.TRANSCODE


def test_the_class_with_the_most_hours_is_the_commonest() -> None:
    """Hours count, not files; what cannot be copied counts nothing; a tie is settled always the same way."""
    short = replace(MEDIA, duration_ms=60_000, video=replace(VIDEO, width=640, height=360))
    foreign = replace(MEDIA, duration_ms=10**9, video=replace(VIDEO, codec="hevc"))
    assert commonest([short] * 20 + [MEDIA, foreign, None]) == CopyClass(1_280, 720, 25, 1)
    assert commonest([short] * 61 + [MEDIA]) == CopyClass(640, 360, 25, 1)
    assert commonest([short] * 60 + [MEDIA]) == commonest([MEDIA, *[short] * 60])
    assert commonest([foreign, None]) is None


def test_the_format_of_a_class_is_its_own() -> None:
    """Size and rate are exact; the rates in kbit/s follow them; pyramids and long groups have room."""
    cinema = CopyClass(1_920, 800, 24_000, 1_001).profile
    assert (cinema.name, cinema.width, cinema.height) == ("copy-1920x800-23976", 1_920, 800)
    assert (cinema.rate, cinema.copy) == (Rate(24_000, 1_001), True)
    assert (cinema.reorder, cinema.gop_seconds) == (REORDER, LONGEST_GOP_MS // 1_000)
    assert 3_000 < cinema.video_kbps < cinema.max_kbps < 8_000
