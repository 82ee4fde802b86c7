"""Feeds: from an order to running bytes, or a clear sentence at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from exstream.errors import FeedError, UnreadableMedia
from exstream.ffmpeg.feed import FfmpegFeed, FfmpegFeeds
from exstream.ffmpeg.process import Processes
from exstream.model.catalogue import Media, Source
from exstream.model.profiles import SHIPPED
from exstream.model.programme import Way
from tests.ffmpeg.clips import known, order_of
from tests.ffmpeg.faults import faults

pytestmark = pytest.mark.anyio


@pytest.fixture
async def processes(ffmpeg: str) -> AsyncIterator[Processes]:
    """Yield the owner of this test's encoders."""
    async with Processes(ffmpeg) as owner:
        yield owner


async def nothing_known(path: str) -> Media:
    """Stand in for probing where nobody should ask."""
    raise UnreadableMedia(f"{path} cannot be used: nobody knows it")


async def drain(feed: FfmpegFeed) -> bytes:
    """Read a feed to its end, as the pump does: without blocking."""
    data = bytearray()
    while True:
        try:
            chunk = os.read(feed.fd, 1_000_000)
        except BlockingIOError:
            await asyncio.sleep(0.005)
            continue
        if not chunk:
            return bytes(data)
        data += chunk


async def test_a_feed_delivers_its_order(processes: Processes, clips: Path) -> None:
    """What comes through the pipe is the order, faultless; then the encoder has ended well."""
    order = order_of(clips, "plain.mkv", pictures=60)
    feed = await FfmpegFeeds(processes, nothing_known).open(order)
    assert feed.order == replace(order, way=Way.TRANSCODE)
    assert faults(order, await drain(feed)) == set()
    await feed.close()
    assert (feed.returncode, feed.stderr(), feed.fd) == (0, "", -1)


async def test_closing_a_feed_that_is_held_back_is_quick(processes: Processes, clips: Path) -> None:
    """An encoder that waits on its full pipe is gone in well under its grace; closing twice is allowed."""
    order = order_of(clips, "plain.mkv", pictures=100_000, profile=SHIPPED[0])
    feed = await FfmpegFeeds(processes, nothing_known).open(order)
    await asyncio.sleep(0.5)
    begun = time.monotonic()
    await feed.close()
    await feed.close()
    assert time.monotonic() - begun < 0.9
    assert feed.returncode is not None
    assert processes.running() == ()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("absent.mkv", "absent.mkv cannot be opened: there is no such file"),
        ("plain.mkv/inside.mkv", "cannot be opened: there is no such file"),
        ("empty.mkv", "empty.mkv is empty"),
        (".", "is not a file"),
        ("nul\0.mkv", "its name is not a file name"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_at_once(
    processes: Processes, clips: Path, name: str, sentence: str
) -> None:
    """No encoder is started for a file that is missing, empty or no file; the sentence names it."""
    order = replace(order_of(clips, "plain.mkv"), source=Source(f"{clips}/{name}", known("plain.mkv")))
    with pytest.raises(FeedError) as refused:
        await FfmpegFeeds(processes, nothing_known).open(order)
    assert sentence in str(refused.value)
    assert processes.running() == ()


async def test_a_pipe_in_place_of_a_file_never_hangs_a_feed(processes: Processes, tmp_path: Path) -> None:
    """A FIFO would be waited for for ever: it is no file."""
    os.mkfifo(tmp_path / "fifo.mkv")
    with pytest.raises(FeedError, match="is not a file"):
        await FfmpegFeeds(processes, nothing_known).open(order_of(tmp_path, "fifo.mkv"))


async def test_an_address_elsewhere_is_refused(processes: Processes, clips: Path) -> None:
    """Only files and the loopback gateway are sources."""
    order = replace(order_of(clips, "plain.mkv"), source=Source("http://10.0.0.1/x", known("plain.mkv")))
    with pytest.raises(FeedError, match="cannot be played"):
        await FfmpegFeeds(processes, nothing_known).open(order)


async def test_an_unknown_file_is_looked_into_first(processes: Processes, clips: Path) -> None:
    """Which tracks exist must be known: a mute file of which nothing is known still gives silence."""
    asked: list[str] = []

    async def look(path: str) -> Media:
        asked.append(path)
        return known("mute.mp4")

    order = order_of(clips, "mute.mp4", pictures=30)
    unknown = replace(order, source=replace(order.source, media=None))
    feed = await FfmpegFeeds(processes, look).open(unknown)
    assert faults(order, await drain(feed)) == set()
    await feed.close()
    assert asked == [str(clips / "mute.mp4")]
    with pytest.raises(FeedError, match="nobody knows it"):
        await FfmpegFeeds(processes, nothing_known).open(unknown)


async def test_a_broken_source_ends_with_its_last_words(processes: Processes, clips: Path) -> None:
    """A file that ffmpeg cannot open gives no byte, a return code and the reason."""
    feed = await FfmpegFeeds(processes, nothing_known).open(order_of(clips, "no-index.mp4"))
    assert await drain(feed) == b""
    while feed.returncode is None:
        await asyncio.sleep(0.01)
    assert feed.returncode > 0
    assert "moov atom not found" in feed.stderr()
    await feed.close()


async def test_a_missing_encoder_is_a_feed_error(clips: Path) -> None:
    """Without ffmpeg a feed says which setting to correct."""
    async with Processes("/nowhere/ffmpeg") as processes:
        with pytest.raises(FeedError, match="set EXSTREAM_FFMPEG"):
            await FfmpegFeeds(processes, nothing_known).open(order_of(clips, "plain.mkv"))
