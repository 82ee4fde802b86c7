"""The pump's rounds: what many channels share, and who waits for whom."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from exstream.clock import SystemClock
from exstream.mpegts.splice import Spliced
from exstream.playout.air import Air
from exstream.playout.pump import LEAST_SHARE, LOAD_BYTES, ROUND_BYTES, TICK, Pump
from tests import material
from tests.fakes import until
from tests.playout.studio import Rota, station
from tests.referee import examine

pytestmark = pytest.mark.anyio

WORK = 200e6
"""How many bytes a second the fake channels splice."""


class Source:
    """A channel with ``stock`` bytes to read at once, and ``tick`` bytes more at each tick of the clock."""

    def __init__(self, name: str, log: list[tuple[str, int]], stock: int = 0, tick: int = 0) -> None:
        self._name = name
        self._log = log
        self.stock = stock
        self._tick = tick
        self._due = time.monotonic()
        self.share = 0
        self.stinted = self.behind = False
        self.over: deque[object] = deque()
        self.waits: list[float] = []
        """How long after they were due its ticks were read."""

    def tick(self, now: float) -> list[Spliced]:
        """Read what there is, at most the share."""
        late = time.monotonic() - self._due
        while self._tick and late >= 0:
            self.stock += self._tick
            self.waits.append(late)
            self._due += TICK
            late = time.monotonic() - self._due
        size = min(self.stock, self.share)
        self.stock -= size
        self.stinted = self.stock > 0
        time.sleep(size / WORK)
        self._log.append((self._name, size))
        return [Spliced(bytes(size), [])] if size else []

    def hungry(self, now: float) -> int | None:
        """Never in need."""
        return None


@asynccontextmanager
async def pumping(*sources: Source) -> AsyncIterator[dict[Source, int]]:
    """Put ``sources`` on a pump; gives the bytes that have been handed on for each."""
    got = dict.fromkeys(sources, 0)

    def outlet(source: Source, spliced: list[Spliced] | None) -> None:
        got[source] += sum(len(piece.data) for piece in spliced or ())

    async with Pump(SystemClock(), lambda _: None) as pump:
        for source in sources:
            pump.add(cast("Air", source), partial(outlet, source))
        yield got
        for source in sources:
            await pump.remove(cast("Air", source))


async def test_channels_that_start_together_do_not_hold_up_those_on_the_air() -> None:
    """Thirty starts of 3 MB each, half a second of work: a channel on the air gets every tick within one round."""
    log: list[tuple[str, int]] = []
    steady = Source("steady", log, tick=100_000)
    starting = [Source(f"start {number}", log) for number in range(30)]
    async with pumping(steady, *starting) as got:
        await until(lambda: got[steady] > 300_000)
        steady.waits.clear()
        for source in starting:
            source.stock = 3_000_000
        await until(lambda: all(got[source] == 3_000_000 for source in starting))
    round_seconds = ROUND_BYTES / WORK

    assert max(steady.waits) < TICK + 2 * round_seconds + 0.1, "the work of all is 450 ms in one piece"
    assert max(size for _, size in log) <= max(LEAST_SHARE, ROUND_BYTES // 30)


async def test_everybody_is_served_before_anybody_a_second_time() -> None:
    """Channels that all want much progress together: none gets a round more than another, and each is first in turn."""
    log: list[tuple[str, int]] = []
    sources = [Source(str(number), log) for number in range(8)]
    async with pumping(*sources):
        await until(lambda: len(log) > 80)
        for source in sources:
            source.stock = 1 << 40
        await until(lambda: sum(size > 0 for _, size in log) > 120)
    turns = [(name, size) for name, size in log if size][24:104]  # they have begun one after the other
    names = [name for name, _ in turns]

    assert {size for _, size in turns} == {ROUND_BYTES // 8}
    for upto in range(len(names)):
        counts = Counter(names[:upto])
        assert max(counts.values(), default=0) - min(counts[str(number)] for number in range(8)) <= 2
    assert len(set(names[::8])) > 4


async def test_what_has_been_read_is_handed_on_before_the_round_is_over() -> None:
    """The event loop gets the first channels' bytes while the last ones are still being read."""
    log: list[tuple[str, int]] = []
    sources = [Source(str(number), log, stock=LOAD_BYTES) for number in range(4)]
    seen: list[int] = []
    async with pumping(*sources) as got:
        while sum(got.values()) < 4 * LOAD_BYTES:
            await asyncio.sleep(0.001)
            seen.append(sum(size > 0 for size in got.values()))

    assert {1, 2, 3} & set(seen)


async def test_a_stream_is_whole_however_small_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel that may read but a few packets in a round is on the air as soon, and no packet of it is at fault."""
    monkeypatch.setattr("exstream.playout.pump.MOST_SHARE", 2_000)
    async with station(Rota([str(material.clip(tmp_path))], 2_000)) as on:
        data = await on.record(5)
        assert on.notes.card_seconds == 0
        assert on.notes.tunes[0][0] < 3

    assert examine(data).faults == []


async def test_with_nothing_on_the_air_nobody_is_woken() -> None:
    """The thread has no rounds before the first channel comes and after the last one has gone."""
    rounds: list[float] = []
    async with Pump(SystemClock(), rounds.append) as pump:
        await asyncio.sleep(0.5)
        before = len(rounds)
        source = Source("brief", [])
        pump.add(cast("Air", source), lambda _: None)
        await until(lambda: len(rounds) > before + 2)
        await pump.remove(cast("Air", source))
        await asyncio.sleep(TICK / 2)
        left = len(rounds)
        await asyncio.sleep(0.5)
        assert len(rounds) == left
    assert before <= 1


async def test_only_those_that_lack_something_have_their_turn_more_often() -> None:
    """A channel that could not put out what was due is asked again sooner; the others are not disturbed by that."""
    log: list[tuple[str, int]] = []
    well, short = Source("well", log), Source("short", log)
    short.behind = True
    async with pumping(well, short):
        await until(lambda: len(log) > 4)
        log.clear()
        await asyncio.sleep(6 * TICK)
        turns = Counter(name for name, _ in log)

    assert turns["well"] <= 7
    assert turns["short"] > 1.4 * turns["well"]
