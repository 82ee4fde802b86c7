"""Fragments: a stretch of every track, described and carried."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from exstream.mp4.boxes import box, full, words

_DATA_OFFSET, _DURATION, _SIZE, _FLAGS, _COMPOSITION = 0x1, 0x100, 0x200, 0x400, 0x800
_BASE_IS_MOOF = 0x020000
_ENTRY = struct.Struct(">IIIi")
_KEY = 0x02000000
"""It depends on no other sample."""
_NOT_KEY = 0x01010000
"""It depends on others, and nobody can begin with it."""


class Sample(NamedTuple):
    """A picture or a frame of sound; times are ticks of its track, ``shown`` counts from its decode time."""

    data: bytes
    duration: int
    shown: int = 0
    key: bool = True


class Run(NamedTuple):
    """Samples of one track that follow one another from ``decode`` on, in ticks since the movie's start."""

    track: int
    decode: int
    samples: Sequence[Sample]


def fragment(number: int, runs: Sequence[Run]) -> bytes:
    """Return ``moof`` and ``mdat`` for ``runs``, which all have samples; ``number`` counts fragments from 1."""
    length = len(_described(number, runs, [0] * len(runs)))
    offsets, data = [], []
    at = length + 8
    for run in runs:
        offsets.append(at)
        for sample in run.samples:
            data.append(sample.data)
            at += len(sample.data)
    return _described(number, runs, offsets) + box("mdat", *data)


def _described(number: int, runs: Sequence[Run], offsets: Sequence[int]) -> bytes:
    tracks = [_track(run, offset) for run, offset in zip(runs, offsets, strict=True)]
    return box("moof", full("mfhd", words(number)), *tracks)


def _track(run: Run, offset: int) -> bytes:
    entries = b"".join(
        _ENTRY.pack(sample.duration, len(sample.data), _KEY if sample.key else _NOT_KEY, sample.shown)
        for sample in run.samples
    )
    return box(
        "traf",
        full("tfhd", words(run.track), flags=_BASE_IS_MOOF),
        full("tfdt", run.decode.to_bytes(8, "big"), version=1),
        full(
            "trun",
            words(len(run.samples), offset),
            entries,
            version=1,
            flags=_DATA_OFFSET | _DURATION | _SIZE | _FLAGS | _COMPOSITION,
        ),
    )
