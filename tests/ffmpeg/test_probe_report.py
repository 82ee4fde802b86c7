"""What is made of a probe's report, and of what ``ffmpeg -i`` prints."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.ffmpeg.probe_report import (
    NO_COLOUR,
    Report,
    VideoReport,
    media_of,
    picture_rate,
    why_unreadable,
)
from exstream.ffmpeg.probe_text import read_report
from exstream.model.catalogue import Cadence, Colour
from exstream.model.grid import Rate

PRINTED = """Input #0, matroska,webm, from 'file:/films/a.mkv':
  Metadata:
    title           : Not a track's title
  Duration: 01:42:03.50, start: 0.000000, bitrate: 710 kb/s
  Stream #0:0(eng): Video: hevc (Main 10), yuv420p10le(tv), 1920x800 [SAR 1:1 DAR 12:5], 23.98 fps, 23.98 tbr (default)
  Stream #0:1[0x1101](ger): Audio: dts (DTS-HD MA), 48000 Hz, 5.1(side), s32p (24 bit) (default)
    Metadata:
      title           : Deutsch
  Stream #0:2(und): Audio: aac (LC), 44100 Hz, stereo, fltp (comment)
  Stream #0:3(eng): Subtitle: subrip (forced)
  Stream #0:4: Video: mjpeg (Baseline), yuvj420p(pc, bt470bg/unknown/unknown), 600x800, 90k tbr, 90k tbn (attached pic)
    Side data:
      displaymatrix: rotation of -90.00 degrees
At least one output file must be specified
"""


def video(**changes: object) -> VideoReport:
    """Return a report of a plain picture track with ``changes``."""
    plain: VideoReport = {
        "index": 0,
        "codec": "h264",
        "width": 320,
        "height": 180,
        "average_rate": "25",
        "base_rate": "25",
        "sar": "",
        "interlaced": False,
        "pixel_format": "yuv420p",
        "rotation": 0,
        "cover": False,
        "profile": "High",
        "colour": NO_COLOUR,
        "cadence": None,
    }
    return cast("VideoReport", {**plain, **changes})


def test_what_ffmpeg_prints_is_understood() -> None:
    """Codecs, sizes, exact rates, languages, titles, flags and turns are read from its lines."""
    media = media_of(read_report(PRINTED, b"\x1a\x45\xdf\xa3"))
    assert media.duration_ms == 6_123_500
    assert media.container == "matroska"
    assert media.video is not None
    assert (media.video.codec, media.video.width, media.video.height) == ("hevc", 1_920, 800)
    assert media.video.rate == Rate(24_000, 1_001)
    assert media.video.pixel_format == "yuv420p10le"
    assert [
        (track.codec, track.channels, track.language, track.default, track.title) for track in media.audio
    ] == [
        ("dts", 6, "ger", True, "Deutsch"),
        ("aac", 2, "", False, "commentary"),
    ]
    assert [(track.codec, track.language, track.forced) for track in media.subtitles] == [
        ("subrip", "eng", True)
    ]


@pytest.mark.parametrize(
    ("average", "base", "rate"),
    [
        ("24000/1001", "24000/1001", Rate(24_000, 1_001)),
        ("23.98", "23.98", Rate(24_000, 1_001)),
        ("2997/125", "24000/1001", Rate(24_000, 1_001)),
        ("29.97", "29.97", Rate(30_000, 1_001)),
        ("25", "50", Rate(25)),
        ("24", "24", Rate(24)),
        ("18", "18", Rate(18)),
        ("26.3", "90000", None),
        ("21.7", "30", None),
        ("", "25", Rate(25)),
        ("", "90000", None),
        ("", "", None),
    ],
)
def test_rates_are_exact_or_unknown(average: str, base: str, rate: Rate | None) -> None:
    """Rounded rates become the standard they stand for; where pictures come irregularly there is none."""
    found = picture_rate(Fraction(average) if average else None, Fraction(base) if base else None)
    assert found == rate


@given(st.fractions(0, 100_000), st.fractions(0, 100_000))
def test_any_rate_is_close_or_none(average: Fraction, base: Fraction) -> None:
    """Whatever a container claims, a rate that is returned is within 2 % of its average and positive."""
    found = picture_rate(average or None, base or None)
    if found is not None and average:
        assert abs(Fraction(found.num, found.den) / average - 1) < Fraction(2, 100)


def test_what_copying_must_know_is_taken_over() -> None:
    """Profile, colours and cadence come from the probing child; what ffmpeg prints says nothing of them."""
    colour = {"matrix": "bt709", "primaries": "bt709", "transfer": "bt709", "full_range": True}
    cadence = {"starts_us": 21_333, "gop_ms": 10_000, "reorder": 2}
    found = media_of({"video": [video(colour=colour, cadence=cadence)]}).video
    assert found is not None
    assert (found.profile, found.colour) == ("High", Colour("bt709", "bt709", "bt709", full_range=True))
    assert found.cadence == Cadence(21_333, 10_000, 2)
    printed = media_of(read_report(PRINTED, b"")).video
    assert printed is not None
    assert (printed.profile, printed.colour, printed.cadence) == ("", Colour(), None)


def test_covers_and_stills_are_no_pictures() -> None:
    """The first moving picture counts, under its own index; a file of covers alone has none."""
    cover, still, film = video(cover=True, codec="mjpeg"), video(index=1, codec="png"), video(index=2)
    media = media_of({"video": [cover, still, film], "audio": []})
    assert media.video is not None
    assert media.video.index == 2
    with pytest.raises(ValueError, match="neither pictures nor sound"):
        media_of({"video": [cover, still], "audio": []})


def test_pictures_that_are_not_let_in_are_named() -> None:
    """A codec beyond the list is refused with its name instead of being shown as black."""
    with pytest.raises(ValueError, match=r"not played here \(magicyuv\)"):
        media_of({"video": [video(codec="magicyuv")]})


@pytest.mark.parametrize(
    ("head", "complaint", "words"),
    [
        (b"", "Invalid data found when processing input", "it is empty"),
        (b"\0" * 4_096, "Invalid data found when processing input", "zeros"),
        (b"\0\0\0\x20ftypisom", "moov atom not found", "moov atom"),
        (b"hello", "Format not on whitelist 'mov'", "kind that is played here"),
        (b"x", "first\nInput/output error", "Input/output error"),
    ],
)
def test_reasons_are_given_in_words_that_help(head: bytes, complaint: str, words: str) -> None:
    """The first bytes and the demuxer's complaint become one reason."""
    assert words in why_unreadable(head, complaint)
    assert "\n" not in why_unreadable(head, complaint)


def test_a_length_that_cannot_be_is_refused() -> None:
    """A small file that says it lasts a day would take the day's schedule: it is damaged, in plain words."""
    report: Report = {"duration_ms": 95_000_000, "size": 250_000, "video": [video()]}
    with pytest.raises(ValueError, match="lasts 26 hours, but holds 250 kB"):
        media_of(report)
    whole: Report = {**report, "size": 250_000_000}
    assert media_of(whole).duration_ms == 95_000_000
