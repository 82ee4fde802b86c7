"""The libraries and their items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby, islice
from types import MappingProxyType
from typing import Any, TypeVar

import orjson
from sqlalchemy import ColumnElement, Row, Text, and_, cast, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.errors import CatalogueError, StoreError
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind, Library, LibraryKind, Media
from exstream.store import media
from exstream.store.database import Database
from exstream.store.tables import item as items_table
from exstream.store.tables import library as libraries_table

LOCAL = "local"
"""The server of every library that is a folder of this machine."""
_KINDS = {kind.value: kind for kind in ItemKind}
_BATCH = 500
_ROWS_AT_ONCE = 1_000
_WRITTEN = tuple(
    column
    for column in items_table.c
    if column.name not in {"plex_path", "external_ids"}  # what an `Item` does not know stays as it is
)
_LOADED: tuple[ColumnElement[Any], ...] = (
    items_table.c.server_id,
    items_table.c.rating_key,
    items_table.c.kind,
    items_table.c.title,
    items_table.c.duration_ms,
    libraries_table.c.name,
    items_table.c.show,
    items_table.c.season,
    items_table.c.episode,
    items_table.c.year,
    items_table.c.summary,
    cast(items_table.c.genres, Text),
    items_table.c.file_path,
    items_table.c.media_duration_ms,
    cast(items_table.c.media, Text),
    items_table.c.added_at,
    items_table.c.updated_at,
    items_table.c.missing,
)

_Key = tuple[str, str]
_Values = dict[str, Any]
_T = TypeVar("_T")


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
        insert = (sqlite if database.dialect == "sqlite" else postgresql).insert
        upsert = insert(items_table)
        self._upsert = upsert.on_conflict_do_update(
            index_elements=["server_id", "rating_key"],
            set_={column.name: upsert.excluded[column.name] for column in _WRITTEN if not column.primary_key},
        )
        self._insert_library = insert(libraries_table).on_conflict_do_nothing()

    async def libraries(self) -> list[Library]:
        """Return the libraries, oldest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(libraries_table).order_by(libraries_table.c.id))
            return [_library(row) for row in rows]

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
        """Return all items. The catalogue's version is the same as long as nothing changes in the database."""
        query = (
            select(*_LOADED)
            .join(libraries_table, items_table.c.library_id == libraries_table.c.id)
            .order_by(items_table.c.server_id, items_table.c.rating_key)
        )
        reader = _Reader()
        async with self._database.read() as connection, connection.stream(query) as rows:
            # In portions: the event loop goes on in between.
            async for portion in rows.partitions(_ROWS_AT_ONCE):
                for row in portion:
                    reader.add(*row)
        return reader.catalogue()

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
            for batch in _batches(items):
                wanted = {_key(item.key): _values(library_id, item) for item in batch}
                kept = await _kept(connection, wanted)
                changed = [values for key, values in wanted.items() if kept.get(key) != values]
                if changed:
                    await connection.execute(self._upsert, changed)
                added += len(wanted) - len(kept)
                updated += len(changed) - (len(wanted) - len(kept))
            mine = items_table.c.library_id == library_id
            for keys in _batches(missing):
                present = and_(mine, items_table.c.missing.is_(False), _among(map(_key, keys)))
                done = await connection.execute(update(items_table).where(present).values(missing=True))
                marked += done.rowcount
            for keys in _batches(gone):
                done = await connection.execute(delete(items_table).where(mine, _among(map(_key, keys))))
                removed += done.rowcount
        return Changes(added, updated, marked, removed)


async def _require(connection: AsyncConnection, library_id: int) -> None:
    query = select(libraries_table.c.id).where(libraries_table.c.id == library_id)
    if (await connection.execute(query)).first() is None:
        raise StoreError(f"there is no library {library_id} any more: add its folder again")


async def _kept(connection: AsyncConnection, wanted: Mapping[_Key, _Values]) -> dict[_Key, _Values]:
    rows = await connection.execute(select(*_WRITTEN).where(_among(wanted)))
    return {(row["server_id"], row["rating_key"]): dict(row) for row in rows.mappings()}


def _among(keys: Iterable[_Key]) -> ColumnElement[bool]:
    """Return the condition that a row's identity is one of ``keys``; there is at least one."""
    return or_(
        *(
            and_(
                items_table.c.server_id == server, items_table.c.rating_key.in_([key for _, key in of_server])
            )
            for server, of_server in groupby(sorted(keys), key=lambda key: key[0])
        )
    )


def _batches(things: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(things)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _key(key: ItemKey) -> _Key:
    server, mark, rating_key = key.partition(":")
    if not (server and mark and rating_key):
        raise CatalogueError(f"the item key {key!r} names no server: it must be <server>:<key>")
    return server, rating_key


def _values(library_id: int, item: Item) -> _Values:
    server, rating_key = _key(item.key)
    return {
        "server_id": server,
        "rating_key": rating_key,
        "library_id": library_id,
        "kind": item.kind.value,
        "title": item.title,
        "duration_ms": item.duration_ms,
        "show": item.show,
        "season": item.season,
        "episode": item.episode,
        "year": item.year,
        "summary": item.summary,
        "genres": list(item.genres),
        "file_path": item.path,
        "media_duration_ms": None if item.media is None else item.media.duration_ms,
        "media": media.written(item.media),
        "added_at": item.added_at,
        "updated_at": item.updated_at,
        "missing": item.missing,
    }


class _Reader:
    """Makes a catalogue of rows of the columns `_LOADED`.

    Many items have the same genres and the same streams: each JSON text is read once and what it says is shared, which
    saves most of the time and the memory.
    """

    def __init__(self) -> None:
        self._items: dict[ItemKey, Item] = {}
        self._digest = blake2b(digest_size=12)
        self._genres: dict[str, tuple[str, ...]] = {}
        self._media: dict[str, Media] = {}

    def add(self, *row: Any) -> None:
        """Take in a row."""
        self._digest.update(repr(row).encode())
        server, rating_key, kind, *plain, genres, path, duration_ms, probed, added_at, updated_at, missing = (
            row
        )
        title, length_ms, library, show, season, episode, year, summary = plain
        key = f"{server}:{rating_key}"
        self._items[key] = Item(
            key,
            _KINDS[kind],
            title,
            length_ms,
            library,
            show,
            season,
            episode,
            year,
            summary,
            self._genres_of(genres),
            path,
            self._media_of(duration_ms, probed),
            added_at,
            updated_at,
            missing,
        )

    def catalogue(self) -> Catalogue:
        """Return what was taken in."""
        return Catalogue(MappingProxyType(dict(sorted(self._items.items()))), self._digest.hexdigest())

    def _genres_of(self, text: str) -> tuple[str, ...]:
        found = self._genres.get(text)
        if found is None:
            found = self._genres[text] = tuple(orjson.loads(text))
        return found

    def _media_of(self, duration_ms: int | None, text: str | None) -> Media | None:
        if duration_ms is None or text is None:
            return None
        found = self._media.get(text)
        if found is None:
            found = self._media[text] = media.read(duration_ms, orjson.loads(text))
        return Media(duration_ms, found.container, found.video, found.audio, found.subtitles, found.probed)


def _library(row: Row[Any]) -> Library:
    return Library(row.id, LibraryKind(row.kind), row.name, row.path)
