"""What a server knows of the tracks of a file, in the words of our own probe. PURE.

It says less than the file does: how pictures run (`Cadence`) is never known from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from exstream.model.catalogue import AudioStream, Colour, Media, SubtitleStream, VideoStream
from exstream.model.grid import Rate
from exstream.model.server import ServerId
from exstream.plex.records import MediaRecord, PartRecord, StreamRecord

VIDEO, AUDIO, SUBTITLES = 1, 2, 3
_CODECS = {
    "dca": "dts",
    "dca-ma": "dts",
    "mpeg2": "mpeg2video",
    "pgs": "hdmv_pgs_subtitle",
    "srt": "subrip",
    "vobsub": "dvd_subtitle",
    "dvd": "dvd_subtitle",
    "dvb": "dvb_subtitle",
    "smi": "sami",
    "vtt": "webvtt",
    "pcm": "pcm_s16le",
    "wmav": "wmav2",
    "wmap": "wmapro",
}
_CONTAINERS = {"mkv": "matroska,webm", "mp4": "mov,mp4,m4a,3gp,3g2,mj2", "m4v": "mov,mp4,m4a,3gp,3g2,mj2"}
_PROFILES = {"lc": "LC", "he-aac": "HE-AAC", "he-aacv2": "HE-AACv2", "ma": "DTS-HD MA", "hra": "DTS-HD HRA"}
_RATES = tuple(
    Rate(num, den)
    for num, den in (
        *((24_000, 1_001), (24, 1), (25, 1), (30_000, 1_001), (30, 1), (48, 1), (50, 1)),
        *((60_000, 1_001), (60, 1), (100, 1), (120_000, 1_001), (120, 1), (15, 1), (12, 1)),
    )
)
_SAME_RATE = Fraction(3, 10_000)
_NAMED_RATES = {
    "24p": Rate(24),
    "pal": Rate(25),
    "ntsc": Rate(30_000, 1_001),
    "50p": Rate(50),
    "60p": Rate(60),
}


def media_of(media: MediaRecord, part: PartRecord, server: ServerId) -> Media | None:
    """Return what is in ``part``, or None where the server did not list its tracks."""
    video = _video(media, [stream for stream in part.streams if stream.kind == VIDEO])
    sound = _inside(part.streams, AUDIO)
    if video is None and not sound:
        return None
    container = part.container or media.container
    return Media(
        duration_ms=part.duration or media.duration,
        container=_CONTAINERS.get(container, container),
        video=video,
        audio=tuple(_audio(index, stream) for index, stream in enumerate(sound)),
        subtitles=(
            *(_subtitle(index, stream) for index, stream in enumerate(_inside(part.streams, SUBTITLES))),
            *(_beside(stream, server) for stream in part.streams if _is_beside(stream)),
        ),
    )


def location_of(server: ServerId, address: str) -> str:
    """Return where the bytes at a server's ``address`` are read: the same for as long as they are."""
    return f"plex://{server}{address}"


@lru_cache(maxsize=64)  # the rates of all files are a handful
def rate_of(stream_rate: float, named: str) -> Rate | None:
    """Return the exact rate behind what a server says, 23.976 or "NTSC"; None where it makes no sense."""
    if not 1 <= stream_rate <= 240:
        return _NAMED_RATES.get(named.casefold())
    found = Fraction(stream_rate).limit_denominator(100_000)
    for rate in _RATES:
        if abs(found * rate.seconds - 1) <= _SAME_RATE:
            return rate
    found = found.limit_denominator(1_001)
    return Rate(found.numerator, found.denominator)


def _inside(streams: Sequence[StreamRecord], kind: int) -> list[StreamRecord]:
    """Return the tracks of ``kind`` in the order of the file."""
    inside = [stream for stream in streams if stream.kind == kind and not _is_beside(stream)]
    return sorted(inside, key=lambda stream: stream.index or 0)


def _is_beside(stream: StreamRecord) -> bool:
    return stream.kind == SUBTITLES and stream.index is None and bool(stream.key)


def _video(media: MediaRecord, streams: Sequence[StreamRecord]) -> VideoStream | None:
    if not streams:
        return None
    stream = min(streams, key=lambda stream: stream.index or 0)
    return VideoStream(
        index=0,
        codec=_codec(stream.codec or media.video_codec),
        width=stream.width or media.width,
        height=stream.height or media.height,
        rate=rate_of(stream.frame_rate, media.frame_rate),
        sar=_aspect(stream.sample_aspect),
        interlaced=stream.scan.startswith("interlaced"),
        pixel_format=_pixel_format(stream),
        profile=_profile(stream.profile),
        colour=Colour(
            matrix=stream.colour_space,
            primaries=stream.colour_primaries,
            transfer=stream.colour_transfer,
            full_range=stream.colour_range in {"pc", "jpeg", "full"},
        ),
    )


def _audio(index: int, stream: StreamRecord) -> AudioStream:
    return AudioStream(
        index=index,
        codec=_codec(stream.codec),
        channels=stream.channels,
        sample_rate=stream.sample_rate,
        language=stream.language,
        default=stream.default,
        title=stream.title,
        profile=_profile(stream.profile),
    )


def _subtitle(index: int, stream: StreamRecord) -> SubtitleStream:
    return SubtitleStream(_codec(stream.codec), index, stream.language, stream.forced)


def _beside(stream: StreamRecord, server: ServerId) -> SubtitleStream:
    path = location_of(server, stream.key)
    return SubtitleStream(_codec(stream.codec), language=stream.language, forced=stream.forced, path=path)


def _codec(word: str) -> str:
    return _CODECS.get(word, word)


def _profile(word: str) -> str:
    return _PROFILES.get(word.casefold(), word.title())


def _aspect(word: str) -> tuple[int, int]:
    across, _, down = word.partition(":")
    if across.isdecimal() and down.isdecimal() and int(across) and int(down):
        return int(across), int(down)
    return 1, 1


def _pixel_format(stream: StreamRecord) -> str:
    """Return FFmpeg's name of the usual planar formats, "" where too little is known."""
    chroma = stream.chroma.replace(":", "")
    if chroma not in {"420", "422", "444"}:
        return ""
    return f"yuv{chroma}p" + (f"{stream.bit_depth}le" if stream.bit_depth > 8 else "")
