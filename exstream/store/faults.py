"""What went wrong with the database, as a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from exstream.errors import StoreError, StoreUnreachable

_LOCKED = "{address} is locked by another program: stop it, then try again"
_FORBIDDEN = "{address} cannot be written: give the server's user the right to write it and its folder"
_TWICE = "{address} refuses rows that contradict what it holds: make sure that one server only writes to it"
_SQLITE = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_READONLY": _FORBIDDEN,
    "SQLITE_PERM": _FORBIDDEN,
    "SQLITE_CANTOPEN": "{address} cannot be opened: look at the rights of the file and of its folder",
    "SQLITE_FULL": "the disk is full, {address} was not written: free some space; what was kept before is safe",
    "SQLITE_IOERR": "{address} could not be read or written: the disk may be full or failing; free some space or "
    "move the data directory; what was kept before is safe",
    "SQLITE_CORRUPT": "{address} is damaged: stop the server and put the newest copy from the folder 'backups' "
    "in its place, or move it away to begin anew",
    "SQLITE_CONSTRAINT": _TWICE,
    "SQLITE_NOTADB": "{address} is no SQLite database: name another file, or move it away to begin anew",
}
_POSTGRES = {
    "23": _TWICE,
    "28": "PostgreSQL refuses the user of {address}: correct the name or the password",
    "3D000": "PostgreSQL has no such database as {address}: make it with createdb",
    "42501": "PostgreSQL gives the user of {address} too few rights: make it the owner of the database",
    "53100": "the disk of PostgreSQL is full, {address}: free some space; what was kept before is safe",
    "53300": "PostgreSQL has no connection left for {address}: raise its max_connections",
    "57": "PostgreSQL is stopping or starting, {address}: try again when it runs",
    "08": "the connection to PostgreSQL broke, {address}: try again when it runs",
}
"""By the beginning of SQLSTATE."""


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Raise what the database drivers raise as `StoreError`; ``address`` is shown and has no password in it."""
    try:
        yield
    except DBAPIError as error:
        raise StoreError(_sentence(error.orig or error, address)) from error
    except PoolTimeout as error:
        raise StoreError(
            f"every connection to {address} is in use: allow more, EXSTREAM_DB_POOL_SIZE"
        ) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise StoreError(_sentence(error, address)) from error


@contextmanager
def unreachable(address: str) -> Iterator[None]:
    """Raise as `StoreError` what keeps a connection to PostgreSQL from being made: its driver lets that through."""
    from asyncpg import InterfaceError, PostgresError

    try:
        yield
    except OSError as error:
        reason = error.strerror or _first_line(error)
        raise StoreUnreachable(
            f"PostgreSQL cannot be reached at {address} ({reason}): start it, or correct EXSTREAM_DATABASE_URL"
        ) from error
    except (PostgresError, InterfaceError) as error:
        raise StoreError(_sentence(error, address)) from error


def _sentence(error: BaseException, address: str) -> str:
    sqlite_name = getattr(error, "sqlite_errorname", None) or ""
    for name, text in _SQLITE.items():
        if sqlite_name == name or sqlite_name.startswith(f"{name}_"):
            return text.format(address=address)
    state = getattr(error, "sqlstate", None) or ""
    for beginning, text in _POSTGRES.items():
        if state.startswith(beginning):
            return text.format(address=address)
    return f"{address}: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
