"""The libraries and their items."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.errors import StoreError
from exstream.model.catalogue import Catalogue, Item, ItemKey, Library, LibraryKind
from exstream.store.database import Database
from exstream.store.groupings import memberships
from exstream.store.items import FILE_COLUMNS, LOADED, Loaded, Reader, file_values, identity
from exstream.store.keeping import BATCH, Key, Values, among, batches, fetched, keep, upsert
from exstream.store.tables import item as items_table
from exstream.store.tables import library as libraries_table
from exstream.store.tables import server as servers_table

LOCAL = "local"
"""The server of every library that is a folder of this machine."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How many items one `CatalogueStore.apply` changed, by how."""

    added: int = 0
    updated: int = 0
    missing: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.updated or self.missing or self.removed)


class CatalogueStore:
    """Keeps libraries and items; raises `StoreError` when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded = Loaded()
        insert = (sqlite if database.dialect == "sqlite" else postgresql).insert
        self._upsert = upsert(database.dialect, items_table, FILE_COLUMNS)
        self._insert_library = insert(libraries_table).on_conflict_do_nothing()

    async def libraries(self) -> list[Library]:
        """Return the libraries that are folders of this machine, oldest first."""
        query = select(libraries_table).where(libraries_table.c.server_id == LOCAL)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(libraries_table.c.id))
            return [_library(row) for row in rows]

    async def switched_on(self) -> list[Library]:
        """Return every library whose items are in the catalogue, those of servers included, oldest first."""
        query = select(libraries_table).where(libraries_table.c.enabled).order_by(libraries_table.c.id)
        async with self._database.read() as connection:
            return [_library(row) for row in await connection.execute(query)]

    async def add_library(self, kind: LibraryKind, name: str, path: str) -> Library:
        """Return the library of the folder ``path``, having made it when there was none."""
        async with self._database.write() as connection:
            values = {"server_id": LOCAL, "kind": kind.value, "name": name, "path": path}
            await connection.execute(self._insert_library, values)
            rows = await connection.execute(
                select(libraries_table).where(
                    libraries_table.c.server_id == LOCAL, libraries_table.c.path == path
                )
            )
            return _library(rows.one())

    async def remove_library(self, library_id: int) -> bool:
        """Forget a library and all its items; tell whether there was one."""
        async with self._database.write() as connection:
            found = await connection.execute(
                delete(libraries_table).where(libraries_table.c.id == library_id)
            )
            return found.rowcount > 0

    async def load(self) -> Catalogue:
        """Return all items but those of libraries that are switched off, and those that were missing for too long.

        The catalogue's version is the same as long as nothing of it changes in the database, and so are the items that
        do not change.
        """
        query = (
            select(*LOADED)
            .join(libraries_table, items_table.c.library_id == libraries_table.c.id)
            .outerjoin(servers_table, items_table.c.server_id == servers_table.c.id)
            .where(libraries_table.c.enabled, ~items_table.c.deleted)
            .order_by(items_table.c.server_id, items_table.c.rating_key)
        )
        async with self._database.read() as connection:
            reader = await asyncio.to_thread(Reader, await memberships(connection), self._loaded)
            async with connection.stream(query) as rows:
                async for portion in rows.partitions(BATCH):
                    await asyncio.to_thread(reader.add, portion)
        self._loaded = await asyncio.to_thread(reader.loaded)
        return self._loaded.catalogue

    async def apply(
        self,
        library_id: int,
        items: Iterable[Item],
        missing: Iterable[ItemKey] = (),
        gone: Iterable[ItemKey] = (),
    ) -> Changes:
        """Keep ``items``, mark those whose file is ``missing``, drop those that are ``gone``: all or nothing.

        Only what differs from what is kept is written. Items of other libraries are neither marked nor dropped.
        Raises CatalogueError for a key that names no server.
        """
        added = updated = marked = removed = 0
        async with self._database.write() as connection:
            await _require(connection, library_id)
            for batch in batches(items):
                wanted = await asyncio.to_thread(_wanted, library_id, batch)
                known = await fetched(connection, items_table, FILE_COLUMNS, wanted)
                kept = await keep(connection, items_table, self._upsert, wanted, known)
                added += len(kept.added)
                updated += len(kept.updated)
            mine = items_table.c.library_id == library_id
            for keys in batches(missing):
                present = and_(
                    mine, items_table.c.missing.is_(False), among(items_table, map(identity, keys))
                )
                done = await connection.execute(update(items_table).where(present).values(missing=True))
                marked += done.rowcount
            for keys in batches(gone):
                done = await connection.execute(
                    delete(items_table).where(mine, among(items_table, map(identity, keys)))
                )
                removed += done.rowcount
        return Changes(added, updated, marked, removed)


def _wanted(library_id: int, items: Iterable[Item]) -> dict[Key, Values]:
    return {identity(item.key): file_values(library_id, item) for item in items}


async def _require(connection: AsyncConnection, library_id: int) -> None:
    query = select(libraries_table.c.id).where(libraries_table.c.id == library_id)
    if (await connection.execute(query)).first() is None:
        raise StoreError(f"there is no library {library_id} any more: add its folder again")


def _library(row: Row[Any]) -> Library:
    return Library(row.id, LibraryKind(row.kind), row.name, row.path, row.server_id)
