"""The opening of a fragmented movie: what it is made of, and no picture yet."""

from __future__ import annotations

from dataclasses import dataclass

from exstream.mp4.boxes import box, descriptor, full, halves, words

VIDEO_TRACK = 1
AUDIO_TRACK = 2
_NEXT_TRACK = 3
_UNITY = words(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_LANGUAGE = halves(0x55C4, 0)
"""Undetermined."""
_ONE = 0x10000
"""1 as a number with 16 binary places."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """H.264 pictures: their parameter sets as NAL units, their size, and the ticks in a second."""

    sequence: bytes
    picture: bytes
    width: int
    height: int
    timescale: int


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """AAC frames: the AudioSpecificConfig, the samples in a second, and how many channels there are."""

    specific: bytes
    rate: int
    channels: int


def opening(video: VideoFormat, audio: AudioFormat) -> bytes:
    """Return ``ftyp`` and ``moov``; the length is not known and not said."""
    brands = b"iso6" + words(0) + b"iso6" + b"iso5" + b"mp41" + b"avc1"
    header = full(
        "mvhd",
        words(0, 0, 1_000, 0, _ONE),
        halves(0x0100, 0),
        bytes(8),
        _UNITY,
        bytes(24),
        words(_NEXT_TRACK),
    )
    extends = box("mvex", *(full("trex", words(track, 1, 0, 0, 0)) for track in (VIDEO_TRACK, AUDIO_TRACK)))
    return box("ftyp", brands) + box("moov", header, _video_track(video), _audio_track(audio), extends)


def _video_track(video: VideoFormat) -> bytes:
    sets = (
        bytes((1,))
        + video.sequence[1:4]
        + bytes((0xFF, 0xE1))
        + halves(len(video.sequence))
        + video.sequence
        + bytes((1,))
        + halves(len(video.picture))
        + video.picture
    )
    # avc3: every key frame brings its parameter sets again, and they may be others than these.
    entry = box(
        "avc3",
        bytes(6),
        halves(1),
        bytes(16),
        halves(video.width, video.height),
        words(0x480000, 0x480000, 0),
        halves(1),
        bytes(32),
        halves(0x18, 0xFFFF),
        box("avcC", sets),
    )
    size = words(video.width << 16, video.height << 16)
    header = full("vmhd", bytes(8), flags=1)
    return _track(VIDEO_TRACK, halves(0), size, video.timescale, b"vide", header, entry)


def _audio_track(audio: AudioFormat) -> bytes:
    decoder = descriptor(4, b"\x40\x15", bytes(3), words(0, 0), descriptor(5, audio.specific))
    stream = descriptor(3, halves(AUDIO_TRACK), b"\0", decoder, descriptor(6, b"\x02"))
    entry = box(
        "mp4a",
        bytes(6),
        halves(1),
        bytes(8),
        halves(audio.channels, 16, 0, 0),
        words(audio.rate << 16),
        full("esds", stream),
    )
    return _track(
        AUDIO_TRACK, halves(0x0100), words(0, 0), audio.rate, b"soun", full("smhd", bytes(4)), entry
    )


def _track(
    track: int, volume: bytes, size: bytes, timescale: int, kind: bytes, header: bytes, entry: bytes
) -> bytes:
    where = box("dinf", full("dref", words(1), full("url ", flags=1)))
    empty = [full(name, words(0)) for name in ("stts", "stsc", "stco")]
    table = box("stbl", full("stsd", words(1), entry), *empty, full("stsz", words(0, 0)))
    media = box(
        "mdia",
        full("mdhd", words(0, 0, timescale, 0), _LANGUAGE),
        full("hdlr", words(0), kind, bytes(12), b"\0"),
        box("minf", header, where, table),
    )
    about = full(
        "tkhd", words(0, 0, track, 0, 0), bytes(8), halves(0, 0), volume, bytes(2), _UNITY, size, flags=3
    )
    return box("trak", about, media)
