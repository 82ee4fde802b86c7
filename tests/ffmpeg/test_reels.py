"""Items that are several files: which are opened, from where, and that they follow one another without a seam."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.ffmpeg.command import programme
from exstream.ffmpeg.reels import first_opened, in_reels, reel_at, samples_of
from exstream.model.catalogue import Media, Reel, Source, VideoStream
from exstream.model.grid import AUDIO_RATE, Rate, Span
from exstream.model.programme import Order
from tests.ffmpeg.clips import SMALL, order_of
from tests.ffmpeg.conftest import Encode
from tests.ffmpeg.faults import faults
from tests.ffmpeg.test_sources import centre, decoded

COLOURS = {"red": 63, "white": 235, "blue": 32}
"""The luma of each file's picture."""


@given(
    lengths=st.lists(st.integers(1, 10_000), min_size=1, max_size=5),
    into=st.floats(0, 1.2),
    pictures=st.integers(1, 2_000),
    rate=st.sampled_from([Rate(25), Rate(24_000, 1_001), Rate(50)]),
)
def test_files_share_the_pictures_without_a_gap(
    lengths: list[int], into: float, pictures: int, rate: Rate
) -> None:
    """Together they give each picture once, in order; sound is shared to the very sample; only the first is sought."""
    source = Source("a0", None, tuple(Reel(f"a{n}", length) for n, length in enumerate(lengths)))
    order = Order(source, Span(100, 100 + pictures), round(into * sum(lengths)), replace(SMALL, rate=rate))
    orders = in_reels(order)
    assert (orders[0].span.first, orders[-1].span.end) == (100, 100 + pictures)
    assert all(one.span.end == other.span.first for one, other in pairwise(orders))
    assert all(each.span.end > each.span.first for each in orders)
    assert all(each.offset_ms == 0 for each in orders[1:])
    assert sum(samples_of(orders, rate)) == round(pictures * rate.seconds * AUDIO_RATE)
    if orders[0].source.location == first_opened(order):
        before = sum(lengths[: reel_at(source, order.offset_ms)])
        assert orders[0].offset_ms == order.offset_ms - before


def test_an_order_of_one_file_stays_as_it_is(tmp_path: Path) -> None:
    """Nothing is joined where there is nothing to join."""
    order = order_of(tmp_path, "plain.mkv")
    assert in_reels(order) == (order,)


@pytest.fixture(scope="module")
def reels(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Source:
    """Make three files of 2, 1.5 and 2 s, unlike in size, rate and sound, of one colour each."""
    folder = tmp_path_factory.mktemp("reels")
    lengths, sizes, rates = (2.0, 1.5, 2.0), ("320x180", "640x360", "320x240"), ("25", "30", "24")
    found = []
    for colour, length, size, rate in zip(COLOURS, lengths, sizes, rates, strict=True):
        path = folder / f"{colour}.mkv"
        sound = ["-f", "lavfi", "-i", f"sine=f=440:r=44100:d={length}"] if colour != "white" else []
        picture = ["-f", "lavfi", "-i", f"color={colour}:s={size}:r={rate}:d={length}"]
        subprocess.run(
            [ffmpeg, "-v", "error", *picture, *sound, "-c:v", "libx264", "-pix_fmt", "yuv420p", path],
            check=True,
        )
        width, height = map(int, size.split("x"))
        video = VideoStream(0, "h264", width, height, Rate(int(rate)), pixel_format="yuv420p")
        media = Media(round(length * 1_000), video=video)
        if sound:
            media = replace(media, audio=(order_of(folder, "x").source.media or media).audio)
        found.append(Reel(str(path), round(length * 1_000), media))
    return Source(found[0].location, found[0].media, tuple(found))


@pytest.mark.parametrize("offset_ms", [0, 1_000, 2_000, 3_480, 3_600])
def test_they_play_through(reels: Source, encode: Encode, offset_ms: int) -> None:
    """From any place each colour is seen for as long as its file lasts, in exactly the pictures ordered."""
    pictures = round((5_500 - offset_ms) / 40)
    plain = order_of(Path("/"), "x", offset_ms=offset_ms, pictures=pictures)
    order = replace(plain, source=reels)
    data = encode(programme(order))
    assert faults(order, data) == set()
    seen, _, _ = decoded(data)
    ends = {"red": 2_000, "white": 3_500, "blue": 5_500}
    for number, (luma, _, _) in enumerate(seen[:-1]):
        at = offset_ms + number * 40
        near = [colour for colour, end in ends.items() if abs(at - end) < 60]
        colour = next(colour for colour, end in ends.items() if at < end)
        if not near:
            assert abs(centre(luma) - COLOURS[colour]) < 12, (number, colour)
