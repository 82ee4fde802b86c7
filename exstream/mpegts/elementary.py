"""Elementary streams: H.264 access units (Annex B) and AAC frames (ADTS)."""

from __future__ import annotations

import re

ADTS_RATES = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
"""Samples per second, by the index that an ADTS header gives."""
_DELIMITER = re.compile(rb"\x00\x00\x00?\x01\x09")
_IDR = re.compile(rb"\x00\x00\x01\x65|\x00\x00\x01\x25|\x00\x00\x01\x45")


def access_units(stream: bytes) -> tuple[bytes, ...]:
    """Cut an Annex B stream at its access unit delimiters; raises ValueError where it does not start with one."""
    starts = [match.start() for match in _DELIMITER.finditer(stream)]
    if not starts or starts[0] != 0:
        raise ValueError("the H.264 stream has no access unit delimiters")
    return tuple(stream[start:end] for start, end in zip(starts, [*starts[1:], len(stream)], strict=True))


def is_idr(unit: bytes) -> bool:
    """Tell whether an access unit is an instantaneous decoder refresh."""
    return _IDR.search(unit) is not None


def adts_frames(stream: bytes) -> tuple[bytes, ...]:
    """Cut an ADTS stream into whole frames with their headers; stops at the first thing that is none."""
    frames = []
    position = 0
    while position + 7 <= len(stream) and stream[position] == 0xFF and stream[position + 1] & 0xF0 == 0xF0:
        length = (stream[position + 3] & 3) << 11 | stream[position + 4] << 3 | stream[position + 5] >> 5
        if length < 7 or position + length > len(stream):
            break
        frames.append(stream[position : position + length])
        position += length
    return tuple(frames)
