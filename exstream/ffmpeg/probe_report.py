"""What a probe says about a file, and what is made of it. PURE: the probing child writes these words, we read them."""

from __future__ import annotations

from fractions import Fraction
from typing import NotRequired, TypedDict

from exstream.ffmpeg.allowed import VIDEO_CODECS
from exstream.model.catalogue import AudioStream, Cadence, Colour, Media, SubtitleStream, VideoStream
from exstream.model.grid import Rate

PROBE_VERSION = 2
"""Grows when probes look for more: what was found by an older one is looked for again."""
_STANDARD_RATES = tuple(
    Rate(num, den)
    for num, den in (
        *((24_000, 1_001), (24, 1), (25, 1), (30_000, 1_001), (30, 1), (48, 1), (50, 1)),
        *((60_000, 1_001), (60, 1), (100, 1), (120_000, 1_001), (120, 1), (15, 1), (12, 1)),
    )
)
_SAME_RATE = Fraction(3, 10_000)
_STEADY = Fraction(1, 100)
_SLOWEST, _FASTEST = 1, 240
_HOUR_MS = 3_600_000
_LEAST_BITS = 4_000
"""A second. The barest speech takes more; a file of hours that has less is damaged."""
_STILL_CODECS = frozenset({"png", "bmp", "gif", "tiff", "webp"})


class ColourReport(TypedDict):
    """What a picture track says of its colours, in FFmpeg's names; empty where it says nothing."""

    matrix: str
    primaries: str
    transfer: str
    full_range: bool


class CadenceReport(TypedDict):
    """How a picture track runs."""

    starts_us: int
    gop_ms: int
    reorder: int
    short_ms: int


class VideoReport(TypedDict):
    """A picture track; rates are fractions as text, empty when unknown."""

    index: int
    codec: str
    width: int
    height: int
    average_rate: str
    base_rate: str
    sar: str
    interlaced: bool
    pixel_format: str
    rotation: int
    cover: bool
    profile: str
    colour: ColourReport
    cadence: CadenceReport | None


NO_COLOUR: ColourReport = {"matrix": "", "primaries": "", "transfer": "", "full_range": False}


class AudioReport(TypedDict):
    """A sound track."""

    index: int
    codec: str
    channels: int
    sample_rate: int
    language: str
    default: bool
    title: str
    profile: str


class SubtitleReport(TypedDict):
    """An embedded subtitle track."""

    index: int
    codec: str
    language: str
    forced: bool


class Report(TypedDict):
    """What was found in one file, or the ``fault`` that kept us from looking."""

    container: NotRequired[str]
    size: NotRequired[int]
    """In bytes."""
    duration_ms: NotRequired[int]
    video: NotRequired[list[VideoReport]]
    audio: NotRequired[list[AudioReport]]
    subtitles: NotRequired[list[SubtitleReport]]
    fault: NotRequired[str]


def media_of(report: Report) -> Media:
    """Return what ``report`` means; raises ValueError with a reason when the file cannot be put on air."""
    if "fault" in report:
        raise ValueError(report["fault"])
    pictures = [track for track in report.get("video", []) if not track["cover"]]
    video = next((track for track in pictures if track["codec"] not in _STILL_CODECS), None)
    if video is not None and video["codec"] not in VIDEO_CODECS:
        raise ValueError(
            f"its pictures are in a format that is not played here ({video['codec'] or 'unknown'})"
        )
    audio = tuple(AudioStream(**track) for track in report.get("audio", []))
    if video is None and not audio:
        raise ValueError("it has neither pictures nor sound")
    duration_ms, size = report.get("duration_ms", 0), report.get("size")
    if size is not None and duration_ms > _HOUR_MS and size * 8_000 < _LEAST_BITS * duration_ms:
        raise ValueError(
            f"it says that it lasts {duration_ms / _HOUR_MS:.0f} hours, but holds {size // 1_000:,} kB: it is damaged"
        )
    return Media(
        duration_ms=report.get("duration_ms", 0),
        container=report.get("container", ""),
        video=_video(video) if video else None,
        audio=audio,
        subtitles=tuple(SubtitleStream(**track) for track in report.get("subtitles", [])),
        probed=PROBE_VERSION,
    )


def _video(track: VideoReport) -> VideoStream:
    sar = _fraction(track["sar"]) or Fraction(1)
    cadence = track["cadence"]
    return VideoStream(
        index=track["index"],
        codec=track["codec"],
        width=track["width"],
        height=track["height"],
        rate=rate_of(track),
        sar=(sar.numerator, sar.denominator),
        interlaced=track["interlaced"],
        pixel_format=track["pixel_format"],
        rotation=track["rotation"],
        profile=track["profile"],
        colour=Colour(**track["colour"]),
        cadence=Cadence(**cadence) if cadence is not None else None,
    )


def rate_of(track: VideoReport) -> Rate | None:
    """Return the exact rate of a picture track, or None when it varies or makes no sense."""
    return picture_rate(_fraction(track["average_rate"]), _fraction(track["base_rate"]))


def picture_rate(average: Fraction | None, base: Fraction | None) -> Rate | None:
    """Return the exact rate behind what a container says, or None when it varies or makes no sense.

    ``base`` is the grid on which all timestamps lie; for fields coded as pictures it is twice the ``average``.
    """
    found = average or base
    if found is None or not _SLOWEST <= found <= _FASTEST:
        return None
    if average and base:
        grids = [grid for grid in (base, base / 2) if abs(grid / average - 1) <= _STEADY]
        if not grids:
            return None
        found = grids[0]
    for rate in _STANDARD_RATES:
        if abs(found * rate.seconds - 1) <= _SAME_RATE:
            return rate
    found = found.limit_denominator(1_001)
    return Rate(found.numerator, found.denominator)


def why_unreadable(head: bytes, complaint: str) -> str:
    """Say why a file that begins with ``head`` could not be opened; ``complaint`` is what the demuxer said."""
    if not head:
        return "it is empty"
    if not head.strip(b"\0"):
        return "it begins with nothing but zeros: its download or copy is not complete"
    if b"ftyp" in head[:12] and "moov" in complaint:
        return "its index (the moov atom) is missing: the recording or copy is not complete"
    if "whitelist" in complaint or "Invalid data" in complaint:
        return "it is no video or sound file of a kind that is played here"
    return complaint.strip().rpartition("\n")[2]


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text.replace(":", "/")) or None
    except (ValueError, ZeroDivisionError):
        return None
