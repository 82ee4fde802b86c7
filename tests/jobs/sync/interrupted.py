"""Synchronises with a server in a process of its own, so that a test can kill it: the arguments say where."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from exstream.clock import SystemClock
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.sync import ServerSync
from exstream.plex.api import PlexServer
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault


async def run(folder: Path) -> None:
    """Bring the first server of the database in ``folder`` up to date, details included."""
    database = Database(f"sqlite+aiosqlite:///{folder}/exstream.db")
    await database.open()
    try:
        store = PlexStore(database, Vault(folder))
        (server,) = await store.servers()
        clock = SystemClock()
        async with PlexServer(server, "client", clock, page_size=50, batch=50) as asking:
            sync = ServerSync(Means(server, asking, store, clock, exists=lambda _: False))
            print("begins", flush=True)
            await sync.run()
            await sync.details()
    finally:
        await database.dispose()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
