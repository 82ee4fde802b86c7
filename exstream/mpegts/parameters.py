"""What a stream says of itself: H.264 parameter sets and ADTS headers, and the names that RFC 6381 gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

AUD, SEQUENCE, PICTURE, FILLER = 9, 7, 8, 12
"""Types of NAL units that carry no picture."""
_HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 138, 244})
_MACROBLOCK = 16
_RATES = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)
_START_CODE = re.compile(rb"\x00\x00\x01")
_EMULATION = re.compile(rb"\x00\x00\x03")


def nal_units(unit: bytes) -> list[bytes]:
    """Cut an access unit in Annex B form into its NAL units, without start codes and trailing zeros."""
    starts = [match.end() for match in _START_CODE.finditer(unit)]
    edges = [*starts, len(unit) + 3]
    return [unit[start : end - 3].rstrip(b"\x00") for start, end in pairwise(edges)]


class _Bits:
    """Reads a raw byte sequence payload bit by bit."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the parameter set ends early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


@dataclass(frozen=True, slots=True)
class VideoParameters:
    """The parameter sets of H.264 pictures, as NAL units, and the size that they say."""

    sequence: bytes
    picture: bytes
    width: int
    height: int

    @classmethod
    def of(cls, unit: bytes) -> Self | None:
        """Read an access unit in Annex B form; None without parameter sets. Raises ValueError on nonsense."""
        units = {nal[0] & 0x1F: nal for nal in reversed(nal_units(unit)) if nal}
        if SEQUENCE not in units or PICTURE not in units:
            return None
        return cls(units[SEQUENCE], units[PICTURE], *_size(units[SEQUENCE]))

    @property
    def codec(self) -> str:
        """The codec's name, such as ``avc1.4d401e``."""
        return f"avc1.{self.sequence[1:4].hex()}"


def _size(sequence: bytes) -> tuple[int, int]:
    """Return width and height of the pictures that a sequence parameter set describes (ISO/IEC 14496-10, 7.3.2.1)."""
    bits = _Bits(_EMULATION.sub(b"\x00\x00", sequence[1:]))
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    chroma = _chroma(bits) if profile in _HIGH_PROFILES else 1
    bits.golomb()
    _order_count(bits)
    bits.golomb()
    bits.take(1)
    columns, rows = bits.golomb() + 1, bits.golomb() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
        rows *= 2
    bits.take(1)
    left, right, top, bottom = (bits.golomb() for _ in range(4)) if bits.take(1) else (0, 0, 0, 0)
    across, down = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}[chroma]
    down *= 2 - frames_only
    return columns * _MACROBLOCK - (left + right) * across, rows * _MACROBLOCK - (top + bottom) * down


def _chroma(bits: _Bits) -> int:
    """Read what only the high profiles have; return the chroma format."""
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    bits.golomb()
    bits.golomb()
    bits.take(1)
    if bits.take(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _scaling_list(bits, 16 if number < 6 else 64)
    return min(chroma, 3)


def _scaling_list(bits: _Bits, length: int) -> None:
    last = following = 8
    for _ in range(length):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _order_count(bits: _Bits) -> None:
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()


@dataclass(frozen=True, slots=True)
class AudioParameters:
    """What an ADTS header says: MPEG-4 audio object type, samples per second, and the channel configuration."""

    object_type: int
    rate: int
    channels: int

    @classmethod
    def of(cls, frame: bytes) -> Self:
        """Read the header of ``frame``; raises ValueError where it is none."""
        if len(frame) < 7 or frame[0] != 0xFF or frame[1] & 0xF6 != 0xF0 or frame[2] >> 2 & 15 >= len(_RATES):
            raise ValueError("this is no ADTS header")
        return cls((frame[2] >> 6) + 1, _RATES[frame[2] >> 2 & 15], (frame[2] & 1) << 2 | frame[3] >> 6)

    @property
    def codec(self) -> str:
        """The codec's name, such as ``mp4a.40.2``."""
        return f"mp4a.40.{self.object_type}"

    @property
    def specific(self) -> bytes:
        """The AudioSpecificConfig of ISO/IEC 14496-3."""
        return (self.object_type << 11 | _RATES.index(self.rate) << 7 | self.channels << 3).to_bytes(2, "big")


def bare(frame: bytes) -> bytes:
    """Return an ADTS frame without its header."""
    return frame[7 if frame[1] & 1 else 9 :]
