"""The codecs of elementary streams, by stream type and descriptors (ISO/IEC 13818-1, EN 300 468, ATSC A/53)."""

from __future__ import annotations

from enum import StrEnum


class Codec(StrEnum):
    """What is on a PID."""

    MPEG2 = "MPEG-2"
    H264 = "H.264"
    HEVC = "HEVC"
    AAC = "AAC"
    MPEG_AUDIO = "MPEG audio"
    AC3 = "AC-3"
    EAC3 = "E-AC-3"
    OTHER_PICTURES = "other pictures"
    OTHER_SOUND = "other sound"
    DATA = "data"

    @property
    def pictures(self) -> bool:
        """Whether it is shown."""
        return self in _PICTURES

    @property
    def sound(self) -> bool:
        """Whether it is heard."""
        return self in _SOUND


_PICTURES = frozenset({Codec.MPEG2, Codec.H264, Codec.HEVC, Codec.OTHER_PICTURES})
_SOUND = frozenset({Codec.AAC, Codec.MPEG_AUDIO, Codec.AC3, Codec.EAC3, Codec.OTHER_SOUND})
_TYPES = {
    0x01: Codec.MPEG2,
    0x02: Codec.MPEG2,
    0x03: Codec.MPEG_AUDIO,
    0x04: Codec.MPEG_AUDIO,
    0x0F: Codec.AAC,
    0x10: Codec.OTHER_PICTURES,
    0x11: Codec.OTHER_SOUND,
    0x1B: Codec.H264,
    0x24: Codec.HEVC,
    0x33: Codec.OTHER_PICTURES,
    0x81: Codec.AC3,
    0x87: Codec.EAC3,
}
_PRIVATE = 0x06
_DESCRIPTORS = {0x6A: Codec.AC3, 0x7A: Codec.EAC3, 0x7B: Codec.OTHER_SOUND, 0x7C: Codec.OTHER_SOUND}
_REGISTRATION = 0x05
_REGISTERED = {b"AC-3": Codec.AC3, b"EAC3": Codec.EAC3, b"Opus": Codec.OTHER_SOUND, b"HEVC": Codec.HEVC}


def codec_of(stream_type: int, descriptors: bytes) -> Codec:
    """Return the codec of a stream in a PMT; private data may be sound by its descriptors."""
    if stream_type != _PRIVATE:
        return _TYPES.get(stream_type, Codec.DATA)
    at = 0
    while at + 2 <= len(descriptors):
        tag, size = descriptors[at], descriptors[at + 1]
        if tag in _DESCRIPTORS:
            return _DESCRIPTORS[tag]
        if tag == _REGISTRATION:
            return _REGISTERED.get(descriptors[at + 2 : at + 6], Codec.DATA)
        at += 2 + size
    return Codec.DATA
