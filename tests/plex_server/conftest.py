"""A server for each module to look at, one for each test to change, and what real servers have answered."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from load.plex_server import MediaFile, PlexServer, running_plex_server, small_library
from tests.plex_server.asking import session

RECORDINGS = Path(
    os.environ.get("PLEX_RECORDINGS", Path(__file__).resolve().parents[3] / "shared" / "plexdata")
)


@pytest.fixture(scope="module")
def plex() -> Iterator[PlexServer]:
    """Yield a server with the sample library, that no test changes."""
    with running_plex_server() as server:
        yield server


@pytest.fixture(scope="module")
def asked(plex: PlexServer) -> Iterator[httpx.Client]:
    """Yield a session of its owner that asks for JSON."""
    with session(plex) as client:
        yield client


@pytest.fixture
def own() -> Iterator[PlexServer]:
    """Yield a server with the sample library, for one test alone."""
    with running_plex_server() as server:
        yield server


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[PlexServer]:
    """Yield a server with one film whose bytes are 0, 1, 2 ... 255, over and over, 1,000,000 of them."""
    (tmp_path / "film.mkv").write_bytes((bytes(range(256)) * 3907)[:1_000_000])
    with running_plex_server(small_library(tmp_path, [MediaFile("film.mkv", 60_000)])) as server:
        yield server


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Return the folder of recorded answers (PLEX_RECORDINGS, else ``../shared/plexdata`` beside the repository)."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recorded answers in {RECORDINGS}: set PLEX_RECORDINGS to their folder")
    return RECORDINGS
