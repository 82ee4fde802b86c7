"""Databases of older versions: what they kept is kept, and the way back is open."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from exstream.store import migration, tables
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database

pytestmark = pytest.mark.anyio

LIBRARY = (
    "INSERT INTO library (id, server_id, kind, name, path) VALUES (7, 'local', 'folder', 'Series', '/media')"
)
ITEM = (
    "INSERT INTO item (server_id, rating_key, library_id, kind, title, duration_ms, show, season, episode, year,"
    " summary, genres, file_path, added_at, updated_at, missing)"
    " VALUES ('local', 'one', 7, 'film', 'Älter', 60000, '', NULL, NULL, 1984, '', '[\"Drama\"]', '/media/a.mkv',"
    " 1, 2, {no})"
)


def _alembic(change: Callable[..., None], revision: str) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        config = migration.configuration()
        config.attributes["connection"] = connection
        change(config, revision)

    return run


async def _made(address: str, revision: str) -> None:
    """Make a database as the version of ``revision`` left it, with a library and an item."""
    database = Database(address)
    try:
        async with database.write() as connection:
            await connection.run_sync(_alembic(command.upgrade, revision))
            await connection.execute(text(LIBRARY))
            no = "0" if database.dialect == "sqlite" else "false"
            await connection.execute(text(ITEM.format(no=no)))
    finally:
        await database.dispose()


@pytest.mark.parametrize("revision", ["0001", "0002"])
async def test_what_an_older_version_kept_is_kept(address: str, revision: str) -> None:
    """A library and its items survive every later revision, and are enabled, there and whole."""
    await _made(address, revision)
    database = Database(address)
    try:
        await database.open()
        item = (await CatalogueStore(database).load()).items["local:one"]
        assert (item.title, item.genres, item.library, item.path) == (
            "Älter",
            ("Drama",),
            "Series",
            "/media/a.mkv",
        )
        assert (item.versions, item.labels, item.external_ids, item.rating) == ((), (), (), None)
    finally:
        await database.dispose()


async def test_the_way_back(address: str) -> None:
    """Going back keeps folders and their items, and going forward again ends at the current tables."""
    await _made(address, "0003")
    database = Database(address)
    try:
        yes = "1" if database.dialect == "sqlite" else "true"
        async with database.write() as connection:
            for statement in (
                "INSERT INTO library (server_id, kind, name, path, section) VALUES ('a', 'plex', 'F', '/x', '1')",
                "INSERT INTO server (id, name, url, token, verify, version) VALUES ('a', 'A', '', '', {yes}, '')",
            ):
                await connection.execute(text(statement.format(yes=yes)))
        async with database.write() as connection:
            await connection.run_sync(_alembic(command.downgrade, "0001"))
        async with database.read() as connection:
            assert (await connection.execute(text("SELECT rating_key FROM item"))).scalars().all() == ["one"]
            assert (await connection.execute(text("SELECT id FROM library"))).scalars().all() == [7]
        await database.open()
        async with database.read() as connection:
            assert await connection.run_sync(_differences) == []
        assert list((await CatalogueStore(database).load()).items) == ["local:one"]
    finally:
        await database.dispose()


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))
