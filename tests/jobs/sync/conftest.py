"""A server on paper with a few films and series, and the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exstream.jobs.sync.means import Means
from exstream.jobs.sync.sync import ServerSync
from exstream.model.server import Server
from exstream.plex.records import Kind
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from tests.fakes import SteppedClock
from tests.jobs.sync.paper import EPOCH, PaperServer, episode, movie, show
from tests.jobs.sync.told import Told

NOW = (EPOCH + 10_000_000) * 1_000


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOW)


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Return where the database is; some tests ask for both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path}/exstream.db"


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    opened = Database(address)
    try:
        await opened.open()
        yield opened
    finally:
        await opened.dispose()


@pytest.fixture
async def shelves(database: Database, tmp_path: Path) -> PlexStore:
    store = PlexStore(database, Vault(tmp_path))
    await store.keep_server(Server("paper", "Den", "http://den:32400", "token"))
    return store


@pytest.fixture
async def kept(database: Database) -> CatalogueStore:
    return CatalogueStore(database)


@pytest.fixture
def paper() -> PaperServer:
    server = PaperServer()
    server.library("1", Kind.MOVIE, "Films", [movie(number) for number in range(100, 110)])
    old = show(10, "Battlestar Galactica", 1978, genres=("Drama", "War", "Science Fiction"))
    new = show(20, "Battlestar Galactica", 2003, labels=("night",))
    episodes = [episode(200 + index, old, index) for index in range(1, 5)]
    episodes += [episode(300 + index, new, index) for index in range(1, 4)]
    server.library("2", Kind.SHOW, "TV Shows", [old, new, *episodes])
    return server


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def means(paper: PaperServer, shelves: PlexStore, clock: SteppedClock, told: Told) -> Means:
    server = Server("paper", "Den", "http://den:32400")
    return Means(server, paper, shelves, clock, told, exists=lambda _: False)


@pytest.fixture
def sync(means: Means) -> ServerSync:
    return ServerSync(means)
