"""Encoders that are started and ended a thousand times."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from exstream.errors import FeedError
from exstream.ffmpeg.feed import FfmpegFeed, FfmpegFeeds
from exstream.ffmpeg.process import Processes
from exstream.model.catalogue import Media, Source
from exstream.model.grid import Span
from exstream.model.programme import Order, Way
from tests import material

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(400)]

CYCLES = 1_000
AT_ONCE = 4


async def _unknown(path: str) -> Media:
    raise FeedError(f"{path} is not known")


async def _cycle(feeds: FfmpegFeeds, order: Order, luck: random.Random) -> None:
    """Open a feed and close it: at once, after some bytes, or cancelled in the middle of either."""
    opening = asyncio.create_task(feeds.open(order))
    fate = luck.random()
    if fate < 0.3:
        await asyncio.sleep(luck.random() * 0.003)
        opening.cancel()
    feed: FfmpegFeed | None = None
    with suppress(asyncio.CancelledError):
        feed = await opening
    if feed is None:
        return
    if fate > 0.7:
        await asyncio.sleep(luck.random() * 0.05)
    closing = asyncio.create_task(feed.close())
    if fate > 0.9:
        await asyncio.sleep(0)
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        closing = asyncio.create_task(feed.close())
    await closing
    assert not psutil.pid_exists(feed.pid) or psutil.Process(feed.pid).ppid() != os.getpid()


async def test_a_thousand_encoders_leave_nothing_behind(tmp_path: Path) -> None:
    """Whenever they are closed or cancelled: no process, no descriptor and no memory worth mentioning stays."""
    clip = material.clip(tmp_path, seconds=4)
    order = Order(Source(str(clip), material.media(4)), Span(0, 100), 0, material.SMALL, Way.TRANSCODE)
    this, luck = psutil.Process(), random.Random(7)
    async with Processes(material.FFMPEG) as processes:
        feeds = FfmpegFeeds(processes, _unknown)

        async def many(count: int) -> None:
            for _ in range(count):
                await _cycle(feeds, order, luck)

        async def work(count: int) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(many(count // AT_ONCE))

        await work(40)
        descriptors, memory = this.num_fds(), this.memory_info().rss
        await work(CYCLES)
        assert processes.running() == ()
        assert [child for child in this.children() if child.name().startswith("ffmpeg")] == []
        assert abs(this.num_fds() - descriptors) <= 2
        assert this.memory_info().rss - memory < 5_000_000
