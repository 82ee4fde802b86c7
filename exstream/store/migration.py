"""Brings a database to the current schema with Alembic, a SQLite file only after a copy of it is safe."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from exstream.errors import SchemaTooNew, StoreError
from exstream.resources import data_path
from exstream.store.connections import WRITES, prepare_sqlite

_ADVISORY_LOCK = 0x45_58_53_54
"""So that several servers on one PostgreSQL migrate one after another."""


def migrate_file(file: Path, backups: Path) -> None:
    """Migrate the SQLite database in ``file``; what it was is copied into ``backups`` first."""
    engine = create_engine(URL.create("sqlite", database=str(file)), poolclass=NullPool)
    prepare_sqlite(engine)
    # The write lock is taken before the copy: nothing can be kept between the copy and the change.
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is not None:
            back_up(file, backups / f"exstream-{revision}.db")
        migrate(connection)


def migrate(connection: Connection) -> None:
    """Migrate over ``connection``, in its transaction; raise SchemaTooNew when a newer version was here."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = configuration()
    config.attributes["connection"] = connection
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaTooNew(
            f"the database is at revision {revision}, which a newer version of Exstream made: "
            "start that version, or put a copy from the folder 'backups' in the database's place"
        )
    command.upgrade(config, "head")


def configuration() -> Config:
    """Return Alembic's configuration: where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(data_path("migrations")).replace("%", "%%"))
    return config


def back_up(file: Path, copy: Path) -> None:
    """Copy a SQLite database, even while others use it; the copy appears whole or not at all."""
    partial = copy.with_suffix(".partial")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as target:
            source.backup(target)
        partial.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StoreError(
            f"{file} could not be copied to {copy} before its schema changes ({error}): free some space there"
        ) from error
