"""What `exstream doctor` looks at in the database: that it opens, its schema, and the libraries it lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from exstream.cli.checks import Check, State, failed, folder_readable, passed
from exstream.cli.plex_checks import plex_servers
from exstream.cli.shelf import sqlite_file
from exstream.config import Settings
from exstream.errors import StoreError, StoreUnreachable
from exstream.model.bad_file import BadFile
from exstream.model.catalogue import LibraryKind
from exstream.store.bad_files import BadFileStore
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.tables import SCHEMA

_NAME = "database"
_MOST_SHOWN = 10


async def stored(settings: Settings) -> AsyncIterator[Check]:
    """Look at the database and, when it is sound, at the libraries; changes nothing in it."""
    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        yield passed(_NAME, f"{file} is made at the first start")
        return
    try:
        database = Database(settings.database_url)
    except StoreError as error:
        yield failed(_NAME, error)
        return
    try:
        current = await database.schema() == SCHEMA
        yield await _database(database)
        if current:
            async for check in _libraries(CatalogueStore(database)):
                yield check
            for check in _bad_files(await BadFileStore(database).load()):
                yield check
            async for check in plex_servers(settings, database):
                yield check
    except StoreUnreachable as error:
        told = failed(_NAME, error)
        yield Check(_NAME, State.FAIL, told.text, told.remedy, unreachable=True)
    except StoreError as error:
        yield failed(_NAME, error)
    finally:
        await database.dispose()


async def _database(database: Database) -> Check:
    faults = await database.check()
    if faults:
        return Check(
            _NAME,
            State.FAIL,
            f"{database.address} is damaged ({'; '.join(faults[:3])})",
            "stop the server and put the newest copy from the folder 'backups' in its place",
        )
    revision = await database.schema()
    if revision is None:
        return passed(_NAME, f"{database.address} is empty: its schema is made at the next start")
    if revision == SCHEMA:
        return passed(_NAME, f"{database.address}, schema {revision}")
    return Check(
        _NAME,
        State.WARN,
        f"{database.address} has schema {revision}, this version has {SCHEMA}",
        "start the server: an older schema is migrated after a backup, a newer one is refused",
    )


async def _libraries(catalogue: CatalogueStore) -> AsyncIterator[Check]:
    for library in await catalogue.libraries():
        if library.kind is LibraryKind.PLEX:  # its server is asked instead
            continue
        if folder_readable(Path(library.path)):
            yield passed("library", f"{library.name}: {library.path}")
        else:
            yield Check(
                "library",
                State.WARN,
                f"{library.name}: {library.path} is missing or cannot be read; its items stay in the catalogue",
                f"connect the disk, give this user the right to read it, or `exstream library remove {library.path}`",
            )


def _bad_files(files: Sequence[BadFile]) -> Iterator[Check]:
    if not files:
        yield passed("bad files", "no file is set aside")
    for file in files[:_MOST_SHOWN]:
        yield Check(
            "bad files",
            State.WARN,
            f"{file.path} is not played: its encoders failed {file.failures} times ({file.reason})",
            "mend or replace it: it is tried again when it changes, after `exstream library scan`, and after a day",
        )
    if len(files) > _MOST_SHOWN:
        more = len(files) - _MOST_SHOWN
        yield Check("bad files", State.WARN, f"{more} more files are not played", "see /api/v1/bad-files")
