"""Parameter sets of pictures: what a decoder is set up with, and whether it changes under way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from exstream.mpegts.bits import Bits
from exstream.mpegts.conformance.codecs import Codec
from exstream.mpegts.conformance.findings import Kind, Ledger, Severity
from exstream.mpegts.picture_format import PictureFormat, h264_sequence, hevc_sequence, mpeg2_sequence

HEAD_BYTES = 4_096
"""Parameter sets stand before the first slice: this much of a picture is looked at."""
_START = re.compile(rb"\x00\x00\x01")
_H264_SPS, _H264_PPS = 7, 8
_HEVC_VPS, _HEVC_SPS, _HEVC_PPS = 32, 33, 34
_MPEG2_SEQUENCE, _MPEG2_PICTURE = 0xB3, 0x00
_NAMES = {_H264_SPS: "SPS", _H264_PPS: "PPS", _HEVC_VPS: "VPS", _HEVC_SPS: "SPS", _HEVC_PPS: "PPS"}


class ParameterSets:
    """Compares every parameter set with the one of its number before it."""

    def __init__(self, ledger: Ledger, codec: Codec) -> None:
        self._ledger = ledger
        self._codec = codec
        self._known: dict[tuple[int, int], bytes] = {}
        self.sequence: PictureFormat | None = None
        """What the last one said."""
        self.changes = 0

    def take(self, head: bytes, packet: int) -> None:
        """Look at the first bytes of a picture."""
        changed: list[str] = []
        for kind, unit in _sets(head, self._codec):
            try:
                sequence = _sequence(self._codec, kind, unit)
                number = sequence.number if sequence is not None else _number(self._codec, kind, unit)
            except ValueError:
                continue
            if self._known.get((kind, number)) == unit:
                continue
            if sequence is not None and self._resized(sequence, packet):
                self._known.clear()
                changed.clear()
            elif (kind, number) in self._known:
                changed.append(_NAMES.get(kind, "sequence header"))
            self._known[kind, number] = unit
        if changed:
            self.changes += 1
            names = " and ".join(dict.fromkeys(changed))
            self._ledger.note(
                Kind.PARAMETERS,
                packet,
                f"{names} with other content, pictures of the same size",
                severity=Severity.WARNING,
            )

    def _resized(self, sequence: PictureFormat, packet: int) -> bool:
        """Take what is said of the pictures; tell whether they are others now."""
        before, self.sequence = self.sequence, sequence
        if before is None or before[1:] == sequence[1:]:
            return False
        self.changes += 1
        self._ledger.note(Kind.PARAMETERS, packet, f"pictures of {before.words} become {sequence.words}")
        return True


def _sequence(codec: Codec, kind: int, unit: bytes) -> PictureFormat | None:
    match codec, kind:
        case Codec.H264, 7:
            return h264_sequence(unit)
        case Codec.HEVC, 33:
            return hevc_sequence(unit)
        case Codec.MPEG2, 0xB3:
            return mpeg2_sequence(unit)
        case _:
            return None


def _number(codec: Codec, kind: int, unit: bytes) -> int:
    """Return the number of a picture or video parameter set."""
    if kind == _HEVC_VPS:
        return Bits(unit[2:]).take(4)
    return Bits(unit[2 if codec is Codec.HEVC else 1 :]).unsigned()


def _sets(head: bytes, codec: Codec) -> Iterator[tuple[int, bytes]]:
    """Return the parameter sets before the first slice: their NAL unit type and bytes, whole ones only."""
    starts = [match.end() for match in _START.finditer(head)]
    for begin, end in pairwise(starts):
        unit = head[begin : end - 3].rstrip(b"\x00")
        if not unit:
            continue
        match codec:
            case Codec.H264:
                kind = unit[0] & 0x1F
                slices, wanted = 1 <= kind <= 5, kind in {_H264_SPS, _H264_PPS}
            case Codec.HEVC:
                kind = unit[0] >> 1 & 0x3F
                slices, wanted = kind < _HEVC_VPS, kind in {_HEVC_VPS, _HEVC_SPS, _HEVC_PPS}
            case Codec.MPEG2:
                kind = unit[0]
                slices, wanted = kind == _MPEG2_PICTURE, kind == _MPEG2_SEQUENCE
            case _:
                return
        if slices:
            return
        if wanted:
            yield kind, unit
