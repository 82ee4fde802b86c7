"""H.264's units where a stream is entered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.ffmpeg import avc
from tests import material

SPS, PPS, SEI, IDR, SLICE = (
    b"\x67\x64\x00\x0c\x80",
    b"\x68\xee",
    b"\x06\x05\x01\x80",
    b"\x65\x88",
    b"\x41\x9a",
)


def annex_b(*units: bytes) -> bytes:
    """Return ``units`` behind start codes of three and four bytes in turn."""
    return b"".join(b"\0" * (2 + place % 2) + b"\1" + unit for place, unit in enumerate(units))


def prefixed(*units: bytes) -> bytes:
    """Return ``units`` behind their lengths in four bytes."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def beginning(*arguments: str) -> bytes:
    """Return what x264 writes with ``arguments``, Annex B."""
    return material.run(
        *("-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x192:r=25:d=0.2", "-c:v", "libx264"),
        *(*arguments, "-f", "h264", "-"),
    )


@pytest.mark.parametrize(("written", "size"), [(annex_b, 0), (prefixed, 4)])
def test_an_entry_is_an_idr_however_units_are_marked_off(written: Callable[..., bytes], size: int) -> None:
    """Only the first slice counts, behind whatever parameter sets and messages; both ways of writing are read."""
    assert avc.opens_with_idr(written(SPS, PPS, SEI, IDR), size)
    assert not avc.opens_with_idr(written(SEI, SLICE, IDR), size)
    assert not avc.opens_with_idr(written(SPS, PPS), size)
    assert avc.sequence_sets(written(SPS, PPS, IDR, SPS), size) == [SPS]


def test_what_stands_beside_the_stream_is_read_in_both_forms() -> None:
    """The avcC record tells how long lengths are and holds the sets; Annex B holds them behind start codes."""
    record = b"\x01\x64\x00\x0c\xff\xe1" + len(SPS).to_bytes(2, "big") + SPS + b"\x01\x00\x02" + PPS
    assert (avc.length_bytes(record), avc.parameter_sets(record)) == (4, [SPS])
    assert (avc.length_bytes(annex_b(SPS, PPS)), avc.parameter_sets(annex_b(SPS, PPS))) == (0, [SPS])
    assert (avc.length_bytes(b""), avc.parameter_sets(b"")) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "frames_only"),
    [
        (("-pix_fmt", "yuv420p", "-profile:v", "main"), True),
        (("-pix_fmt", "yuv420p", "-x264-params", "cqm=jvt"), True),
        (("-pix_fmt", "yuv444p", "-x264-params", "cqm=jvt"), True),
        (("-pix_fmt", "yuv420p", "-x264-params", "tff=1"), False),
        (("-pix_fmt", "yuv420p", "-x264-params", "tff=1:cqm=jvt"), False),
        (("-pix_fmt", "yuv444p", "-x264-params", "tff=1:cqm=jvt"), False),
    ],
)
def test_streams_that_may_hold_fields_are_known(arguments: tuple[str, ...], frames_only: bool) -> None:
    """The parameter set is read past everything that encoders put before that bit."""
    stream = beginning(*arguments)
    assert [avc.frames_only(each) for each in avc.sequence_sets(stream, 0)] == [frames_only]


@given(st.binary(max_size=60), st.sampled_from((0, 1, 2, 4)))
def test_anything_can_be_read_without_a_crash(data: bytes, size: int) -> None:
    """Damaged files are full of everything: what cannot be read is no entry and holds perhaps fields."""
    avc.opens_with_idr(data, size)
    avc.parameter_sets(data)
    for each in avc.sequence_sets(data, size):
        avc.frames_only(each)
    assert not avc.frames_only(b"\x67" + data[:3])
