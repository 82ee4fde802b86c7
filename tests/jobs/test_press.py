"""The guide's own process: used for much, gone when idle, and dispensable."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from exstream.ffmpeg.process import Processes
from exstream.guide import press
from exstream.guide.packing import Fragment
from exstream.guide.press import DAY_MS, Sheet
from exstream.guide.xmltv import Edition
from exstream.jobs.press import Press
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.programme import Segment, SegmentKind
from tests.fakes import until

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
EDITION = Edition(
    Catalogue.of(
        Item(f"i{number}", ItemKind.FILM, f"Film {number}", HOUR, "Films", summary="x" * 900)
        for number in range(400)
    ),
    "http://tv.lan:8411",
)
DAYS = range(8)


def rows(channel: str) -> list[Segment]:
    """Return eight days of a channel: more than a pipe holds."""
    return [
        Segment(channel, SegmentKind.PROGRAMME, at * HOUR, (at + 1) * HOUR, f"i{at}", 0, f"Film {at}")
        for at in range(8 * DAY_MS // HOUR)
    ]


@asynccontextmanager
async def running(**options: float) -> AsyncIterator[tuple[Press, Processes]]:
    """Make a press with processes."""
    async with Processes("/bin/true") as processes:
        yield Press(processes, **options), processes


async def printed(made: Press, *channels: str, many: bool = True) -> list[dict[int, Fragment]]:
    """Have the days of channels made."""
    sheets = [Sheet(rows(channel), DAYS) for channel in channels or ["one"]]
    return [dict(by_day) for by_day in await made.fragments(sheets, EDITION, None, many=many)]


def expected(*channels: str) -> list[dict[int, Fragment]]:
    """Return what they are."""
    return [press.fragments(Sheet(rows(channel), DAYS), EDITION, None) for channel in channels or ["one"]]


async def test_one_process_makes_a_whole_guide_and_ends_when_idle() -> None:
    """Many channels at once are made by a single process, each as it would be here; then its memory is given back."""
    async with running(idle_seconds=0.3) as (made, processes):
        pairs = [(f"c{number}", f"d{number}") for number in range(8)]
        found = await asyncio.gather(*(printed(made, *pair) for pair in pairs))
        assert found == [expected(*pair) for pair in pairs]
        assert len(processes.running()) == 1
        await until(lambda: not processes.running())
        assert await printed(made) == expected()


async def test_a_little_is_made_without_a_process() -> None:
    """A day that was added, or a guide without processes, needs none."""
    async with running() as (made, processes):
        assert await printed(made, many=False) == expected()
        assert await printed(Press()) == expected()
        assert not processes.running()


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_process_that_dies_or_hangs_costs_a_line_in_the_log(
    fault: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fragments are made in the server instead, the log says so, and the next ones by a new process."""
    monkeypatch.setattr("exstream.jobs.press.ANSWER_SECONDS", 1.0)
    async with running() as (made, processes):
        await printed(made)
        (first,) = processes.running()
        os.kill(first.pid, fault)
        with capture_logs() as logs:
            assert await printed(made) == expected()
        assert [entry["event"] for entry in logs] == [
            "the guide is made inside the server: the process for it failed"
        ]
        monkeypatch.setattr("exstream.jobs.press.ANSWER_SECONDS", 20.0)
        assert await printed(made) == expected()
        assert [process.pid == first.pid for process in processes.running()] == [False]


async def test_an_order_that_is_given_up_leaves_nothing_half_done() -> None:
    """Who stops waiting for a guide leaves no process in the middle of an answer to somebody else."""
    async with running() as (made, processes):
        await printed(made)
        waiting = asyncio.create_task(printed(made, "given-up"))
        await asyncio.sleep(0.005)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

        assert await printed(made) == expected()
        assert len(processes.running()) == 1


async def test_orders_that_lie_ready_share_the_fate_of_their_process() -> None:
    """When a process dies amid many orders, all of them are carried out nevertheless, and nobody waits for long."""
    async with running() as (made, processes):
        await printed(made)
        (first,) = processes.running()
        os.kill(first.pid, signal.SIGSTOP)
        channels = [f"c{number}" for number in range(5)]
        waiting = [asyncio.create_task(printed(made, channel)) for channel in channels]
        await asyncio.sleep(0.3)
        os.kill(first.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            assert await asyncio.gather(*waiting) == [expected(channel) for channel in channels]
        assert [process.pid == first.pid for process in processes.running()] == [False]


async def test_a_process_with_work_is_not_idle() -> None:
    """However long the orders of a large guide take, the process stays for them."""
    async with running(idle_seconds=0.01) as (made, processes):
        found = await asyncio.gather(*(printed(made, *"abcdef") for _ in range(6)))
        assert found == [expected(*"abcdef")] * 6
        assert len({process.pid for process in processes.running()}) <= 1


async def test_a_server_that_stops_starts_no_process() -> None:
    """When processes are not to be had any more, the guide is made without."""
    async with running() as (made, processes):
        await printed(made)
    assert not processes.running()
    assert await printed(made) == expected()
