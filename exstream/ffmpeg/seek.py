"""Where to seek in a source so that a picture of it lies exactly on a picture of the channel. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from exstream.model.catalogue import Media, VideoStream

_WITHOUT_INDEX = frozenset({"mpegts", "mpeg", "flv", "asf", "mpegvideo", "h264", "hevc"})
RUN_UP = 5_000_000
"""Longer than the distance of key frames in what people record from the air; where more is known to be needed, more."""

_REORDERED = 300_000
"""A demuxer seeks a little before what it is asked for, where pictures are reordered."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Where the demuxer seeks, and how much is decoded from there and not shown; both in microseconds."""

    start: int
    run_up: int

    @classmethod
    def to(cls, offset_ms: int, media: Media | None, video: VideoStream | None) -> Seek:
        """Seek to a picture of the source, or lips are off by up to half a picture.

        The last digit is rounded down: a seek that lies behind its picture by a microsecond would lose it. A container
        without an index finds the next key frame instead of the last one: there it takes a run-up.
        """
        wanted = on_picture(offset_ms * 1_000, video)
        if media is None or media.container not in _WITHOUT_INDEX:
            return cls(wanted, 0)
        known = video.cadence.gop_ms * 1_000 + _REORDERED if video and video.cadence else 0
        start = on_picture(max(0, wanted - max(RUN_UP, known)), video)
        return cls(start, wanted - start)


def on_picture(microseconds: int, video: VideoStream | None) -> int:
    """Return the start of the source's picture nearest to ``microseconds``, rounded down."""
    if not video or not video.rate:
        return microseconds
    picture = round(Fraction(microseconds * video.rate.num, 1_000_000 * video.rate.den))
    return int(picture * video.rate.seconds * 1_000_000)


def seconds(microseconds: int) -> str:
    """Return ``microseconds`` as ffmpeg reads a time."""
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06}"
