"""Headers of sound frames: how long a frame is, in bytes and in samples, and what it sounds like."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.elementary import ADTS_RATES

HEADER_BYTES = 7
"""What a header needs at most."""


class SoundFrame(NamedTuple):
    """The header of one frame. ``fixed`` is what stays the same from frame to frame while nothing changes."""

    size: int
    samples: int
    rate: int
    channels: int
    fixed: bytes

    @property
    def sounds_like(self) -> tuple[int, int]:
        """Rate and channels: where they change a decoder begins anew."""
        return self.rate, self.channels

    @property
    def words(self) -> str:
        """It in words."""
        return f"{self.channels} channel{'' if self.channels == 1 else 's'} at {self.rate} Hz"


Reader = Callable[[bytes, int], SoundFrame | None]
"""Reads the header at a place that has `HEADER_BYTES` behind it; None where there is none."""

_ADTS_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
_AC3_RATES = (48_000, 44_100, 32_000)
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
_EAC3_BLOCKS = (1, 2, 3, 6)
_MPEG_RATES = (44_100, 48_000, 32_000)
_LAYER2_KBPS = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_LAYER3_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LOW_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def adts(data: bytes, at: int) -> SoundFrame | None:
    """Read an AAC frame's ADTS header (ISO/IEC 13818-7)."""
    if data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    index = data[at + 2] >> 2 & 0x0F
    if size < HEADER_BYTES or index >= len(ADTS_RATES):
        return None
    channels = _ADTS_CHANNELS[(data[at + 2] & 1) << 2 | data[at + 3] >> 6]
    samples = 1_024 * ((data[at + 6] & 3) + 1)
    fixed = bytes((data[at + 1], data[at + 2], data[at + 3] & 0xF0))
    return SoundFrame(size, samples, ADTS_RATES[index], channels, fixed)


def dolby(data: bytes, at: int) -> SoundFrame | None:
    """Read an AC-3 or E-AC-3 header (ETSI TS 102 366)."""
    if data[at] != 0x0B or data[at + 1] != 0x77:
        return None
    if data[at + 5] >> 3 > 10:
        return _eac3(data, at)
    index, code = data[at + 4] >> 6, data[at + 4] & 0x3F
    if index == 3 or code >> 1 >= len(_AC3_KBPS):
        return None
    rate, kbps = _AC3_RATES[index], _AC3_KBPS[code >> 1]
    words = kbps * 96_000 // rate + (code & 1 if rate == 44_100 else 0)
    mode = data[at + 6] >> 5
    fixed = bytes((data[at + 4] & 0xC0, data[at + 5], mode))
    return SoundFrame(2 * words, 1_536, rate, _AC3_CHANNELS[mode], fixed)


def _eac3(data: bytes, at: int) -> SoundFrame | None:
    size = 2 * (((data[at + 2] & 7) << 8 | data[at + 3]) + 1)
    index, blocks = data[at + 4] >> 6, data[at + 4] >> 4 & 3
    if index == 3:
        if blocks == 3:
            return None
        rate, count = _AC3_RATES[blocks] // 2, 6
    else:
        rate, count = _AC3_RATES[index], _EAC3_BLOCKS[blocks]
    channels = _AC3_CHANNELS[data[at + 4] >> 1 & 7] + (data[at + 4] & 1)
    # A dependent substream sounds at the same time as the frame before it.
    samples = 0 if data[at + 2] >> 6 == 1 else 256 * count
    return SoundFrame(size, samples, rate, channels, bytes((data[at + 4], data[at + 5] & 0xF8)))


def mpeg_audio(data: bytes, at: int) -> SoundFrame | None:
    """Read the header of a layer II or III frame (ISO/IEC 11172-3, 13818-3)."""
    if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    index, code = data[at + 2] >> 2 & 3, data[at + 2] >> 4
    if version == 1 or layer not in {2, 3} or index == 3 or code in {0, 15}:
        return None
    low = version != 3
    rate = _MPEG_RATES[index] >> (0 if version == 3 else 1 if version == 2 else 2)
    kbps = (_LOW_KBPS if low else _LAYER2_KBPS if layer == 2 else _LAYER3_KBPS)[code]
    samples = 576 if low and layer == 3 else 1_152
    size = samples // 8 * kbps * 1_000 // rate + (data[at + 2] >> 1 & 1)
    mono = data[at + 3] >> 6 == 3
    return SoundFrame(size, samples, rate, 1 if mono else 2, bytes((data[at + 1], data[at + 2] & 0x0C)))


READERS: dict[Codec, Reader] = {
    Codec.AAC: adts,
    Codec.AC3: dolby,
    Codec.EAC3: dolby,
    Codec.MPEG_AUDIO: mpeg_audio,
}
