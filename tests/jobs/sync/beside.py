"""A database beside a server in a process of its own, brought up to date by the real client."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from exstream.clock import SystemClock
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.plan import Wishes
from exstream.jobs.sync.statistics import Statistics
from exstream.jobs.sync.sync import ServerSync
from exstream.model.catalogue import Item
from exstream.model.server import Server
from exstream.outbound import Patience
from exstream.plex.api import PlexServer
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from load.plex_server import Plan, plex_server
from load.plex_server import PlexServer as Fake
from tests.jobs.sync.told import Told

HASTE = Patience(first=0.05, longest=0.2)
"""Asked again as often as ever, with short pauses."""


class Later(SystemClock):
    """The clock of the machine, put forward at will."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_ms = 0

    def now_ms(self) -> int:
        """Return what time it would be."""
        return super().now_ms() + self.ahead_ms


@dataclass
class Shelf:
    """What is kept of ``fake``, and what keeps it."""

    fake: Fake
    folder: Path
    store: PlexStore
    catalogue: CatalogueStore
    asking: PlexServer
    clock: Later
    told: Told
    sync: ServerSync

    async def read(self, wishes: Wishes = Wishes()) -> Statistics:
        """Bring everything up to date, details included; return what was done in all."""
        statistics = await self.sync.run(wishes)
        await self.sync.details(statistics=statistics)
        return statistics

    async def items(self) -> dict[str, Item]:
        """Return the items of this server by their rating keys, those that are missing left out."""
        kept = (await self.catalogue.load()).items
        mine = f"{self.fake.machine}:"
        return {
            key.removeprefix(mine): item
            for key, item in kept.items()
            if key.startswith(mine) and not item.missing
        }

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the database says."""
        with closing(sqlite3.connect(self.folder / "exstream.db")) as database:
            return database.execute(query, values).fetchall()

    def alter(self, order: str, *values: object) -> None:
        """Change the database behind everybody's back."""
        with closing(sqlite3.connect(self.folder / "exstream.db")) as database, database:
            database.execute(order, values)

    def sync_again(self, **options: Any) -> ServerSync:
        """Return a synchronisation that remembers nothing, as another program would be."""
        return ServerSync(
            Means(
                self.sync.means.server,
                options.get("asking", self.asking),
                self.store,
                self.clock,
                self.told,
                exists=lambda _: False,
            )
        )


@asynccontextmanager
async def beside(folder: Path, plan: Plan | None = None, **options: Any) -> AsyncIterator[Shelf]:
    """Run a server of ``plan`` (none: one of everything) for as long as the block lasts; nothing is read yet."""
    machine, name = options.pop("machine", "m-den"), options.pop("name", "Den")
    async with (
        plex_server(plan, machine=machine, name=name) as fake,
        keeping(fake, folder, **options) as shelf,
    ):
        yield shelf


@asynccontextmanager
async def keeping(fake: Fake, folder: Path, **options: Any) -> AsyncIterator[Shelf]:
    """Keep what ``fake`` has in ``folder``; ``options`` are the client's."""
    database = Database(f"sqlite+aiosqlite:///{folder}/exstream.db")
    await database.open()
    clock, told = Later(), Told()
    server = Server(fake.machine, fake.machine.removeprefix("m-").capitalize(), fake.url, fake.token)
    options = {"patience": HASTE, "chance": Random(1), **options}
    try:
        store = PlexStore(database, Vault(folder))
        await store.keep_server(server)
        async with PlexServer(server, "client", clock, **options) as asking:
            sync = ServerSync(Means(server, asking, store, clock, told, exists=lambda _: False))
            yield Shelf(fake, folder, store, CatalogueStore(database), asking, clock, told, sync)
    finally:
        await database.dispose()
