"""How the pictures of real files run: each kind made by an encoder, muxed and looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from exstream.ffmpeg import probe_packets
from exstream.ffmpeg.copying import CopyClass, cheapest
from exstream.ffmpeg.probe_child import look
from exstream.ffmpeg.probe_report import media_of
from exstream.model.catalogue import Cadence, Colour, Media, VideoStream
from exstream.model.programme import Way
from tests import material

SECONDS = 40
_SOURCE = (
    *("-y", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=160x96:r=25:d={SECONDS}"),
    *("-f", "lavfi", "-i", f"sine=r=48000:d={SECONDS}", "-c:a", "aac", "-ac", "2", "-pix_fmt", "yuv420p"),
)
_CUES, _NOTHING = b"\x1c\x53\xbb\x6b", b"\x1c\x53\xbb\x6e"
Make = Callable[..., Media]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where this module's clips are made."""
    return tmp_path_factory.mktemp("cadence")


@pytest.fixture
def make(folder: Path) -> Make:
    """Return a function that makes a clip with x264 and says what is in it."""

    def clip(name: str, *arguments: str) -> Media:
        path = folder / name
        material.run(*_SOURCE, "-c:v", "libx264", "-preset", "veryfast", *arguments, str(path))
        return media_of(look(str(path)))

    return clip


def picture(media: Media) -> VideoStream:
    """Return the picture track."""
    assert media.video is not None
    return media.video


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_what_x264_makes_unasked_can_be_copied(make: Make, suffix: str) -> None:
    """Pyramids and ten seconds between key frames are regular in every container; so are its format's words."""
    media = make(f"default.{suffix}")
    video = picture(media)
    assert video.cadence is not None
    assert (video.cadence.gop_ms, video.cadence.reorder) == (10_000, 2)
    assert abs(video.cadence.starts_us) < 30_000
    assert (video.profile, media.audio[0].profile) == ("High", "LC")
    found = CopyClass.of(media)
    assert found is not None
    assert cheapest(media, found.profile) is Way.COPY


def test_pictures_in_order_need_no_reordering(make: Make) -> None:
    """Without B pictures the orders of decoding and display are one."""
    cadence = picture(make("plain.mkv", "-bf", "0", "-g", "50")).cadence
    assert cadence == Cadence(0, gop_ms=2_000, reorder=0)


def test_the_longest_distance_is_known_beyond_what_is_read(make: Make) -> None:
    """The index of an mp4 or a Matroska file tells of a group of pictures far from every stretch that is read."""
    # Key frames every second, but none from second 14 to 21.
    wanted = ",".join(str(second) for second in range(SECONDS) if not 14 <= second < 21)
    for suffix in ("mp4", "mkv"):
        cadence = picture(make(f"uneven.{suffix}", "-g", "999", "-force_key_frames", wanted)).cadence
        assert cadence is not None, suffix
        assert cadence.gop_ms == 8_000


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    "params", ["open-gop=1:keyint=50", "intra-refresh=1:keyint=50"], ids=["open", "refresh"]
)
def test_streams_that_cannot_be_entered_cleanly_are_irregular(make: Make, suffix: str, params: str) -> None:
    """A key frame that is no IDR is no place to cut, however the container calls it."""
    assert picture(make(f"{params[:4]}.{suffix}", "-x264-params", params)).cadence is None


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_dropped_picture_is_a_hole(make: Make, suffix: str) -> None:
    """One missing picture in what is read, and in an mp4 anywhere, keeps a file from being copied."""
    left_out = "20" if suffix != "mp4" else "200"  # an mp4's index is judged whole
    media = make(
        f"hole.{suffix}", "-g", "25", "-vf", f"select=not(eq(n\\,{left_out}))", "-fps_mode", "passthrough"
    )
    assert picture(media).cadence is None
    assert cheapest(media, CopyClass(160, 96, 25, 1).profile) is Way.TRANSCODE


def test_a_variable_rate_is_irregular(make: Make) -> None:
    """Where pictures come as they please there is no grid."""
    uneven = ("-vf", "select=not(between(mod(n\\,7)\\,3\\,4))", "-fps_mode", "vfr")
    assert picture(make("varying.mp4", *uneven)).cadence is None
    assert picture(make("varying.mkv", *uneven)).cadence is None


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_fields_are_irregular(make: Make, folder: Path, suffix: str) -> None:
    """Interlaced pictures are never copied, and a stream that may hold some unsaid is irregular."""
    video = picture(make(f"fields.{suffix}", "-flags", "+ildct+ilme", "-x264-params", "tff=1"))
    assert (video.interlaced, video.cadence) == (True, None)
    make(f"perhaps.{suffix}", "-x264-params", "fake-interlaced=1")
    assert video.rate is not None
    assert probe_packets.cadence(str(folder / f"perhaps.{suffix}"), 0, video.rate) is None


def test_a_cut_that_only_the_container_knows_of_is_irregular(make: Make, folder: Path) -> None:
    """An edit list that hides pictures before a cut makes the first picture no key frame."""
    make("whole.mp4", "-g", "50")
    material.run(
        *("-y", "-v", "error", "-ss", "3.3", "-i", str(folder / "whole.mp4"), "-c", "copy"),
        str(folder / "cut.mp4"),
    )
    assert picture(media_of(look(str(folder / "whole.mp4")))).cadence is not None
    assert picture(media_of(look(str(folder / "cut.mp4")))).cadence is None


def test_a_fragmented_file_is_judged_like_any_other(make: Make) -> None:
    """What was recorded in pieces is regular all the same; its pictures start where the edit list says nothing."""
    fragments = make("fragments.mp4", "-g", "50", "-movflags", "+frag_keyframe+empty_moov")
    assert picture(fragments).cadence == Cadence(80_000, gop_ms=2_000, reorder=2)


def test_a_film_without_an_index_is_not_searched(make: Make, folder: Path) -> None:
    """A Matroska file that has lost its index is encoded: a seek in it would read all of it."""
    assert picture(make("indexed.mkv", "-g", "50")).cadence is not None
    lost = (folder / "indexed.mkv").read_bytes().replace(_CUES, _NOTHING)
    (folder / "lost.mkv").write_bytes(lost)
    media = media_of(look(str(folder / "lost.mkv")))
    assert (media.duration_ms // 1_000, picture(media).cadence) == (SECONDS, None)


def test_what_is_not_known_in_time_is_encoded(
    make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading has an end: after so many bytes or seconds without a whole group of pictures nothing is known."""
    rate = picture(make("slow.mkv")).rate
    assert rate is not None
    for limit in ("_MOST_BYTES", "_MOST_SECONDS", "_MOST_PICTURES"):
        with monkeypatch.context() as limited:
            limited.setattr(probe_packets, limit, 0)
            assert probe_packets.cadence(str(folder / "slow.mkv"), 0, rate) is None
    assert probe_packets.cadence(str(folder / "slow.mkv"), 0, rate) is not None


def test_colours_are_told_in_ffmpegs_names(make: Make) -> None:
    """What a stream says of its colours is kept; where it says nothing, nothing is."""
    hdr = ("-x264-params", "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:fullrange=on")
    assert picture(make("hdr.mkv", *hdr)).colour == Colour("bt2020nc", "bt2020", "smpte2084", full_range=True)
    assert picture(make("untold.mkv")).colour == Colour()


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("missing", [0.2, 0.7, 4])
def test_pictures_that_end_before_the_sound_are_found(
    folder: Path, make: Make, suffix: str, missing: float
) -> None:
    """By how much is measured in every container; only what nobody notices is sent as it is."""
    whole = make(f"whole.{suffix}", "-g", "50", "-bf", "0")
    source = ("-i", str(folder / f"whole.{suffix}"))
    path = folder / f"short-{missing}.{suffix}"
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    material.run("-y", "-v", "error", "-t", str(SECONDS - missing), *source, *source, *maps, str(path))
    media = media_of(look(str(path)))
    cadence, found = picture(media).cadence, CopyClass.of(whole)
    assert cadence is not None
    assert found is not None
    assert cadence.short_ms == pytest.approx(missing * 1_000, abs=90)
    assert cheapest(media, found.profile) is (Way.COPY if missing < 0.4 else Way.TRANSCODE)
