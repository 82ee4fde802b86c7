"""Media servers: how to get at them, which of their libraries are wanted, and where their folders lie here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.errors import StoreError
from exstream.model.server import Localise, Mapping, Server, ServerId
from exstream.store.database import Database
from exstream.store.keeping import Values, batches
from exstream.store.tables import item as items_table
from exstream.store.tables import library as libraries_table
from exstream.store.tables import path_mapping as mappings_table
from exstream.store.tables import server as servers_table
from exstream.store.vault import Sealed, Vault


class ServerStore:
    """Keeps servers, their tokens sealed. Every method is one transaction and raises `StoreError`."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def servers(self) -> list[Server]:
        """Return the servers, oldest first; one whose token cannot be read has a ``fault`` in its place."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(servers_table).order_by(servers_table.c.number))
            return [self._server(row) for row in rows.mappings()]

    async def keep_server(self, server: Server) -> None:
        """Keep ``server``, new or not; without a token it keeps the one that it had."""
        values = {"name": server.name, "url": server.url, "verify": server.verify, "version": server.version}
        if server.token:
            values["token"] = self._vault.seal(server.token)
        async with self._database.write() as connection:
            mine = servers_table.c.id == server.id
            done = await connection.execute(update(servers_table).where(mine).values(values))
            if not done.rowcount:
                await connection.execute(
                    insert(servers_table).values({"id": server.id, "token": "", **values})
                )

    async def remove_server(self, server: ServerId) -> bool:
        """Forget a server with its libraries and all that is in them; tell whether there was one."""
        async with self._database.write() as connection:
            await connection.execute(delete(libraries_table).where(libraries_table.c.server_id == server))
            done = await connection.execute(delete(servers_table).where(servers_table.c.id == server))
            return done.rowcount > 0

    async def enable_library(self, library_id: int, *, enabled: bool) -> bool:
        """Switch a library on or off; tell whether there is one. What is known of its items stays."""
        async with self._database.write() as connection:
            mine = libraries_table.c.id == library_id
            done = await connection.execute(update(libraries_table).where(mine).values(enabled=enabled))
            return done.rowcount > 0

    async def mappings(self, server: ServerId) -> list[Mapping]:
        """Return where the folders of ``server`` lie here, in the order they were told."""
        async with self._database.read() as connection:
            return await _mappings(connection, server)

    async def add_mapping(self, mapping: Mapping, localise: Localise) -> int:
        """Keep a mapping in the place of any of the same folder, and tell how many items lie elsewhere by it."""
        told = {"local_path": mapping.local_path}
        same = (mappings_table.c.server_id == mapping.server) & (
            mappings_table.c.plex_path == mapping.plex_path
        )
        async with self._database.write() as connection:
            await _require(connection, mapping.server)
            done = await connection.execute(update(mappings_table).where(same).values(told))
            if not done.rowcount:
                new = {"server_id": mapping.server, "plex_path": mapping.plex_path, **told}
                await connection.execute(insert(mappings_table).values(new))
            return await _remap(connection, mapping.server, localise)

    async def remove_mapping(self, server: ServerId, mapping_id: int, localise: Localise) -> int | None:
        """Drop a mapping, and tell how many items lie elsewhere without it; None where there is no such mapping."""
        mine = (mappings_table.c.server_id == server) & (mappings_table.c.id == mapping_id)
        async with self._database.write() as connection:
            done = await connection.execute(delete(mappings_table).where(mine))
            return await _remap(connection, server, localise) if done.rowcount else None

    def _server(self, row: RowMapping) -> Server:
        token = fault = ""
        try:
            token = self._vault.open(row["token"])
        except Sealed as error:
            fault = str(error)
        return Server(row["id"], row["name"], row["url"], token, row["verify"], row["version"], fault)


async def _require(connection: AsyncConnection, server: ServerId) -> None:
    query = select(servers_table.c.id).where(servers_table.c.id == server)
    if (await connection.execute(query)).first() is None:
        raise StoreError(f"there is no server {server} any more: sign in to it again")


async def _mappings(connection: AsyncConnection, server: ServerId) -> list[Mapping]:
    query = select(mappings_table).where(mappings_table.c.server_id == server).order_by(mappings_table.c.id)
    return [
        Mapping(row.server_id, row.plex_path, row.local_path, row.id)
        for row in await connection.execute(query)
    ]


async def _remap(connection: AsyncConnection, server: ServerId, localise: Localise) -> int:
    """Write where the files of ``server`` lie now; return how many items lie elsewhere than before."""
    mappings = await _mappings(connection, server)
    libraries = select(libraries_table.c.id, libraries_table.c.roots).where(
        libraries_table.c.server_id == server
    )
    rating_key, moved = items_table.c.rating_key, 0
    change = update(items_table).where(
        items_table.c.server_id == server, rating_key == bindparam("moved_key")
    )
    for library_id, roots in (await connection.execute(libraries)).all():
        query = select(rating_key, items_table.c.file_path, items_table.c.versions)
        rows = (await connection.execute(query.where(items_table.c.library_id == library_id))).all()
        # Whether a file is there may be asked of a network.
        found = await asyncio.to_thread(_moved, rows, mappings, roots, localise)
        for batch in batches(found):
            await connection.execute(change, batch)
        moved += len(found)
    return moved


def _moved(
    rows: Sequence[Any], mappings: Sequence[Mapping], roots: Sequence[str], localise: Localise
) -> list[Values]:
    local = localise(mappings, roots)
    found: list[Values] = []
    for rating_key, file_path, versions in rows:
        now = [
            {**version, "parts": [_placed(part, local(part["path"])) for part in version["parts"]]}
            for version in versions
        ]
        path = now[0]["parts"][0].get("file", "") if now else file_path
        if now != versions or path != file_path:
            found.append({"moved_key": rating_key, "file_path": path, "versions": now})
    return found


def _placed(part: Values, file: str) -> Values:
    rest = {name: value for name, value in part.items() if name != "file"}
    return {**rest, "file": file} if file else rest
