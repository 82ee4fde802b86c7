"""What a stream says of itself: H.264 parameter sets and ADTS headers, and the names that RFC 6381 gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from exstream.mpegts.elementary import ADTS_RATES
from exstream.mpegts.picture_format import h264_sequence

AUD, SEQUENCE, PICTURE, FILLER = 9, 7, 8, 12
"""Types of NAL units that carry no picture."""
_START_CODE = re.compile(rb"\x00\x00\x01")


def nal_units(unit: bytes) -> list[bytes]:
    """Cut an access unit in Annex B form into its NAL units, without start codes and trailing zeros."""
    starts = [match.end() for match in _START_CODE.finditer(unit)]
    edges = [*starts, len(unit) + 3]
    return [unit[start : end - 3].rstrip(b"\x00") for start, end in pairwise(edges)]


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
        shown = h264_sequence(units[SEQUENCE])
        return cls(units[SEQUENCE], units[PICTURE], shown.width, shown.height)

    @property
    def codec(self) -> str:
        """The codec's name, such as ``avc1.4d401e``."""
        return f"avc1.{self.sequence[1:4].hex()}"


@dataclass(frozen=True, slots=True)
class AudioParameters:
    """What an ADTS header says: MPEG-4 audio object type, samples per second, and the channel configuration."""

    object_type: int
    rate: int
    channels: int

    @classmethod
    def of(cls, frame: bytes) -> Self:
        """Read the header of ``frame``; raises ValueError where it is none."""
        if (
            len(frame) < 7
            or frame[0] != 0xFF
            or frame[1] & 0xF6 != 0xF0
            or frame[2] >> 2 & 15 >= len(ADTS_RATES)
        ):
            raise ValueError("this is no ADTS header")
        return cls((frame[2] >> 6) + 1, ADTS_RATES[frame[2] >> 2 & 15], (frame[2] & 1) << 2 | frame[3] >> 6)

    @property
    def codec(self) -> str:
        """The codec's name, such as ``mp4a.40.2``."""
        return f"mp4a.40.{self.object_type}"

    @property
    def specific(self) -> bytes:
        """The AudioSpecificConfig of ISO/IEC 14496-3."""
        return (self.object_type << 11 | ADTS_RATES.index(self.rate) << 7 | self.channels << 3).to_bytes(
            2, "big"
        )


def bare(frame: bytes) -> bytes:
    """Return an ADTS frame without its header."""
    return frame[7 if frame[1] & 1 else 9 :]
