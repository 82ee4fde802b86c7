"""The decoder as a judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from exstream.ffmpeg.decoding import decoder
from exstream.ffmpeg.process import Processes
from tests import material
from tests.mpegts.recordings import VIDEO, cut, spliced, unit

pytestmark = pytest.mark.anyio


async def test_a_good_stream_has_no_complaint(tmp_path: Path) -> None:
    """However slowly the decoder takes it, a good stream is decoded to its end without a word."""
    data = spliced(tmp_path, material.SMALL)
    async with Processes(material.FFMPEG) as processes:
        judge = await decoder(processes)
        for at in range(0, len(data), 100_000):
            await judge.write(data[at : at + 100_000])
        assert await judge.finish() == []
        assert processes.running() == ()


async def test_damaged_pictures_are_complained_of(tmp_path: Path) -> None:
    """What a decoder cannot make sense of is told in its own words."""
    packets = cut(spliced(tmp_path, material.SMALL))
    for row in unit(packets, VIDEO, 30)[1:-1]:
        packets[row] = packets[row][:20] + bytes(len(packets[row]) - 20)
    async with Processes(material.FFMPEG) as processes:
        judge = await decoder(processes)
        await judge.write(b"".join(packets))
        assert any("h264" in line for line in await judge.finish())


async def test_a_decoder_that_is_gone_takes_everything() -> None:
    """A program that ends at once holds nobody up, and its exit status is told."""
    async with Processes("/bin/false") as processes:
        judge = await decoder(processes)
        await judge.write(bytes(4 << 20))
        assert await judge.finish() == ["the decoder ended with exit status 1"]


async def test_stopping_leaves_no_process() -> None:
    """A decoder that waits for more is gone once it is stopped."""
    async with Processes(material.FFMPEG) as processes:
        judge = await decoder(processes)
        await judge.write(bytes(1_000))
        await judge.stop()
        assert processes.running() == ()
