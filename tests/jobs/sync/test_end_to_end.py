"""From a server in another process into a database of either kind: both formats, changes, two servers at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exstream.clock import SystemClock
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.sync.background import BackgroundSync
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.plan import Wishes
from exstream.jobs.sync.sync import ServerSync
from exstream.model.server import Server
from exstream.plex.api import PlexServer
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from load.plex_server import PlexServer as Running
from load.plex_server import plex_server, sample_library
from tests.databases import KINDS, empty_database
from tests.fakes import until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database that has nothing in it, once of each kind."""
    return empty_database(request, tmp_path)


@pytest.fixture
async def shelves(database: Database, tmp_path: Path) -> PlexStore:
    return PlexStore(database, Vault(tmp_path))


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[PlexServer]:
    """Give a client of ``server``."""
    async with PlexServer(server, "client", SystemClock(), page_size=7) as asking:
        yield asking


def server_of(fake: Running) -> Server:
    return Server(fake.machine, fake.machine, fake.url, fake.token)


async def test_xml_and_json_mean_the_same(shelves: PlexStore, kept: CatalogueStore) -> None:
    """A server that writes XML only is read to the last detail: read again in JSON, no item is another one."""
    async with plex_server(sample_library()) as fake, connected(server_of(fake)) as asking:
        await shelves.keep_server(server_of(fake))
        sync = ServerSync(Means(server_of(fake), asking, shelves, SystemClock(), exists=lambda _: False))
        fake.switch(always_xml=True)
        first = await sync.run()
        assert await sync.details() == 0
        listed = [each for kind in ("movie", "episode", "track", "clip") for each in fake.entries(kind)]
        read = await kept.load()
        assert first.added == len(read.items) > 20
        assert read.items.keys() <= {f"{fake.machine}:{each['key']}" for each in listed}
        assert sum(item.media is not None for item in read.items.values()) > 20
        both = [item for item in read.items.values() if item.title.startswith("The Long Night")]
        assert [(item.episode, item.duration_ms) for item in both] == [(4, 3_600_000), (5, 3_600_000)]
        assert len({item.versions[0].parts[0].path for item in both}) == 1  # two episodes in one file
        fake.switch(always_xml=False)
        again = await sync.run(Wishes(deep=True))
        assert (again.added, again.updated, again.removed) == (0, 0, 0)
        assert await sync.details() == 0
        assert dict((await kept.load()).items) == dict(read.items)


async def test_changes_reach_the_catalogue(shelves: PlexStore, kept: CatalogueStore) -> None:
    """What is edited, removed and put back on the server is so in the catalogue, and nothing else is written."""
    async with plex_server(sample_library()) as fake, connected(server_of(fake)) as asking:
        await shelves.keep_server(server_of(fake))
        sync = ServerSync(Means(server_of(fake), asking, shelves, SystemClock(), exists=lambda _: False))
        await sync.run()
        await sync.details()
        assert (await sync.run()).writes == 0
        edited, lost = fake.entries("episode")[:2]
        fake.change(edited["key"], title="Another")
        fake.remove(lost["key"])
        done = await sync.run()
        assert (done.added, done.updated, done.removed) == (0, 1, 1)
        items = (await kept.load()).items
        assert items[f"{fake.machine}:{edited['key']}"].title == "Another"
        assert [key for key, item in items.items() if item.missing] == [f"{fake.machine}:{lost['key']}"]


async def test_two_servers_with_equal_keys(shelves: PlexStore, kept: CatalogueStore) -> None:
    """Both are kept up to date at once: what one of them loses, or calls otherwise, the other still has."""
    holder = CatalogueHolder(kept)
    job = BackgroundSync(shelves, connected, holder, Board(SystemClock().now_ms), SystemClock())
    async with (
        plex_server(sample_library(), machine="attic") as attic,
        plex_server(sample_library(), machine="barn") as barn,
    ):
        for fake in (attic, barn):
            await shelves.keep_server(server_of(fake))
        running = asyncio.create_task(job.run())
        await until(lambda: _complete(holder), seconds=30)
        edited, lost = attic.entries("episode")[:2]
        assert [edited, lost] == barn.entries("episode")[:2]
        attic.change(edited["key"], title="Another")
        attic.remove(lost["key"])
        job.ask("attic")
        await until(lambda: holder.current.items[f"attic:{lost['key']}"].missing, seconds=30)
        items = holder.current.items
        assert items[f"attic:{edited['key']}"].title == "Another"
        assert items[f"barn:{edited['key']}"].title == edited["title"]
        assert [key for key, item in items.items() if item.missing] == [f"attic:{lost['key']}"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _complete(holder: CatalogueHolder) -> bool:
    """Tell whether both servers were read, with the details."""
    items = holder.current.items
    keys = {key.partition(":")[2] for key in items}
    return len(items) == 2 * len(keys) > 40 and any(item.media for item in items.values())
