"""The libraries of media servers and what is in them, for synchronisation."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.errors import StoreError
from exstream.model.catalogue import ItemKey, Library, LibraryKind, Media
from exstream.model.server import (
    Grouping,
    GroupingKind,
    Known,
    PlexLibrary,
    SectionSeen,
    ServerId,
    Shelved,
    Show,
    SyncState,
    Taken,
)
from exstream.store import groupings, shelved, versions
from exstream.store.database import Database
from exstream.store.items import identity
from exstream.store.keeping import BATCH, among, batches, fetched, keep, upsert
from exstream.store.servers import ServerStore
from exstream.store.tables import item as items_table
from exstream.store.tables import library as libraries_table
from exstream.store.vault import Vault

_STATE = tuple(each.name for each in fields(SyncState))
_COLUMNS = tuple(items_table.c.keys())


class PlexStore(ServerStore):
    """Keeps servers, their libraries and items. Every method is one transaction and raises `StoreError`."""

    def __init__(self, database: Database, vault: Vault) -> None:
        super().__init__(database, vault)
        self._dialect = database.dialect
        self._upsert = upsert(self._dialect, items_table, _COLUMNS)

    async def libraries(self, server: ServerId) -> list[PlexLibrary]:
        """Return the libraries of ``server``, in the order of their keys."""
        async with self._database.read() as connection:
            return await _libraries(connection, server)

    async def take_sections(self, server: ServerId, sections: Sequence[SectionSeen]) -> list[PlexLibrary]:
        """Keep what the server has now, new libraries enabled; one that is not listed is marked as gone."""
        async with self._database.write() as connection:
            known = {each.section: each for each in await _libraries(connection, server)}
            listed = {section.key: section for section in sections}
            for key, section in listed.items():
                values = _section_values(section)
                if key not in known:
                    of_server = {"server_id": server, "kind": LibraryKind.PLEX.value, "section": key}
                    new = {**of_server, **values, "path": f"/library/sections/{key}"}
                    await connection.execute(insert(libraries_table).values(new))
                elif _differs(known[key], section):
                    await _change(connection, known[key].library.id, values)
            for key in known.keys() - listed.keys():
                await _change(connection, known[key].library.id, {"gone": True})
            return await _libraries(connection, server)

    async def known(self, library_id: int, keys: Collection[ItemKey] | None = None) -> dict[ItemKey, Known]:
        """Return what is kept of those of ``keys`` that are in a library, those that are missing or deleted included.

        ``keys`` None: of all items.
        """
        mine = items_table.c.library_id == library_id
        if keys is None:
            return await self._known(mine)
        found: dict[ItemKey, Known] = {}
        for batch in batches(map(identity, keys)):
            found |= await self._known(mine & among(items_table, batch))
        return found

    async def unfilled(self, library_id: int) -> dict[ItemKey, Known]:
        """Return what is kept of the items of a library that lack their details, the missing ones left out."""
        columns = items_table.c
        return await self._known(
            (columns.library_id == library_id)
            & (columns.details != columns.digest)
            & (columns.missing_since == 0)
        )

    async def _known(self, which: ColumnElement[bool]) -> dict[ItemKey, Known]:
        columns = items_table.c
        query = select(
            *(columns.server_id, columns.rating_key, columns.digest, columns.details, columns.missing_since),
            *(columns.deleted, columns.stamp, columns.title, columns.show_key),
        ).where(which)
        found: dict[ItemKey, Known] = {}
        async with self._database.read() as connection, connection.stream(query) as rows:
            async for portion in rows.partitions(BATCH):
                found |= {f"{row[0]}:{row[1]}": Known(*row[2:]) for row in portion}
        return found

    async def known_shows(self, library_id: int) -> dict[ItemKey, Show]:
        """Return the shows or artists of a library."""
        async with self._database.read() as connection:
            return await groupings.known_shows(connection, library_id)

    async def known_groupings(self, server: ServerId, kind: GroupingKind) -> dict[ItemKey, Grouping]:
        """Return what is kept of the groupings of ``server``."""
        async with self._database.read() as connection:
            return await groupings.known_groupings(connection, server, kind)

    async def take_items(
        self, library_id: int, items: Sequence[Shelved], seen: Collection[ItemKey], state: SyncState
    ) -> Taken:
        """Keep ``items``, note that all of ``seen`` were there in pass ``state.pass_number``, and keep ``state``.

        An item that was missing and is among ``items`` or ``seen`` is there again. Only what differs is written. What
        only details tell stays as it was where an item comes without them.
        """
        async with self._database.write() as connection:
            before = await _state(connection, library_id)
            new = {identity(each.item.key): each for each in items}
            known = await fetched(connection, items_table, _COLUMNS, new)
            wanted = await asyncio.to_thread(shelved.rows, library_id, new, known, state.pass_number)
            kept = await keep(connection, items_table, self._upsert, wanted, known)
            seen_now = {*map(identity, seen), *new} - set(kept.added) - set(kept.updated)
            returned: list[ItemKey] = []
            marked = 0
            for keys in batches(sorted(seen_now)):
                mine = (items_table.c.library_id == library_id) & among(items_table, keys)
                returned += await _touched(connection, _returning(mine))
                unmarked = mine & (items_table.c.seen_pass != state.pass_number)
                change = update(items_table).where(unmarked).values(seen_pass=state.pass_number)
                marked += (await connection.execute(change)).rowcount
            written = await _keep_state(connection, library_id, before, state)
        added, updated = tuple(map(":".join, kept.added)), (*map(":".join, kept.updated), *returned)
        return Taken(added, updated, (), len(added) + len(updated) + marked + written)

    async def take_shows(self, library_id: int, shows: Sequence[Show], gone: Collection[ItemKey]) -> Taken:
        """Keep ``shows`` and drop those that are ``gone``."""
        async with self._database.write() as connection:
            await _state(connection, library_id)
            return await groupings.take_shows(connection, self._dialect, library_id, shows, gone)

    async def take_groupings(
        self,
        library_id: int,
        kind: GroupingKind,
        groupings_now: Sequence[Grouping],
        gone: Collection[ItemKey],
    ) -> Taken:
        """Keep ``groupings_now`` with their members in order and drop the library's collections that are ``gone``.

        Playlists belong to no library: of these all that are ``gone`` are dropped.
        """
        async with self._database.write() as connection:
            await _state(connection, library_id)
            return await groupings.take_groupings(
                connection, self._dialect, library_id, kind, groupings_now, gone
            )

    async def describe_parts(self, found: Mapping[ItemKey, Mapping[str, Media]]) -> int:
        """Keep what is in the files of items, by the address of each; return how many items have changed.

        It stays with a file for as long as its server says that it is the same.
        """
        changed = 0
        async with self._database.write() as connection:
            for keys in batches(map(identity, found)):
                known = await fetched(connection, items_table, ("server_id", "rating_key", "versions"), keys)
                for key, row in known.items():
                    if versions.describe(row["versions"], found[":".join(key)]):
                        change = update(items_table).where(among(items_table, [key]))
                        await connection.execute(change.values(versions=row["versions"]))
                        changed += 1
        return changed

    async def unseen(self, library_id: int, pass_number: int) -> list[ItemKey]:
        """Return the items that are not missing and were not seen in that pass."""
        columns = items_table.c
        query = select(columns.server_id, columns.rating_key).where(
            columns.library_id == library_id, ~columns.missing, columns.seen_pass != pass_number
        )
        async with self._database.read() as connection:
            return [f"{server}:{key}" for server, key in await connection.execute(query)]

    async def miss(self, library_id: int, keys: Collection[ItemKey], at_ms: int) -> Taken:
        """Mark items as missing since ``at_ms``; those that were missing already keep their instant."""
        removed: list[ItemKey] = []
        async with self._database.write() as connection:
            for batch in batches(map(identity, keys)):
                mine = (items_table.c.library_id == library_id) & among(items_table, batch)
                change = update(items_table).where(mine, items_table.c.missing_since == 0)
                removed += await _touched(connection, change.values(missing=True, missing_since=at_ms))
        return Taken(removed=tuple(removed), writes=len(removed))

    async def forget(self, library_id: int, missing_before_ms: int) -> Taken:
        """Drop the items that have been missing since before that instant.

        They are out of the catalogue; the rows stay, so that an item that comes back is the one that it was.
        """
        columns = items_table.c
        change = update(items_table).where(
            columns.library_id == library_id,
            columns.missing_since.between(1, missing_before_ms - 1),
            ~columns.deleted,
        )
        async with self._database.write() as connection:
            removed = await _touched(connection, change.values(deleted=True))
        return Taken(removed=tuple(removed), writes=len(removed))

    async def keep_state(self, library_id: int, state: SyncState) -> None:
        """Keep how far a library is known."""
        async with self._database.write() as connection:
            await _keep_state(connection, library_id, await _state(connection, library_id), state)


async def _libraries(connection: AsyncConnection, server: ServerId) -> list[PlexLibrary]:
    rows = await connection.execute(select(libraries_table).where(libraries_table.c.server_id == server))
    return sorted(map(_library, rows.mappings()), key=lambda library: (len(library.section), library.section))


def _library(row: RowMapping) -> PlexLibrary:
    return PlexLibrary(
        Library(row["id"], LibraryKind(row["kind"]), row["name"], row["path"], row["server_id"]),
        row["section"],
        row["section_kind"],
        row["enabled"],
        tuple(row["roots"]),
        SyncState(*(row[name] for name in _STATE)),
        row["gone"],
    )


def _section_values(section: SectionSeen) -> dict[str, Any]:
    roots = list(section.roots)
    return {"name": section.title, "section_kind": str(section.kind), "roots": roots, "gone": False}


def _differs(known: PlexLibrary, section: SectionSeen) -> bool:
    kept = (known.library.name, known.kind, known.roots, known.gone)
    return kept != (section.title, str(section.kind), tuple(section.roots), False)


async def _change(connection: AsyncConnection, library_id: int, values: dict[str, Any]) -> None:
    mine = libraries_table.c.id == library_id
    await connection.execute(update(libraries_table).where(mine).values(values))


async def _state(connection: AsyncConnection, library_id: int) -> SyncState:
    columns = (libraries_table.c[name] for name in _STATE)
    row = (await connection.execute(select(*columns).where(libraries_table.c.id == library_id))).first()
    if row is None:
        raise StoreError(f"there is no library {library_id} any more: its server was removed meanwhile")
    return SyncState(*row)


async def _keep_state(
    connection: AsyncConnection, library_id: int, before: SyncState, state: SyncState
) -> int:
    """Write ``state`` if it differs; return how many rows were written."""
    if state == before:
        return 0
    await _change(connection, library_id, asdict(state))
    return 1


def _returning(mine: ColumnElement[bool]) -> Update:
    """Return the change that makes the missing ones among ``mine`` there again."""
    gone = items_table.c.missing | items_table.c.deleted
    return update(items_table).where(mine, gone).values(missing=False, missing_since=0, deleted=False)


async def _touched(connection: AsyncConnection, change: Update) -> list[ItemKey]:
    rows: Iterable[Any] = await connection.execute(
        change.returning(items_table.c.server_id, items_table.c.rating_key)
    )
    return [f"{server}:{key}" for server, key in rows]
