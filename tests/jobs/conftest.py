"""What the jobs work with, real: a database, ffmpeg's processes and a prober."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.process import Processes
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from tests.jobs.stepped import SteppedClock, until


@pytest.fixture
async def shelves(tmp_path: Path) -> AsyncIterator[CatalogueStore]:
    """Return an empty catalogue in a database of its own."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/state/exstream.db")
    try:
        await database.open()
        yield CatalogueStore(database)
    finally:
        await database.dispose()


@pytest.fixture
async def processes(ffmpeg: str) -> AsyncIterator[Processes]:
    """Return the owner of real ffmpeg processes; none may be left."""
    async with Processes(ffmpeg) as owner:
        yield owner
        await until(lambda: not owner.running())


@pytest.fixture
def prober(processes: Processes) -> Prober:
    """Return the real prober."""
    return Prober(processes)


@pytest.fixture
def clock() -> SteppedClock:
    """Return a clock that the test steps."""
    return SteppedClock()


@pytest.fixture
def board(clock: SteppedClock) -> Board:
    """Return the board of jobs."""
    return Board(clock.now_ms)


@pytest.fixture
def catalogue(shelves: CatalogueStore) -> CatalogueHolder:
    """Return the holder of the snapshot."""
    return CatalogueHolder(shelves)
