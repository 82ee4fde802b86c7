"""Turns between programs on one data directory."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import pytest

from exstream.errors import StoreError
from exstream.store.turns import Turns
from tests.fakes import SteppedClock, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(1_000_000)


async def test_one_at_a_time_for_each_server(tmp_path: Path, clock: SteppedClock) -> None:
    """The second waits, says so once, and goes on when the first is done; another server is not held up."""
    first, second = Turns(tmp_path, clock), Turns(tmp_path, clock)
    told: list[str] = []
    order: list[str] = []

    async def wait() -> None:
        async with second.taken("one", waiting=lambda: told.append("waits")):
            order.append("second")

    async with first.taken("one"):
        waiting = asyncio.create_task(wait())
        await until(lambda: bool(told))
        async with second.taken("two", waiting=lambda: told.append("never")):
            assert first.wanted("one")
            assert not first.wanted("two")
        order.append("first")
    await clock.step(1)
    await waiting
    assert (order, told) == (["first", "second"], ["waits"])
    assert not first.wanted("one")


async def test_who_gives_way_comes_last(tmp_path: Path, clock: SteppedClock) -> None:
    """A program that gives way begins only when nobody else waits, however long it has waited itself."""
    polite, hurried, holder = (Turns(tmp_path, clock) for _ in range(3))
    order: list[str] = []

    async def take(turns: Turns, name: str, *, gives_way: bool) -> None:
        async with turns.taken("one", gives_way=gives_way):
            order.append(name)

    async with holder.taken("one"):
        hurrying = asyncio.create_task(take(hurried, "hurried", gives_way=False))
        await until(lambda: holder.wanted("one"))
        waiting = asyncio.create_task(take(polite, "polite", gives_way=True))
        await asyncio.sleep(0)
    for _ in range(4):
        await clock.step(1)
    await asyncio.gather(hurrying, waiting)
    assert order == ["hurried", "polite"]


async def test_who_waits_is_seen_though_somebody_looked_at_the_same_instant(
    tmp_path: Path, clock: SteppedClock
) -> None:
    """A look whether somebody waits falls on the instant in which a program begins to wait: it is seen soon after."""
    first, second = Turns(tmp_path, clock), Turns(tmp_path, clock)
    began = asyncio.Event()

    async def wait() -> None:
        async with second.taken("one", waiting=began.set):
            pass

    async with first.taken("one"):
        (queue,) = (tmp_path / "turns").glob("*.wanted")
        with queue.open("ab") as looking:
            fcntl.flock(looking, fcntl.LOCK_EX)
            waiting = asyncio.create_task(wait())
            await began.wait()
        assert not first.wanted("one")
        await clock.step(1)
        assert first.wanted("one")
    await clock.step(1)
    await waiting


async def test_marks_differ(tmp_path: Path, clock: SteppedClock) -> None:
    """Each mark reads otherwise than the one before; without any there is nothing to read."""
    turns = Turns(tmp_path, clock)
    seen = [turns.marked()]
    for _ in range(2):
        turns.mark()
        seen.append(turns.marked())
        await clock.step(1)
    assert seen[0] == ""
    assert len(set(seen)) == 3


async def test_a_data_directory_that_cannot_be_used(tmp_path: Path, clock: SteppedClock) -> None:
    """Where no lock can be made the sentence names the folder; a mark is left out without a word."""
    (tmp_path / "turns").write_text("a file")
    turns = Turns(tmp_path, clock)
    with pytest.raises(StoreError, match="turns"):
        async with turns.taken("one"):
            pass
    turns.mark()
    assert turns.marked() == ""
