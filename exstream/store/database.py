"""The database: a SQLite file or PostgreSQL, opened at the current schema; one writer at a time on SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import AsyncAdaptedQueuePool

from exstream.errors import StoreError
from exstream.store.connections import (
    WRITES,
    Crowding,
    postgres_connections,
    sqlite_connections,
    understood,
    write_ahead,
)
from exstream.store.faults import translated, unreachable
from exstream.store.tables import SCHEMA

log = structlog.get_logger(__name__)


class Database:
    """Connections to one database. Every method raises `StoreError` with a sentence that says what to do.

    ``backups`` is where a SQLite file is copied before its schema changes; by default ``backups`` beside the file.
    ``pool_size`` and ``max_overflow`` bound the connections to PostgreSQL; SQLite opens at most eight.
    """

    def __init__(
        self, url: str, *, backups: Path | None = None, pool_size: int = 20, max_overflow: int = 30
    ) -> None:
        self._url = understood(url)
        self.dialect = self._url.get_backend_name()
        """``sqlite`` or ``postgresql``."""
        self._file = Path(self._url.database or "").absolute()
        self._backups = backups or self._file.parent / "backups"
        self._writer = asyncio.Lock()
        self._crowding: Crowding | None = None
        if self.dialect == "sqlite":
            self._engine = sqlite_connections(self._url)
        else:
            self._crowding = Crowding(pool_size + max_overflow)
            self._engine = postgres_connections(self._url, pool_size, max_overflow)

    @property
    def address(self) -> str:
        """The file, or the server's address with the password hidden: for messages."""
        if self.dialect == "sqlite":
            return str(self._file)
        return self._url.set(query={}).render_as_string(hide_password=True)  # a query may hold a password too

    @property
    def file(self) -> Path | None:
        """The file; None where the database is a server."""
        return self._file if self.dialect == "sqlite" else None

    def checked_out(self) -> int:
        """Return how many connections are in use."""
        return self._pool.checkedout()

    def connections(self) -> int:
        """Return how many connections are open."""
        return self._pool.checkedin() + self._pool.checkedout()

    @property
    def _pool(self) -> AsyncAdaptedQueuePool:
        pool = self._engine.pool
        if not isinstance(pool, AsyncAdaptedQueuePool):
            raise TypeError(f"connections are pooled in {type(pool).__name__}")
        return pool

    async def open(self) -> None:
        """Make sure that the database can be written and has the current schema, migrating it if need be.

        Raises SchemaTooNew when a newer version wrote it.
        """
        if self.dialect == "sqlite":
            self._make_folder()
            with translated(self.address):
                await asyncio.to_thread(write_ahead, self._file)
        async with self.write() as connection:
            revision = await connection.run_sync(_revision)
        if revision != SCHEMA:
            await self._migrate()

    async def schema(self) -> str | None:
        """Return the schema's revision, None when there is no schema yet; changes nothing."""
        async with self.read() as connection:
            return await connection.run_sync(_revision)

    async def check(self) -> tuple[str, ...]:
        """Look through the whole database; return what is damaged, nothing when it is sound."""
        async with self.read() as connection:
            if self.dialect != "sqlite":
                await connection.execute(text("SELECT 1"))
                return ()
            pages = (await connection.execute(text("PRAGMA quick_check(20)"))).scalars().all()
            orphans = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
        faults = [str(page) for page in pages if page != "ok"]
        return (*faults, *(f"a row of {row[0]} belongs to no row of {row[2]}" for row in orphans[:20]))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading."""
        async with self._connection(writes=False) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction: all of the block is kept, or nothing of it."""
        async with AsyncExitStack() as stack:
            if self.dialect == "sqlite":
                await stack.enter_async_context(self._writer)
            yield await stack.enter_async_context(self._connection(writes=True))

    async def dispose(self) -> None:
        """Close every connection: to be called before the program ends."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _connection(self, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        with translated(self.address):
            # Left by its own context manager it is closed to the end: a cancelled close() would be logged.
            async with AsyncExitStack() as stack:
                plain = await self._connect(stack)
                connection = await plain.execution_options(**{WRITES: writes})
                async with connection.begin():
                    yield connection

    async def _connect(self, stack: AsyncExitStack) -> AsyncConnection:
        if self.dialect == "sqlite":
            return await stack.enter_async_context(self._engine.connect())
        with unreachable(self.address):
            connection = await stack.enter_async_context(self._engine.connect())
        if self._crowding is not None and self._crowding.reached(self.checked_out()):
            log.warning(
                "nearly all connections to the database are in use: raise EXSTREAM_DB_POOL_SIZE, and what the "
                "database's server allows",
                in_use=self.checked_out(),
                most=self._crowding.most,
            )
        return connection

    def _make_folder(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder of the database, {self._file.parent}, cannot be made ({error.strerror}): "
                "set EXSTREAM_DATA_DIR to a folder that the server may write"
            ) from error

    async def _migrate(self) -> None:
        # Alembic and Mako take a third of a second to import: only a database that is not current pays for it.
        from exstream.store import migration

        with translated(self.address):
            if self.dialect == "sqlite":
                await asyncio.to_thread(migration.migrate_file, self._file, self._backups)
                return
            async with self._engine.begin() as connection:
                await connection.run_sync(migration.migrate)


def _revision(connection: Connection) -> str | None:
    """Return the schema's revision; None when there is no schema."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
