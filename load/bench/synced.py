"""A synchronisation in a process of its own, so that it can be weighed: a step for each line on standard input.

``python -m load.bench.synced HOME URL MACHINE`` with the token as the first line. It writes a line of JSON when it is
ready, one when everything is listed, and one when all details are there.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from exstream.clock import SystemClock
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.statistics import Statistics
from exstream.jobs.sync.sync import ServerSync
from exstream.model.server import Server
from exstream.plex.api import PlexServer
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault


async def run(home: Path, url: str, machine: str) -> None:
    """Read a server into an empty database in ``home``."""
    server = Server(machine, machine, url, _step())
    database = Database(f"sqlite+aiosqlite:///{home}/exstream.db")
    await database.open()
    try:
        store, clock = PlexStore(database, Vault(home)), SystemClock()
        await store.keep_server(server)
        async with PlexServer(server, "bench", clock) as asking:
            sync = ServerSync(Means(server, asking, store, clock))
            _tell(ready=True)
            await asyncio.to_thread(_step)
            listed = await sync.run()
            _tell(**_figures(listed))
            await asyncio.to_thread(_step)
            detailed = Statistics()
            left = await sync.details(statistics=detailed)
            _tell(**_figures(detailed), left=left)
    finally:
        await database.dispose()


def _figures(statistics: Statistics) -> dict[str, Any]:
    return {
        "seconds": statistics.seconds,
        "requests": statistics.requests,
        "writes": statistics.writes,
        "added": statistics.added,
        "faults": statistics.faults,
    }


def _step() -> str:
    return sys.stdin.readline().rstrip("\n")


def _tell(**told: Any) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
