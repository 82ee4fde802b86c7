"""The catalogue as the commands open it: straight from the database, beside a running server or without one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from exstream.config import Settings
from exstream.model.catalogue import Catalogue, Library
from exstream.store.bad_files import BadFileStore
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database


class Shelf(Protocol):
    """What is read by commands that change nothing."""

    async def libraries(self) -> list[Library]:
        """Return the libraries, oldest first."""

    async def load(self) -> Catalogue:
        """Return all items."""


class EmptyShelf:
    """What is kept before there is a database: reading makes none."""

    async def libraries(self) -> list[Library]:
        """Return no library."""
        return []

    async def load(self) -> Catalogue:
        """Return a catalogue without items."""
        return Catalogue()


@asynccontextmanager
async def writable_shelf(settings: Settings) -> AsyncIterator[CatalogueStore]:
    """Give the catalogue, made or brought up to date if need be; raises StoreError."""
    database = Database(settings.database_url, pool_size=2, max_overflow=2)
    try:
        await database.open()
        yield CatalogueStore(database)
    finally:
        await database.dispose()


@asynccontextmanager
async def readable_shelf(settings: Settings) -> AsyncIterator[Shelf]:
    """Give the catalogue to commands that only read; raises StoreError."""
    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        yield EmptyShelf()
        return
    async with writable_shelf(settings) as shelf:
        yield shelf


async def try_again(settings: Settings, libraries: Iterable[Library]) -> None:
    """Take the files in ``libraries`` off the record of bad files: they may be played again. Raises StoreError."""
    folders = tuple(Path(library.path) for library in libraries)
    database = Database(settings.database_url, pool_size=2, max_overflow=2)
    try:
        record = BadFileStore(database)
        paths = [file.path for file in await record.load()]
        await record.update((), [path for path in paths if any(map(Path(path).is_relative_to, folders))])
    finally:
        await database.dispose()


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database, None for another one."""
    scheme, _, rest = url.partition(":///")
    return Path(rest.partition("?")[0]) if scheme.startswith("sqlite") else None
