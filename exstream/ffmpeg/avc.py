"""H.264's units, as far as it must be known where a stream can be entered. PURE."""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(rb"\x00\x00\x01")
_LAST_SLICE, _IDR, _SPS = 5, 5, 7
_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""The values of profile_idc whose parameter sets tell of chroma and scaling."""
_EVERY_CHROMA = 3


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
        return _frames_only(_Bits(sequence_set[1:].replace(b"\0\0\3", b"\0\0")))
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


class _Bits:
    """Reads bits and Exp-Golomb numbers; raises ValueError at the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the parameter set ends too early")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def number(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        number = self.number()
        return (number + 1) // 2 if number & 1 else -(number // 2)


def _frames_only(bits: _Bits) -> bool:
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    bits.number()  # its own number
    if profile in _WITH_CHROMA:
        _pass_chroma(bits)
    bits.number()  # length of frame_num
    _pass_order(bits)
    bits.number()  # reference frames
    bits.take(1)  # gaps
    bits.number()  # width
    bits.number()  # height
    return bits.take(1) == 1


def _pass_chroma(bits: _Bits) -> None:
    chroma = bits.number()
    if chroma == _EVERY_CHROMA:
        bits.take(1)
    bits.number()  # depth of luma
    bits.number()  # depth of chroma
    bits.take(1)
    if bits.take(1):
        for place in range(12 if chroma == _EVERY_CHROMA else 8):
            if bits.take(1):
                _pass_scaling(bits, 16 if place < 6 else 64)


def _pass_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _pass_order(bits: _Bits) -> None:
    """Pass over how the order of display is told."""
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.number()):
            bits.signed()
