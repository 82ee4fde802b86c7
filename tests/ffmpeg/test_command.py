"""Command lines as pure text: what users type never becomes an option, and the grid's arithmetic is exact."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.ffmpeg.command import card, programme, silence
from exstream.ffmpeg.encoding import h264_level, key_frame_expression
from exstream.ffmpeg.seek import Seek
from exstream.ffmpeg.sound import SoundSpan
from exstream.model.catalogue import Cadence, Media, Source
from exstream.model.channel import Profile
from exstream.model.grid import Rate, Span
from exstream.model.profiles import SHIPPED
from exstream.model.programme import Order
from tests.ffmpeg.clips import FILM, NTSC, SMALL, SOUND, picture

RATES = st.sampled_from([Rate(25), Rate(50), FILM, NTSC, Rate(60_000, 1_001), Rate(30), Rate(24)])
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
FIRST = st.integers(0, 60 * 2_000_000_000)


def ordered(location: str, first: int = 1_000, pictures: int = 50) -> Order:
    """Return an order of a plain source at ``location``."""
    media = Media(60_000, video=picture(), audio=SOUND)
    return Order(Source(location, media), Span(first, first + pictures), 5_000, SMALL)


@given(NAMES)
def test_a_name_never_changes_the_options(name: str) -> None:
    """Whatever a file is called, the argv differs only in the addresses behind ``-i``."""
    plain, odd = programme(ordered("/x")), programme(ordered(f"/{name}"))
    addresses = [at + 1 for at, word in enumerate(plain) if word == "-i"]
    assert len(addresses) == 2
    assert len(odd) == len(plain)
    for at, (word, expected) in enumerate(zip(odd, plain, strict=True)):
        assert word == (f"file:/{name}" if at in addresses else expected)


def test_the_gateway_is_asked_once() -> None:
    """A capability is good for one request: picture and sound come through one address."""
    argv = programme(ordered("http://127.0.0.1:8411/m/abc"))
    assert argv.count("-i") == argv.count("http://127.0.0.1:8411/m/abc") == 1


def test_the_same_order_gives_the_same_words_in_every_process() -> None:
    """A restart, on any machine, asks for exactly the same: nothing depends on the hash seed."""
    script = (
        "from tests.ffmpeg.test_command import ordered; from exstream.ffmpeg.command import programme;"
        "print(programme(ordered('/x')))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert outputs == {f"{programme(ordered('/x'))}\n"}


def test_every_input_is_kept_to_the_whitelists() -> None:
    """Protocols, formats and codecs are named before the source; a file may open files, a loopback URL http."""
    for location, protocols in (("/x.mkv", "file"), ("http://127.0.0.1:8411/m/abc", "http,tcp")):
        argv = programme(ordered(location))
        before = argv[: argv.index("-i")]
        assert before[before.index("-protocol_whitelist") + 1] == protocols
        formats = before[before.index("-format_whitelist") + 1].split(",")
        codecs = before[before.index("-codec_whitelist") + 1].split(",")
        assert not {"hls", "concat", "dash", "image2", "tty", "sdp"} & set(formats)
        assert "magicyuv" not in codecs
        assert {"h264", "hevc", "aac", "dca", "libdav1d"} <= set(codecs)


@given(RATES, FIRST, st.integers(0, 500_000))
def test_an_order_owns_whole_audio_frames(rate: Rate, first: int, pictures: int) -> None:
    """The sound begins within a frame of the first picture, is whole frames long, and the next order goes on there."""
    profile = replace(SMALL, rate=rate)
    here = SoundSpan.of(profile, Span(first, first + pictures))
    after = SoundSpan.of(profile, Span(first + pictures, first + pictures + 1))
    assert 0 <= here.start <= 1_024
    assert (here.end - here.start) % 1_024 == 0
    between = Fraction(pictures * rate.den * 48_000, rate.num)
    assert abs(here.end - (after.start + between)) <= 1


@given(RATES, FIRST, st.integers(0, 20_000))
def test_key_frames_are_forced_where_channel_time_has_them(rate: Rate, first: int, n: int) -> None:
    """ffmpeg's doubles agree with the grid's integers for every picture."""
    found = re.fullmatch(
        r"expr:lt\(mod\(\(n\+(\d+)\)\*(\d+),(\d+)\),(\d+)\)", key_frame_expression(rate, first)
    )
    assert found is not None
    base, factor, span, limit = map(float, found.groups())
    place = (n + base) * factor
    assert (place - floor(place / span) * span < limit) == rate.is_key_picture(first + n)


def test_an_order_inside_its_item_has_more_key_frames_at_first() -> None:
    """For six seconds there is one each half second, beside those of channel time; at a start there are no more."""
    usual = key_frame_expression(Rate(25), 7)
    assert key_frame_expression(Rate(25), 7, inside=True) == f"{usual}+lt(n,150)*not(mod(n,13))"


@given(RATES, st.integers(0, 20_000_000))
def test_a_seek_lands_on_a_picture(rate: Rate, offset_ms: int) -> None:
    """The seek is at most a microsecond before the picture nearest to the offset, and never behind it."""
    seek = Fraction(Seek.to(offset_ms, None, picture(rate)).start, 1_000_000)
    nearest = round(offset_ms / 1_000 / rate.seconds) * rate.seconds
    assert 0 <= nearest - seek < Fraction(1, 1_000_000)


def test_a_seek_without_a_known_rate_is_taken_as_it_is() -> None:
    """Where pictures come irregularly there is nothing to snap to; the beginning needs no seek."""
    assert Seek.to(1_234, None, None) == Seek(1_234_000, 0)
    assert Seek.to(1_234, None, picture(None)) == Seek(1_234_000, 0)
    assert Seek.to(0, None, picture()) == Seek(0, 0)


def test_a_container_without_an_index_is_entered_earlier() -> None:
    """A transport stream is decoded from five seconds before the offset, or from its beginning, and cut there."""
    stream = Media(60_000, "mpegts", picture())
    assert Seek.to(12_340, stream, picture()) == Seek(7_320_000, 5_000_000)
    assert Seek.to(3_000, stream, picture()) == Seek(0, 3_000_000)
    far = replace(picture(), cadence=Cadence(starts_us=0, gop_ms=10_000, reorder=2))
    assert Seek.to(12_340, stream, far) == Seek(2_000_000, 10_320_000)
    assert Seek.to(0, stream, picture()) == Seek(0, 0)


def test_sound_that_nothing_can_decode_becomes_silence() -> None:
    """An unknown sound codec does not cost the picture."""
    media = Media(4_000, video=picture(), audio=(replace(SOUND[0], codec="ac4"),))
    argv = programme(replace(ordered("/x"), source=Source("/x", media)))
    assert any(word.startswith("anullsrc") for word in argv)


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda profile: profile.name)
def test_programmes_cards_and_silence_share_their_settings(profile: Profile) -> None:
    """What shapes the headers is said in the same words to every encoder of a profile."""
    programmes = programme(replace(ordered("/x"), profile=profile))
    still, quiet = card(profile), silence(profile)
    for option in ("-profile:v", "-level:v", "-preset", "-bf", "-maxrate", "-bufsize", "-r", "-colorspace"):
        assert still[still.index(option) + 1] == programmes[programmes.index(option) + 1]
    for option in ("-c:a", "-b:a", "-ar", "-ac"):
        assert quiet[quiet.index(option) + 1] == programmes[programmes.index(option) + 1]


def test_levels_are_the_lowest_that_hold_the_profile() -> None:
    """The shipped sizes get the levels that players expect of them; too much is refused with a sentence."""
    assert [h264_level(profile) for profile in SHIPPED] == ["3.0", "3.1", "3.1", "4.0"]
    with pytest.raises(ValueError, match=r"beyond H\.264 level 5\.2"):
        h264_level(replace(SHIPPED[3], width=7_680, height=4_320))


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda profile: profile.name)
def test_shipped_profiles_can_be_encoded(profile: Profile) -> None:
    """Sizes are even, as 4:2:0 asks, and the greatest rate is not below the mean one."""
    assert profile.width % 2 == profile.height % 2 == 0
    assert profile.max_kbps >= profile.video_kbps
