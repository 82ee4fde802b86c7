"""What sequence parameter sets say of the pictures: their size and their format."""

from __future__ import annotations

from typing import NamedTuple

from exstream.mpegts.bits import Bits

_FORMATS = ("4:0:0", "4:2:0", "4:2:2", "4:4:4")
_CROP = ((1, 1), (2, 2), (2, 1), (1, 1))
"""How many luma samples one unit of cropping is, across and down, by chroma format."""
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""The H.264 profiles that name a chroma format."""


class PictureFormat(NamedTuple):
    """Width and height as shown, chroma format (0 to 3) and bits a sample; ``number`` names the parameter set.

    ``fields`` says that pictures may be coded as fields.
    """

    number: int
    width: int
    height: int
    chroma: int
    depth: int
    fields: bool = False

    @property
    def words(self) -> str:
        """It in words."""
        return f"{self.width}x{self.height} {_FORMATS[self.chroma]} {self.depth} bit"


def h264_sequence(unit: bytes) -> PictureFormat:
    """Read an H.264 sequence parameter set (7.3.2.1.1); raises ValueError where it is none."""
    bits = Bits(unit[1:])
    profile = bits.take(8)
    bits.take(16)
    number = bits.unsigned()
    chroma, depth = 1, 8
    if profile in _HIGH:
        chroma = bits.unsigned()
        if chroma > 3:
            raise ValueError("no such chroma format")
        if chroma == 3:
            bits.take(1)
        depth = 8 + bits.unsigned()
        bits.unsigned()
        bits.take(1)
        if bits.take(1):
            _skip_scaling(bits, 8 if chroma != 3 else 12)
    bits.unsigned()
    _skip_order(bits)
    bits.unsigned()
    bits.take(1)
    width, height = 16 * (bits.unsigned() + 1), 16 * (bits.unsigned() + 1)
    frames_only = bits.take(1)
    height *= 2 - frames_only
    bits.take(1 if frames_only else 2)
    left, right, top, bottom = [bits.unsigned() for _ in range(4)] if bits.take(1) else (0, 0, 0, 0)
    across, down = _CROP[chroma]
    down *= 2 - frames_only
    width, height = width - across * (left + right), height - down * (top + bottom)
    return PictureFormat(number, width, height, chroma, depth, not frames_only)


def _skip_scaling(bits: Bits, count: int) -> None:
    for index in range(count):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.signed()) % 256
            last = following or last


def _skip_order(bits: Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()


def hevc_sequence(unit: bytes) -> PictureFormat:
    """Read an HEVC sequence parameter set (7.3.2.2.1); raises ValueError where it is none."""
    bits = Bits(unit[2:])
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    _skip_profile(bits, layers)
    number = bits.unsigned()
    chroma = bits.unsigned()
    if chroma > 3:
        raise ValueError("no such chroma format")
    if chroma == 3:
        bits.take(1)
    width, height = bits.unsigned(), bits.unsigned()
    left, right, top, bottom = [bits.unsigned() for _ in range(4)] if bits.take(1) else (0, 0, 0, 0)
    across, down = _CROP[chroma]
    depth = 8 + bits.unsigned()
    return PictureFormat(
        number, width - across * (left + right), height - down * (top + bottom), chroma, depth
    )


def _skip_profile(bits: Bits, layers: int) -> None:
    bits.take(88 + 8)
    flags = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in flags:
        bits.take(88 * profile + 8 * level)


def mpeg2_sequence(unit: bytes) -> PictureFormat:
    """Read an MPEG-1 or MPEG-2 sequence header (ISO/IEC 13818-2, 6.2.2.1); raises ValueError where it is none."""
    if len(unit) < 4:
        raise ValueError("the sequence header is cut off")
    return PictureFormat(0, unit[1] << 4 | unit[2] >> 4, (unit[2] & 0x0F) << 8 | unit[3], 1, 8)
