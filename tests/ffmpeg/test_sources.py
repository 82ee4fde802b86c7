"""Odd sources on real ffmpegs: exactly what was ordered comes out, and it looks and sounds right."""

from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from exstream.ffmpeg.command import programme
from exstream.model.catalogue import Media, Source, VideoStream
from exstream.model.grid import Rate
from exstream.model.programme import Order
from tests.ffmpeg.clips import SMALL, SOUND, order_of, picture
from tests.ffmpeg.conftest import Encode
from tests.ffmpeg.faults import faults
from tests.ffmpeg.transport import Recording, parameter_sets, record

Planes = tuple[np.ndarray, np.ndarray, np.ndarray]

ODD = [
    *("plain.mkv", "plain.mp4", "mute.mp4", "blind.m4a", "cover.m4a", "short-sound.mkv", "short-picture.mkv"),
    *("late-sound.mkv", "interlaced.ts", "surround.mkv", "varying.mkv", "jpeg.avi", "deep.mkv", "turned.mp4"),
    *("truncated.mkv", "scratched.ts", "growing.ts", "flash.mkv"),
]


@pytest.mark.parametrize("offset_ms", [0, 2_340])
@pytest.mark.parametrize("clip", ODD)
def test_any_source_gives_exactly_what_was_ordered(
    clips: Path, encode: Encode, clip: str, offset_ms: int
) -> None:
    """Short, cut off, scratched, mute, blind, turned or growing: the counts and clocks are those of the order."""
    order = order_of(clips, clip, offset_ms=offset_ms)
    assert faults(order, encode(programme(order))) == set()


@pytest.mark.parametrize(
    "clip", ["plain.mkv", "short-sound.mkv", "interlaced.ts", "truncated.mkv", "scratched.ts"]
)
def test_an_order_behind_the_end_of_its_source_is_filled(clips: Path, encode: Encode, clip: str) -> None:
    """A file shorter than its library says gives black and silence, not an error."""
    order = order_of(clips, clip, offset_ms=6_000, pictures=60)
    assert faults(order, encode(programme(order))) == set()


@pytest.mark.parametrize("clip", ["sound-ends.mkv", "sound-begins.mp4", "picture-ends.mkv"])
def test_a_track_that_is_long_away_holds_nothing_back(clips: Path, encode: Encode, clip: str) -> None:
    """Sound or picture that ends long before the other, or begins long after, is filled in step with it."""
    order = order_of(clips, clip, pictures=950)
    data = encode(programme(order))
    assert faults(order, data) == set()
    assert furthest_apart(record(data)) < 90_000


def test_every_source_gets_the_same_headers(clips: Path, encode: Encode) -> None:
    """Parameter sets never change at a join, whatever the source's colours, range, depth and fields were."""
    seen = set()
    for clip in ("plain.mkv", "mute.mp4", "blind.m4a", "interlaced.ts", "jpeg.avi", "deep.mkv", "turned.mp4"):
        order = order_of(clips, clip, pictures=10)
        seen |= parameter_sets(record(encode(programme(order))).pictures)
    assert len(seen) == 1


def test_a_file_that_cannot_be_opened_gives_nothing(clips: Path, encode: Encode) -> None:
    """Without its index a file is no source: no byte comes, and a card covers the slot."""
    assert encode(programme(order_of(clips, "no-index.mp4"))) == b""


@pytest.mark.parametrize(("clip", "late"), [("flash.mkv", 0), ("flash.ts", 481)])
@pytest.mark.parametrize("offset_ms", [0, 480, 500, 1_333, 1_960])
def test_picture_and_sound_stay_together_from_any_seek(
    clips: Path, encode: Encode, clip: str, late: int, offset_ms: int
) -> None:
    """A flash and a beep that begin together are found at the right picture, less than 5 ms apart.

    ``late`` samples of the MP2 encoder's delay are in the transport stream itself.
    """
    order = order_of(clips, clip, offset_ms=offset_ms, pictures=75)
    pictures, sound, start = decoded(encode(programme(order)))
    flashes = [n for n, (luma, _, _) in enumerate(pictures) if luma.mean() > 120]
    sought = round(offset_ms / 40)
    assert flashes == [50 - sought]
    beep = start + float(np.argmax(np.abs(sound) > 0.1) - late) / 48_000
    assert beep == pytest.approx(flashes[0] * 0.04, abs=0.005)


@pytest.mark.parametrize("offset_ms", [3_041, 3_059, 3_061, 3_079])
def test_an_item_joined_between_two_pictures_has_no_black_one_at_its_end(
    clips: Path, encode: Encode, offset_ms: int
) -> None:
    """On the channel's grid it may need two pictures more than are left of it: they are the last one again."""
    left = -(-(4_000 - offset_ms) // 40)
    order = order_of(clips, "plain.mkv", offset_ms=offset_ms, pictures=left + 1)
    pictures, _, _ = decoded(encode(programme(order)))
    assert len(pictures) == left + 1
    assert min(luma.mean() for luma, _, _ in pictures) > 40


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("count", [10, 12, 16, 22])
def test_the_last_picture_is_the_sources_last(
    tmp_path: Path, ffmpeg: str, encode: Encode, suffix: str, count: int
) -> None:
    """A picture that begins before the source's last one is over shows that one, whatever the two rates are."""
    path = tmp_path / f"steps.{suffix}"
    graph = f"color=black:s=320x180:r=30000/1001,trim=end_frame={count},geq=lum=16+8*N:cb=128:cr=128"
    still = ["-f", "lavfi", "-i", graph, "-c:v", "libx264", "-bf", "0", "-qp", "4"]
    subprocess.run([ffmpeg, "-v", "error", *still, path], check=True)
    rate = Rate(30_000, 1_001)
    needed = -(-count * rate.den * 25 // rate.num)
    order = order_of(tmp_path, path.name, pictures=needed)
    video = VideoStream(0, "h264", 320, 180, rate, pixel_format="yuv420p")
    media = Media(count * rate.den * 1_000 // rate.num, video=video)
    pictures, _, _ = decoded(encode(programme(replace(order, source=Source(str(path), media)))))
    assert len(pictures) == needed
    steps = [round((centre(luma) - 16) / 8) for luma, _, _ in pictures]
    nearest = [min(count - 1, int(n * rate.num / (25 * rate.den) + 0.5)) for n in range(needed)]
    assert all(abs(step - right) <= 1 for step, right in zip(steps, nearest, strict=True))
    assert steps[-1] == count - 1


def test_loudness_brings_quiet_sound_up_and_keeps_the_counts(clips: Path, encode: Encode) -> None:
    """With a loudness set the same clip is louder, and as long as before."""
    order = order_of(clips, "plain.mkv", pictures=90)
    louder = replace(order, profile=replace(SMALL, loudness=-16.0))
    assert faults(louder, encode(programme(louder))) == set()
    _, plain, _ = decoded(encode(programme(order)))
    _, loud, _ = decoded(encode(programme(louder)))
    assert np.sqrt((loud**2).mean()) > 1.2 * np.sqrt((plain**2).mean())


@pytest.mark.parametrize(
    ("size", "tags", "matrix"),
    [
        ("320x240", "smpte170m", "bt601"),
        ("1280x720", "bt709", "bt709"),
        ("1280x720", "", "bt709"),
        ("320x240", "", "bt601"),
    ],
)
def test_red_stays_red(
    tmp_path: Path, ffmpeg: str, encode: Encode, size: str, tags: str, matrix: str
) -> None:
    """Whatever a source's matrix is called, or if high definition does not name it, red comes out as BT.709 red."""
    path = tmp_path / "red.mkv"
    graph = (
        f"color=red:s={size}:r=25:d=1,format=gbrp,scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
    )
    colours = ["-colorspace", tags, "-color_primaries", tags, "-color_trc", tags] if tags else []
    still = ["-f", "lavfi", "-i", graph, *colours, "-c:v", "libx264", "-qp", "1", "-bsf:v"]
    untag = (
        "null"
        if tags
        else "h264_metadata=matrix_coefficients=2:colour_primaries=2:transfer_characteristics=2"
    )
    subprocess.run([ffmpeg, "-v", "error", *still, untag, path], check=True)
    width, height = map(int, size.split("x"))
    video = VideoStream(0, "h264", width, height, Rate(25), pixel_format="yuv420p")
    order = replace(
        order_of(tmp_path, "red.mkv", pictures=3), source=Source(str(path), Media(1_000, video=video))
    )
    (luma, blue, red), *_ = decoded(encode(programme(order)))[0]
    assert centre(luma) == pytest.approx(63, abs=3)
    assert centre(blue) == pytest.approx(102, abs=3)
    assert centre(red) == pytest.approx(240, abs=3)


def test_anamorphic_pictures_keep_their_shape(tmp_path: Path, ffmpeg: str, encode: Encode) -> None:
    """A 4:3 picture with oblong samples stands between bars on a 16:9 channel, in its right width."""
    path = tmp_path / "oblong.mkv"
    graph = "color=white:s=352x288:r=25:d=1,setsar=12/11"
    subprocess.run([ffmpeg, "-v", "error", "-f", "lavfi", "-i", graph, "-c:v", "mpeg4", path], check=True)
    video = VideoStream(0, "mpeg4", 352, 288, Rate(25), (12, 11))
    order = replace(
        order_of(tmp_path, "oblong.mkv", pictures=3), source=Source(str(path), Media(1_000, video=video))
    )
    (luma, _, _), *_ = decoded(encode(programme(order)))[0]
    assert int((luma[90] > 128).sum()) == pytest.approx(240, abs=3)
    assert int((luma[:, 160] > 128).sum()) == 180


def test_a_portrait_picture_is_turned_upright(clips: Path, encode: Encode) -> None:
    """What a telephone recorded on its side stands upright between bars."""
    order = order_of(clips, "turned.mp4", pictures=3)
    (luma, _, _), *_ = decoded(encode(programme(order)))[0]
    lit = (luma > 40).sum(axis=0) > 20
    assert 95 <= int(lit.sum()) <= 106


def test_the_track_in_the_wanted_language_is_heard(clips: Path, encode: Encode) -> None:
    """German is 440 Hz and English 880 Hz in the clip; the profile's languages decide."""
    tracks = (replace(SOUND[0], language="ger"), replace(SOUND[0], index=1, language="eng", default=True))
    media = Media(4_000, video=picture(), audio=tracks)
    for languages, pitch in (((), 880), (("deu",), 440), (("fra", "eng"), 880)):
        order = order_of(clips, "tracks.mkv", pictures=50)
        order = replace(
            order, source=replace(order.source, media=media), profile=replace(SMALL, languages=languages)
        )
        _, sound, _ = decoded(encode(programme(order)))
        spectrum = np.abs(np.fft.rfft(sound[:48_000]))
        assert int(np.argmax(spectrum)) == pytest.approx(pitch, abs=2)


def test_a_name_full_of_signs_is_only_a_name(clips: Path, tmp_path: Path, encode: Encode) -> None:
    """Dashes, colons, bars, percent signs, quotes and newlines reach the file system as they are."""
    for name in ("-y.mkv", "a:b|c.mkv", "50%d,'x';[0].mkv", "two\nlines \\ .mkv", "file:concat:x.mkv"):
        path = tmp_path / name
        path.write_bytes((clips / "plain.mkv").read_bytes())
        order = order_of(tmp_path, name, pictures=5)
        assert faults(order, encode(programme(order))) == set(), name


def test_a_sound_change_in_the_middle_ends_the_feed(tmp_path: Path, ffmpeg: str, encode: Encode) -> None:
    """A feed never counts a second time: when the source's channels change it breaks off, to be ordered anew."""
    for name, channels in (("a.ts", "2"), ("b.ts", "6")):
        tone = ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=2", "-f", "lavfi", "-i", "sine=d=2"]
        argv = [*tone, "-c:v", "mpeg2video", "-c:a", "ac3", "-ac", channels, str(tmp_path / name)]
        subprocess.run([ffmpeg, "-v", "error", *argv], check=True)
    (tmp_path / "change.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    order = order_of(tmp_path, "change.ts", pictures=100)
    recording = record(encode(programme(order)))
    times = recording.picture_times
    assert 25 < len(times) < 100
    assert times == sorted(set(times))
    assert [pes.pts for pes in recording.sound] == sorted({pes.pts for pes in recording.sound})


def furthest_apart(recording: Recording) -> int:
    """Return by how many ticks picture and sound are ever apart in the order of their arrival."""
    arrivals = sorted(
        [(pes.position, 0, pes.dts) for pes in recording.pictures]
        + [(pes.position, 1, pes.dts) for pes in recording.sound]
    )
    latest, apart = [arrivals[0][2]] * 2, 0
    for _, kind, time in arrivals:
        latest[kind] = time
        apart = max(apart, abs(latest[0] - latest[1]))
    return apart


def decoded(data: bytes) -> tuple[list[Planes], np.ndarray, float]:
    """Return the pictures' planes, the left channel's samples and its start in seconds after the first picture."""
    pictures: list[tuple[int, Planes]] = []
    sound: list[tuple[int, np.ndarray]] = []
    with av.open(io.BytesIO(data), "r", format="mpegts") as container:
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame) and frame.pts is not None:
                    pictures.append((frame.pts, planes_of(frame)))
                elif isinstance(frame, av.AudioFrame) and frame.pts is not None:
                    sound.append((frame.pts, frame.to_ndarray()[0]))
    pictures.sort(key=lambda shown: shown[0])
    start = (sound[0][0] - pictures[0][0]) / 90_000
    return [planes for _, planes in pictures], np.concatenate([samples for _, samples in sound]), start


def planes_of(frame: av.VideoFrame) -> Planes:
    """Return luma and both chroma planes of a 4:2:0 picture."""
    planes, height, width = frame.to_ndarray(), frame.height, frame.width
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    return planes[:height], chroma[0], chroma[1]


def centre(plane: np.ndarray) -> float:
    """Return the mean of the middle of a plane."""
    height, width = plane.shape
    return float(plane[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4].mean())


def test_an_address_beyond_this_machine_is_refused() -> None:
    """A source is a file here or the loopback gateway: nothing else is ever given to ffmpeg."""
    for location in ("http://example.org/a.mkv", "relative.mkv", "concat:/a|/b", "https://127.0.0.1/x", ""):
        with pytest.raises(ValueError, match="absolute path or a loopback URL"):
            programme(Order(Source(location, None), order_of(Path("/"), "x").span, 0, SMALL))
