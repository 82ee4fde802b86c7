"""What synchronisation costs a server: requests, counted by a server in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from exstream.clock import SystemClock
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.sync import ServerSync
from exstream.model.server import Server
from exstream.plex.api import PlexServer
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from load.plex_server import big_library, plex_server

pytestmark = pytest.mark.anyio


async def test_requests_follow_what_there_is_to_do(tmp_path: Path) -> None:
    """Pages for the first reading, five requests for nothing, few for fifty changes, batches for details."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/exstream.db")
    await database.open()
    store = PlexStore(database, Vault(tmp_path))
    async with plex_server(big_library(2_000, 200)) as fake:
        server = Server(fake.machine, "Fake", fake.url, fake.token)
        await store.keep_server(server)
        async with PlexServer(server, "client", SystemClock(), page_size=500, batch=100) as asking:
            sync = ServerSync(Means(server, asking, store, SystemClock(), exists=lambda _: False))
            first = await sync.run()
            assert (first.added, first.faults) == (2_200, [])
            assert first.requests == fake.requests <= 12
            assert await sync.details() == 0
            nothing = await sync.run()
            assert (nothing.requests, nothing.skipped, nothing.writes) == (5, 2_200, 0)
            for entry in fake.entries("episode")[::40] + fake.entries("movie")[:10]:
                fake.change(entry["key"], title=f"{entry['title']}!")
            some = await sync.run()
            assert (some.updated, some.requests <= 15) == (60, True)
            for entry in fake.entries("episode")[7::500]:
                fake.remove(entry["key"])
            assert (await sync.run()).removed == 4
            assert await sync.details() == 0
    await database.dispose()
