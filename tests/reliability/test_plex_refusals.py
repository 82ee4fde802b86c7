"""A Plex server that refuses, hangs, throttles, is being maintained or has forgotten the token: real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from exstream.errors import Busy, OutboundError, SignInNeeded, Unreachable
from exstream.jobs.board import Board, JobState
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.sync.background import BackgroundSync
from exstream.model.server import Server
from exstream.outbound import ONCE, Call
from exstream.plex.api import PlexServer
from load.plex_server import big_library
from tests.fakes import SteppedClock, until
from tests.jobs.sync.beside import Shelf, beside

pytestmark = pytest.mark.anyio

HASTY = Call(1.0, 1.0)
HELD_SECONDS = 10.0
"""What waits for a server that hangs is held for longer; nothing else is, however slow the machine is."""


@asynccontextmanager
async def kept_up_to_date(shelf: Shelf, clock: SteppedClock) -> AsyncIterator[Board]:
    """Have the background job run on a clock that is stepped."""

    def connect(server: Server) -> PlexServer:
        return PlexServer(server, "client", clock, patience=ONCE)

    board = Board(clock.now_ms)
    job = BackgroundSync(shelf.store, connect, CatalogueHolder(shelf.catalogue), board, clock)
    running = asyncio.create_task(job.run())
    try:
        yield board
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def let_pass(clock: SteppedClock, seconds: int) -> None:
    """Let time pass, a second at a time, so that everything happens when it is due."""
    for _ in range(seconds):
        await clock.step(1)
        await asyncio.sleep(0.01)


def job_of(board: Board, name: str) -> JobState | None:
    return next((job.state for job in board.jobs() if job.name == f"sync {name}"), None)


async def test_after_three_refusals_a_server_is_left_alone(tmp_path: Path) -> None:
    """A server that is off is tried three times, then nobody asks until its rest is over; then all is as before."""
    async with beside(tmp_path, patience=ONCE) as shelf:
        await shelf.read()
        before = shelf.asking.requests
        shelf.fake.stop_listening()
        errors = []
        for _ in range(6):
            with pytest.raises(Unreachable) as raised:
                await shelf.read()
            errors.append(raised.value)
        assert shelf.asking.requests - before == 3
        assert [isinstance(error, Busy) for error in errors] == [False] * 3 + [True] * 3
        assert "cannot be reached" in str(errors[-1])
        assert "it is left alone for" in str(errors[-1])
        shelf.fake.listen_again()
        await asyncio.sleep(5.1)
        statistics = await shelf.read()
        assert (statistics.skipped, statistics.faults) == (statistics.total, [])


@pytest.mark.parametrize("kind", ["reset", "cut"])
async def test_connections_that_break_delete_nothing(tmp_path: Path, kind: str) -> None:
    """Every answer of the listings breaks off: the run ends with a sentence, every row stays as it was."""
    async with beside(tmp_path, patience=ONCE) as shelf:
        await shelf.read()
        before = shelf.rows("SELECT * FROM item ORDER BY rating_key")
        shelf.clock.ahead_ms = 25 * 3_600_000
        shelf.fake.harm(kind, "/library/sections/./all", after=200)
        with pytest.raises(Unreachable):
            await shelf.read()
        assert shelf.rows("SELECT * FROM item ORDER BY rating_key") == before


@pytest.mark.parametrize(("kind", "rule"), [("delay", {"seconds": 30}), ("drip", {"rate": 1})])
async def test_a_server_that_crawls_is_given_up_in_time(
    tmp_path: Path, kind: str, rule: dict[str, float]
) -> None:
    """An answer that takes 30 s, or comes byte by byte, is left after the time that it is given; the rows stay."""
    async with beside(tmp_path, patience=ONCE) as shelf:
        await shelf.read()
        before = shelf.rows("SELECT * FROM item ORDER BY rating_key")
        shelf.clock.ahead_ms = 25 * 3_600_000
        shelf.fake.harm(kind, "/library/sections/1/all", **rule)
        server = shelf.sync.means.server
        async with PlexServer(server, "client", shelf.clock, patience=ONCE, page_call=HASTY) as asking:
            async with asyncio.timeout(90):
                with pytest.raises(Unreachable):
                    await shelf.sync_again(asking=asking).run()
        assert shelf.rows("SELECT * FROM item ORDER BY rating_key") == before


async def test_a_server_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    """Of two servers one never answers: the other is read whole meanwhile, and the event loop is never held."""
    clock = SteppedClock(round(time.time() * 1_000))
    async with (
        beside(tmp_path, machine="m-den") as den,
        beside(tmp_path, machine="m-attic", name="Attic") as attic,
    ):
        den.fake.harm("hang", "/library/sections/1/all")
        late: list[float] = []

        async def watch() -> None:
            while True:
                due = time.monotonic() + 0.02
                await asyncio.sleep(0.02)
                late.append(time.monotonic() - due)

        watching = asyncio.create_task(watch())
        async with kept_up_to_date(den, clock) as board:
            await until(lambda: job_of(board, "Attic") is JobState.DONE, 50)
            assert len(await attic.items()) > 30
            assert not await den.items()
            assert job_of(board, "Den") is JobState.RUNNING
        watching.cancel()
        assert max(late) < HELD_SECONDS


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_makes_no_storm(tmp_path: Path, status: int) -> None:
    """For ten minutes at most one request a minute shows the token; the job says what to do; what is known stays."""
    clock = SteppedClock(round(time.time() * 1_000))
    async with beside(tmp_path, patience=ONCE) as shelf:
        await shelf.read()
        known = await shelf.items()
        shelf.fake.harm("status", "/library", status=status)
        shelf.fake.reset_counts()
        async with kept_up_to_date(shelf, clock) as board:
            await until(lambda: job_of(board, "Den") is JobState.FAILED, 60)
            await let_pass(clock, 600)
            job = next(each for each in board.jobs() if each.state is JobState.FAILED)
        assert ("sign in again" in job.message) is (status == 401)
        asked = [each for each in shelf.fake.asked() if each["status"] == status]
        assert 2 <= len(asked) <= 12
        assert await shelf.items() == known


Refusal = Callable[[Shelf], int]


def throttled(shelf: Shelf, seconds: int, status: int) -> int:
    """Have two pages of episodes refused with a time to come again."""
    return shelf.fake.harm(
        "status",
        "/library/sections/2/all",
        query="type=4",
        skip=2,
        times=2,
        status=status,
        headers={"Retry-After": str(seconds)},
    )


@pytest.mark.parametrize(
    "refuse", [partial(throttled, seconds=7, status=429), partial(throttled, seconds=7, status=503)]
)
async def test_a_server_that_names_a_time_is_asked_then(tmp_path: Path, refuse: Refusal) -> None:
    """429 and 503 with Retry-After are waited for, with a little chance on top; no row is doubled, none is missing."""
    async with beside(tmp_path, big_library(300, 10), page_size=50) as shelf:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        shelf.clock.sleep = sleep  # type: ignore[method-assign] # time passes at once, and is written down
        refuse(shelf)
        statistics = await shelf.read()
        waits = [each for each in slept if each > 1]
        assert len(waits) == 2
        assert all(7 <= each <= 7.7 for each in waits)
        assert len(set(waits)) == 2
        assert (statistics.added, statistics.faults) == (310, [])
        assert shelf.rows("SELECT count(*), count(DISTINCT rating_key) FROM item") == [(310, 310)]


async def test_maintenance_in_the_middle_of_a_pass_costs_no_page(tmp_path: Path) -> None:
    """A server that goes into maintenance while it is read is read on from the page where it stopped."""
    async with beside(tmp_path, big_library(400, 10), page_size=50, patience=ONCE) as shelf:
        maintenance = shelf.fake.maintenance("/library/sections/2/all", query="type=4", skip=5)
        with pytest.raises(OutboundError, match="database migrations"):
            await shelf.read()
        assert shelf.rows("SELECT count(*) FROM item WHERE kind = 'episode'") == [(250,)]
        shelf.fake.heal(maintenance)
        shelf.fake.reset_counts()
        statistics = await shelf.sync_again().run()
        starts = [
            int(asked["headers"]["x-plex-container-start"])
            for asked in shelf.fake.asked()
            if asked["path"] == "/library/sections/2/all" and "type=4" in asked["query"]
        ]
        assert starts[0] == 150
        assert statistics.faults == []
        assert shelf.rows("SELECT count(*), count(DISTINCT rating_key) FROM item") == [(410, 410)]


async def test_a_night_of_scans_and_refusals_ends_right(tmp_path: Path) -> None:
    """A scan, a mass refresh and 503 at once: tried again later, no library is given up, in the end all is there."""
    async with beside(tmp_path, big_library(200, 20), page_size=40, patience=ONCE) as shelf:
        await shelf.read()
        for entry in shelf.fake.entries("episode"):
            shelf.fake.change(entry["key"], summary="Refreshed at night.")
        shelf.fake.do("change_section", key=2, scannedAt=1_900_000_000)
        shelf.clock.ahead_ms = 2 * 3_600_000
        shelf.fake.harm("status", "/library", skip=3, times=2, status=503)
        ends: list[str] = []
        while len(ends) < 6 and "read" not in ends:
            try:
                assert (await shelf.sync_again().run()).removed == 0
                ends.append("read")
            except Unreachable:
                ends.append("put off")
        assert ends[-1] == "read"
        assert 1 <= ends.count("put off") <= 3
        await shelf.sync.details()
        kept = shelf.rows("SELECT count(*) FROM item WHERE summary = 'Refreshed at night.' AND NOT missing")
        assert kept == [(200,)]


async def test_a_new_token_ends_the_refusal(tmp_path: Path) -> None:
    """Who signs in again is read within seconds; until then the refusal is one sentence that says what to do."""
    clock = SteppedClock(round(time.time() * 1_000))
    async with beside(tmp_path, patience=ONCE) as shelf:
        shelf.fake.refuse(shelf.fake.token)
        with pytest.raises(SignInNeeded, match="sign in again"):
            await shelf.read()
        shelf.fake.allow("another-token")
        async with kept_up_to_date(shelf, clock) as board:
            await until(lambda: job_of(board, "Den") is JobState.FAILED, 60)
            await shelf.store.keep_server(Server("m-den", "Den", shelf.fake.url, "another-token"))
            await let_pass(clock, 12)
            await until(lambda: job_of(board, "Den") is JobState.DONE, 60)
            assert len(await shelf.items()) > 30
