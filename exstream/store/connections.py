"""How connections to either database are made."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import orjson
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from exstream.errors import StoreError

WRITES = "exstream_writes"
"""Execution option of a connection whose transactions take SQLite's write lock at once."""
_BUSY_SECONDS = 5.0
"""So long a lock that another program holds is waited for."""
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",  # a long guide is read, and sorted, on a full disk too
)
_CROWDED, _CALM = 0.8, 0.5
"""Parts of all connections. Between them nothing is told anew."""
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


@dataclass(frozen=True, slots=True)
class Written:
    """JSON that was written elsewhere: statements with large rows would hold the event loop with it."""

    text: str


def understood(address: str) -> URL:
    """Return the address with its asynchronous driver; raise StoreError when no database is meant by it."""
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise StoreError(
            "the database's address is not understood: write postgresql+asyncpg://user@host/name "
            "or sqlite+aiosqlite:////folder/exstream.db"
        ) from error
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise StoreError(f"{url.drivername} is no database for Exstream: use SQLite or PostgreSQL")
    if driver == _DRIVERS["sqlite"] and url.database in {None, "", ":memory:"}:
        raise StoreError("SQLite needs a file: name it in the database's address")
    return url.set(drivername=driver)


class _Connection(sqlite3.Connection):
    """A connection that gives its locks back when it is closed.

    SQLite keeps a closed connection's transaction open as long as one of its cursors lives, which a cancelled task may
    see to: everybody else would wait for the lock in vain.
    """

    def close(self) -> None:
        if self.in_transaction:
            self.rollback()
        super().close()


class Crowding:
    """Tells when so many connections are in use that the last of them are near: once, until it has become calm."""

    def __init__(self, most: int) -> None:
        self.most = most
        """How many connections there can be."""
        self._told = False

    def reached(self, in_use: int) -> bool:
        """Take note that ``in_use`` connections are in use; return True when that is to be told now."""
        if in_use <= self.most * _CALM:
            self._told = False
        if self._told or in_use < self.most * _CROWDED:
            return False
        self._told = True
        return True


def sqlite_connections(url: URL) -> AsyncEngine:
    """Return connections to a SQLite file: a few, as each has a thread."""
    connections = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=4,
        max_overflow=4,
        connect_args={"factory": _Connection},
        json_serializer=_written,
        json_deserializer=orjson.loads,
    )
    prepare_sqlite(connections.sync_engine)
    return connections


def write_ahead(file: Path) -> None:
    """Have the SQLite database ``file`` write ahead; it remembers that. Raises sqlite3.Error.

    SQLite refuses at once what waiting might not solve: here it is tried again, for others do the same to a new file.
    """
    deadline, pause = time.monotonic() + _BUSY_SECONDS, Event()
    with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                pause.wait(0.02)
            else:
                return


def postgres_connections(url: URL, size: int, overflow: int) -> AsyncEngine:
    """Return at most ``size`` + ``overflow`` connections to PostgreSQL; dead ones are replaced unnoticed."""
    return create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"timeout": 5},
        json_serializer=_written,
        json_deserializer=orjson.loads,
    )


def prepare_sqlite(engine: Engine) -> None:
    """Set the pragmas on every connection of ``engine``, and make its transactions real ones.

    Python's driver begins a transaction only before the first change, and never for DDL; here BEGIN is sent when
    SQLAlchemy begins, and takes the write lock at once where `WRITES` is set: waiting later could only fail.
    """
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


def _set_pragmas(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _written(value: Any) -> str:
    return value.text if isinstance(value, Written) else orjson.dumps(value).decode()
