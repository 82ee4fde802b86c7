"""The server's own job beside commands that read the same server: it waits its turn and gives way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exstream.errors import SignInNeeded
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.sync.background import BackgroundSync
from exstream.jobs.sync.statistics import Statistics
from exstream.model.server import PlexLibrary, Server
from exstream.store.catalogue import CatalogueStore
from exstream.store.plex import PlexStore
from exstream.store.turns import Turns
from tests.fakes import SteppedClock, until
from tests.jobs.sync.paper import PaperServer

pytestmark = pytest.mark.anyio


class _Beside:
    """The job with turns, and what it reports."""

    def __init__(
        self, paper: PaperServer, shelves: PlexStore, kept: CatalogueStore, clock: SteppedClock, folder: Path
    ) -> None:
        self.turns = Turns(folder, clock)
        self.done: list[tuple[str, str, int]] = []
        self._paper = paper
        self.job = BackgroundSync(
            shelves,
            self._connect,
            CatalogueHolder(kept),
            Board(clock.now_ms),
            clock,
            turns=Turns(folder, clock),
            finished=self._finished,
        )

    @asynccontextmanager
    async def _connect(self, _server: Server) -> AsyncIterator[PaperServer]:
        yield self._paper

    def _finished(self, server: Server, library: PlexLibrary, done: Statistics) -> None:
        self.done.append((server.name, library.library.name, done.added))


@pytest.fixture
def beside(
    paper: PaperServer, shelves: PlexStore, kept: CatalogueStore, clock: SteppedClock, tmp_path: Path
) -> _Beside:
    return _Beside(paper, shelves, kept, clock, tmp_path)


async def test_a_command_that_reads_is_waited_for(
    beside: _Beside, clock: SteppedClock, paper: PaperServer
) -> None:
    """While a command has the turn the server is not asked; then every library is read and counted by itself."""
    async with beside.turns.taken("paper"):
        running = asyncio.create_task(beside.job.run())
        for _ in range(5):
            await clock.step(1)
        assert paper.asked == []
    await clock.step(1)
    await until(lambda: len(beside.done) == 2)
    assert beside.done == [("Den", "Films", 10), ("Den", "TV Shows", 7)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_why_a_server_cannot_be_read_is_told_while_it_lasts(
    beside: _Beside, clock: SteppedClock, paper: PaperServer
) -> None:
    """The fault is there from the reading that met it on, and gone with the one that is well."""
    paper.fault = lambda _: SignInNeeded("Den does not accept the token it was given")
    running = asyncio.create_task(beside.job.run())
    await until(beside.job.faults)
    assert isinstance(beside.job.faults()["paper"], SignInNeeded)
    paper.fault = lambda _: None
    await clock.step(61)
    await until(lambda: not beside.job.faults())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
