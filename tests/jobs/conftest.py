"""What the jobs work with, real: a database, ffmpeg's processes and a prober."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.process import Processes
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.library import LibraryScanner
from exstream.model.catalogue import Library, LibraryKind
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from tests.fakes import SteppedClock, until
from tests.jobs.folders import HOUR_NS, CountingProber


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
    return SteppedClock(1_800_000_000_000)


@pytest.fixture
def board(clock: SteppedClock) -> Board:
    """Return the board of jobs."""
    return Board(clock.now_ms)


@pytest.fixture
def catalogue(shelves: CatalogueStore) -> CatalogueHolder:
    """Return the holder of the snapshot."""
    return CatalogueHolder(shelves)


@pytest.fixture(scope="session")
def clip(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a playable film of one second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    argv = [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x36:d=1", "-c:v", "libx264", str(path)]
    subprocess.run(argv, check=True)
    return path


@pytest.fixture
def counting(prober: Prober) -> CountingProber:
    return CountingProber(prober)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "media"
    path.mkdir()
    return path


@pytest.fixture
async def library(shelves: CatalogueStore, root: Path) -> Library:
    return await shelves.add_library(LibraryKind.FOLDER, "Mine", str(root))


@pytest.fixture
def scanner(
    shelves: CatalogueStore,
    catalogue: CatalogueHolder,
    counting: CountingProber,
    board: Board,
    clock: SteppedClock,
    tmp_path: Path,
) -> LibraryScanner:
    return LibraryScanner(shelves, catalogue, counting, board, clock, tmp_path / "journals")


@pytest.fixture
def put(root: Path, clip: Path, clock: SteppedClock) -> Callable[..., Path]:
    """Return a way to put a file into the library, last changed an hour ago."""

    def put(name: str, content: bytes | None = None, age_ns: int = HOUR_NS) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            shutil.copyfile(clip, path)
        else:
            path.write_bytes(content)
        changed = clock.now_ms() * 1_000_000 - age_ns
        os.utime(path, ns=(changed, changed))
        return path

    return put
