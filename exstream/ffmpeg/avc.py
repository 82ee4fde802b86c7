"""H.264's units, as far as it must be known where a stream can be entered. PURE."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exstream.mpegts.picture_format import h264_sequence

_START = re.compile(rb"\x00\x00\x01")
_LAST_SLICE, _IDR, _SPS = 5, 5, 7


def length_bytes(extradata: bytes) -> int:
    """Return how many bytes tell each unit's length; 0 where units follow start codes (Annex B)."""
    return (extradata[4] & 3) + 1 if extradata[:1] == b"\x01" and len(extradata) > 4 else 0


def parameter_sets(extradata: bytes) -> list[bytes]:
    """Return the sequence parameter sets beside the stream."""
    if not length_bytes(extradata):
        return sequence_sets(extradata, 0)
    found, at = [], 6
    for _ in range(extradata[5] & 31 if len(extradata) > 5 else 0):
        end = at + 2 + int.from_bytes(extradata[at : at + 2], "big")
        found.append(extradata[at + 2 : end].rstrip(b"\0"))
        at = end
    return found


def sequence_sets(packet: bytes, length_size: int) -> list[bytes]:
    """Return the sequence parameter sets before the first slice of ``packet``."""
    return [unit.rstrip(b"\0") for unit in _opening(packet, length_size) if unit[0] & 31 == _SPS]


def opens_with_idr(packet: bytes, length_size: int) -> bool:
    """Tell whether the first slice of ``packet`` belongs to an instantaneous decoder refresh."""
    kind = 0
    for unit in _opening(packet, length_size):
        kind = unit[0] & 31
    return kind == _IDR


def frames_only(sequence_set: bytes) -> bool:
    """Tell whether pictures of this parameter set are never coded as fields; False where it cannot be read."""
    try:
        return not h264_sequence(sequence_set).fields
    except ValueError:
        return False


def _opening(packet: bytes, length_size: int) -> Iterator[bytes]:
    """Yield the units of ``packet`` up to its first slice, which is the last."""
    for unit in _prefixed(packet, length_size) if length_size else _started(packet):
        yield unit
        if 1 <= unit[0] & 31 <= _LAST_SLICE:
            return


def _prefixed(packet: bytes, length_size: int) -> Iterator[bytes]:
    at = 0
    while at + length_size < len(packet):
        start = at + length_size
        at = start + int.from_bytes(packet[at:start], "big")
        if at > start:
            yield packet[start:at]


def _started(packet: bytes) -> Iterator[bytes]:
    start = -1
    for match in _START.finditer(packet):
        if 0 <= start < match.start():
            yield packet[start : match.start()]
        start = match.end()
    if 0 <= start < len(packet):
        yield packet[start:]
