"""Rows that do not fit together any more, found and put right: links that lead nowhere, and rows that stand twice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.model.catalogue import ItemKey
from exstream.model.server import ServerId
from exstream.store.catalogue import LOCAL
from exstream.store.database import Database
from exstream.store.items import identity
from exstream.store.keeping import among, batches
from exstream.store.tables import grouping as groupings_table
from exstream.store.tables import item as items_table
from exstream.store.tables import library as libraries_table
from exstream.store.tables import server as servers_table
from exstream.store.tables import show as shows_table


@dataclass(frozen=True, slots=True)
class Orphan:
    """An item whose library is gone; ``plex_path`` is the file as its server called it, "" for folders."""

    key: ItemKey
    server: ServerId
    title: str
    plex_path: str


@dataclass(frozen=True, slots=True)
class Twin:
    """An item that stands twice: ``key`` is not there any more, ``kept`` is the same by file, title and number."""

    key: ItemKey
    kept: ItemKey
    title: str


class RepairStore:
    """Looks for such rows and repairs them; raises `StoreError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def orphans(self) -> Sequence[Orphan]:
        """Return the items whose library is gone."""
        columns = items_table.c
        query = select(columns.server_id, columns.rating_key, columns.title, columns.plex_path)
        async with self._database.read() as connection:
            rows = await connection.execute(query.where(_homeless(items_table)))
            return [Orphan(f"{row[0]}:{row[1]}", row[0], row[2], row[3] or "") for row in rows]

    async def strays(self) -> int:
        """Return how many shows and collections have no library, and how many libraries have no server."""
        async with self._database.read() as connection:
            found = 0
            for table, condition in _STRAYS:
                query = select(func.count()).select_from(table).where(condition)
                found += (await connection.execute(query)).scalar_one()
            return found

    async def twins(self) -> Sequence[Twin]:
        """Return items of servers that came back under another key: the old row is missing, the new one is not."""
        columns = items_table.c
        query = select(
            *(columns.server_id, columns.rating_key, columns.library_id, columns.kind, columns.title),
            *(columns.show, columns.season, columns.episode, columns.plex_path, columns.missing),
        ).where(columns.plex_path.is_not(None), columns.plex_path != "", ~columns.deleted)
        alike: dict[tuple[object, ...], list[tuple[ItemKey, bool, str]]] = defaultdict(list)
        async with self._database.read() as connection, connection.stream(query) as rows:
            async for row in rows:
                same = row.server_id, *row[2:9]
                alike[same].append((f"{row.server_id}:{row.rating_key}", row.missing, row.title))
        found = []
        for same_ones in alike.values():
            present = [key for key, missing, _ in same_ones if not missing]
            if len(present) == 1:
                found += [Twin(key, present[0], title) for key, missing, title in same_ones if missing]
        return found

    async def relink(self, libraries: Mapping[ItemKey, int]) -> int:
        """Put items into libraries, by their numbers; return how many there were."""
        wanted: dict[int, list[ItemKey]] = defaultdict(list)
        for key, library_id in libraries.items():
            wanted[library_id].append(key)
        moved = 0
        async with self._database.write() as connection:
            for library_id, keys in wanted.items():
                for batch in batches(map(identity, keys)):
                    change = update(items_table).where(among(items_table, batch))
                    moved += (await connection.execute(change.values(library_id=library_id))).rowcount
        return moved

    async def drop(self, keys: Collection[ItemKey]) -> int:
        """Drop items; return how many there were."""
        dropped = 0
        async with self._database.write() as connection:
            for batch in batches(map(identity, keys)):
                done = await connection.execute(delete(items_table).where(among(items_table, batch)))
                dropped += done.rowcount
        return dropped

    async def drop_strays(self) -> int:
        """Drop what `strays` counts; the next synchronisation makes anew what its server still has."""
        async with self._database.write() as connection:
            return sum([await _dropped(connection, table, condition) for table, condition in _STRAYS])

    async def back_up(self, name: str) -> Path | None:
        """Copy the database as ``name`` into the folder of backups; None where it is no file."""
        file = self._database.file
        if file is None:
            return None
        from exstream.store import migration

        copy = file.parent / "backups" / name
        await asyncio.to_thread(migration.back_up, file, copy)
        return copy


def _homeless(table: Table) -> ColumnElement[bool]:
    return table.c.library_id.not_in(select(libraries_table.c.id))


_STRAYS = (
    (shows_table, _homeless(shows_table)),
    (groupings_table, _homeless(groupings_table)),
    (
        libraries_table,
        (libraries_table.c.server_id != LOCAL)
        & libraries_table.c.server_id.not_in(select(servers_table.c.id)),
    ),
)


async def _dropped(connection: AsyncConnection, table: Table, condition: ColumnElement[bool]) -> int:
    return (await connection.execute(delete(table).where(condition))).rowcount
