"""What streams say of themselves, read from what real encoders write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.mpegts.elementary import access_units, adts_frames
from exstream.mpegts.parameters import AudioParameters, VideoParameters, bare, nal_units
from tests import material


def pictures(size: str, *options: str) -> bytes:
    """Return the first access unit of a picture of ``size``."""
    source = ("-v", "error", "-f", "lavfi", "-i", f"color=s={size}:d=0.2", "-c:v", "libx264", *options)
    return access_units(material.run(*source, "-x264-params", "aud=1", "-f", "h264", "-"))[0]


@pytest.mark.parametrize(
    ("size", "options", "codec"),
    [
        ("320x180", ("-profile:v", "baseline", "-level", "3"), "avc1.42c01e"),
        ("854x480", ("-profile:v", "main", "-level", "3.1"), "avc1.4d401f"),
        ("1920x1080", ("-profile:v", "high", "-level", "4"), "avc1.640028"),
        ("322x182", ("-pix_fmt", "yuv444p"), "avc1.f4000d"),
        ("720x576", ("-flags", "+ildct+ilme", "-level", "3"), "avc1.64001e"),
        ("1440x1080", ("-pix_fmt", "yuv422p10le", "-level", "4"), "avc1.7a0028"),
    ],
)
def test_the_parameter_sets_say_codec_and_size(size: str, options: tuple[str, ...], codec: str) -> None:
    """Profile, level and the cropped size are read, for every way of coding chroma and fields."""
    found = VideoParameters.of(pictures(size, *options))
    assert found is not None
    assert f"{found.width}x{found.height}" == size
    assert found.codec == codec
    assert found.sequence[0] & 31 == 7
    assert found.picture[0] & 31 == 8


def test_a_picture_without_parameter_sets_says_nothing() -> None:
    """None, not an error: other key frames may bring them."""
    assert VideoParameters.of(b"\x00\x00\x00\x01\x09\xf0\x00\x00\x01\x65\x88") is None


@given(st.binary(max_size=40))
def test_nonsense_is_refused_or_read(junk: bytes) -> None:
    """Whatever follows the start code of a parameter set, there is an answer or a ValueError."""
    unit = b"\x00\x00\x01\x67" + junk + b"\x00\x00\x01\x68\xee"
    try:
        found = VideoParameters.of(unit)
    except ValueError:
        return
    assert found is None or found.width <= 1 << 40


@given(
    st.lists(st.binary(min_size=1, max_size=30).map(lambda data: b"\x41" + data.replace(b"\x00", b"\x01")))
)
def test_units_are_cut_at_their_start_codes(found: list[bytes]) -> None:
    """Start codes of three and four bytes, and zeros behind a unit, belong to no unit."""
    stream = b"".join(b"\x00" * (at % 3) + b"\x00\x00\x01" + nal for at, nal in enumerate(found))
    assert nal_units(stream) == found


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (32_000, 6)])
def test_an_adts_header_says_what_the_sound_is(rate: int, channels: int) -> None:
    """Object type, rate and channels are read, and a decoder takes the configuration made of them."""
    source = ("-v", "error", "-f", "lavfi", "-i", f"anullsrc=r={rate}:d=0.2", "-ac", str(channels))
    frames = adts_frames(material.run(*source, "-c:a", "aac", "-f", "adts", "-"))
    found = AudioParameters.of(frames[1])
    assert (found.object_type, found.rate, found.channels) == (2, rate, channels)
    assert found.codec == "mp4a.40.2"
    assert len(bare(frames[1])) == len(frames[1]) - 7
    assert len(found.specific) == 2
    with pytest.raises(ValueError, match="no ADTS header"):
        AudioParameters.of(bare(frames[1]))
