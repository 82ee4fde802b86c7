"""Opening a database: current, new, older, newer, damaged, locked, forbidden or out of reach."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from exstream.errors import SchemaTooNew, StoreError
from exstream.store import migration, tables
from exstream.store.connections import Crowding
from exstream.store.database import Database
from tests import programs

pytestmark = pytest.mark.anyio
sqlite_only = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
ROOT = Path(__file__).resolve().parents[2]


async def opened(address: str) -> None:
    database = Database(address)
    try:
        await database.open()
    finally:
        await database.dispose()


async def refusal(address: str) -> str:
    with pytest.raises(StoreError) as refused:
        await opened(address)
    return str(refused.value)


async def run(address: str, *statements: str) -> None:
    database = Database(address)
    try:
        async with database.write() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await database.dispose()


@pytest.fixture
def file(address: str) -> Path:
    return Path(address.removeprefix("sqlite+aiosqlite:///"))


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), tables.metadata))


async def test_the_revisions_make_the_tables(database: Database) -> None:
    """What the revisions build is what the code expects, and the newest of them is the one the code asks for."""
    async with database.read() as connection:
        assert await connection.run_sync(_differences) == []
    assert ScriptDirectory.from_config(migration.configuration()).get_heads() == [tables.SCHEMA]


async def test_several_servers_open_a_new_database_at_once(address: str) -> None:
    """Servers that start together on an empty database all find it migrated."""
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(opened, address)
    await opened(address)


async def test_a_current_database_needs_no_alembic(address: str) -> None:
    """Opening a database that is current imports neither Alembic nor Mako."""
    await opened(address)
    code = (
        "import asyncio, sys; from exstream.store.database import Database\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    await database.open()\n"
        "    await database.dispose()\n"
        "asyncio.run(main())\n"
        "print(sorted({'alembic', 'mako'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, address], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


async def test_a_newer_schema_is_refused(address: str) -> None:
    """A database of a newer version stays as it is, and the sentence says which revision it has."""
    await opened(address)
    await run(address, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="9999"):
        await opened(address)


@sqlite_only
async def test_a_file_is_copied_before_its_schema_changes(address: str, file: Path) -> None:
    """What an older version kept is in ``backups``, whole, even when the migration then fails."""
    await run(
        address,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0000')",
        "CREATE TABLE keepsake (words TEXT)",
        "INSERT INTO keepsake VALUES ('dear')",
    )
    with pytest.raises(SchemaTooNew):
        await opened(address)
    with closing(sqlite3.connect(file.parent / "backups" / "exstream-0000.db")) as copy:
        assert copy.execute("SELECT words FROM keepsake").fetchall() == [("dear",)]
    assert [each.name for each in (file.parent / "backups").iterdir()] == ["exstream-0000.db"]


@sqlite_only
async def test_no_copy_no_migration(address: str, file: Path) -> None:
    """When the copy cannot be made the schema is not touched."""
    await run(
        address,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0000')",
    )
    (file.parent / "backups").write_text("a file where the folder should be")
    assert "could not be copied" in await refusal(address)


@sqlite_only
async def test_every_connection_is_safe_and_patient(database: Database) -> None:
    """Write-ahead log, checked foreign keys and five seconds of patience hold on every connection."""
    async with database.read() as first, database.read() as second:
        assert database.checked_out() == 2
        for connection in (first, second):
            values = [
                (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            ]
            assert values == ["wal", 1, 5000, 1]
    assert database.checked_out() == 0
    assert database.connections() == 2


async def test_a_broken_transaction_keeps_nothing(database: Database) -> None:
    """An error in the block undoes all of it, and the next writer is not held up."""
    insert = "INSERT INTO library (server_id, kind, name, path) VALUES ('local', 'folder', 'a', :path)"

    async def write(path: str, fault: Exception | None = None) -> None:
        async with database.write() as connection:
            await connection.execute(text(insert), {"path": path})
            if fault is not None:
                raise fault

    with pytest.raises(KeyError):
        await write("/one", KeyError("broken"))
    await write("/two")
    with pytest.raises(StoreError, match="refuses rows"):
        await write("/two")
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT path FROM library"))).scalars().all() == ["/two"]


async def test_writers_take_turns(database: Database) -> None:
    """Transactions that read, think and write lose no update, however many there are at once."""
    how_many = "SELECT count(*) FROM library"
    insert = text("INSERT INTO library (server_id, kind, name, path) VALUES ('local', 'folder', 'a', :path)")

    async def write(number: int) -> None:
        async with database.write() as connection:
            await connection.execute(text(how_many))
            await anyio.lowlevel.checkpoint()
            await connection.execute(insert, {"path": f"/{number}"})

    async with anyio.create_task_group() as group:
        for number in range(40):
            group.start_soon(write, number)
    async with database.read() as connection:
        assert (await connection.execute(text(how_many))).scalar_one() == 40
    assert database.checked_out() == 0


@sqlite_only
async def test_a_locked_file(address: str, file: Path) -> None:
    """A file that another program keeps locked is named as such after the patience has run out."""
    await opened(address)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert f"{file} is locked by another program" in await refusal(address)
    await opened(address)


@sqlite_only
async def test_a_file_that_is_no_database(address: str, file: Path) -> None:
    """A file of something else is left alone and named."""
    file.write_bytes(b"surely not a database" * 1_000)
    assert "is no SQLite database" in await refusal(address)
    assert file.read_bytes().startswith(b"surely")


@sqlite_only
async def test_a_damaged_page(address: str, file: Path) -> None:
    """A page of rubbish is found by the check, or refused with what to do."""
    await opened(address)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as raw:
        for page in range(3, file.stat().st_size // size):
            raw.seek(page * size)
            raw.write(b"\xff" * 200)
    database = Database(address)
    try:
        await database.open()
        faults = await database.check()
    except StoreError as error:
        faults = (str(error),)
    finally:
        await database.dispose()
    assert faults


@contextmanager
def _somebody() -> Iterator[None]:
    """Be an ordinary user for the block: root may write everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@sqlite_only
async def test_a_file_that_may_not_be_written(address: str, file: Path) -> None:
    """A file or a folder without the right to write is refused when it is opened, not at the first change."""
    await opened(address)
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    file.chmod(0o444)
    for folder in (file.parent, *file.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    file.parent.chmod(0o555)
    try:
        with _somebody():
            said = await refusal(address)
    finally:
        file.parent.chmod(0o755)
    assert "right" in said
    with _somebody():
        assert "cannot be made" in await refusal(f"sqlite:///{file.parent}/nowhere/exstream.db")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("mysql://localhost/x", "use SQLite or PostgreSQL"),
        ("not an address", "not understood"),
        ("sqlite://", "needs a file"),
    ],
)
async def test_an_address_that_means_no_database(wrong: str, sentence: str) -> None:
    """Addresses that cannot work are refused at once."""
    with pytest.raises(StoreError, match=sentence):
        Database(wrong)


async def test_postgresql_out_of_reach() -> None:
    """A server that does not answer is named with its address, never with its password."""
    said = await refusal(f"postgresql://exstream:hush@127.0.0.1:{programs.free_port()}/tv")
    assert "cannot be reached at postgresql+asyncpg://exstream:***@127.0.0.1" in said
    assert "EXSTREAM_DATABASE_URL" in said
    assert "hush" not in said


@pytest.mark.programs
async def test_postgresql_without_the_database_or_the_user(postgres_url: str) -> None:
    """A missing database and a refused user are told apart."""
    assert "createdb" in await refusal(postgres_url.rpartition("/")[0] + "/nowhere")
    assert "refuses the user" in await refusal(postgres_url.replace("//exstream@", "//nobody:hush@"))


@pytest.mark.programs
async def test_postgresql_connections_are_bounded_and_replaced(postgres_url: str) -> None:
    """No more connections are opened than allowed, and one that the server closed is replaced unnoticed."""
    database = Database(postgres_url, pool_size=2, max_overflow=0)
    try:
        async with database.read(), database.read():
            assert database.connections() == database.checked_out() == 2
            with pytest.raises(StoreError, match=r"every connection to .* is in use"):
                await database.check()
        async with database.write() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            closed = await connection.execute(text(f"{others} AND backend_type = 'client backend'"))
            assert True in closed.scalars().all()
        async with database.read() as one, database.read() as two:
            for connection in (one, two):
                assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.dispose()


@given(st.lists(st.integers(0, 50), max_size=200))
def test_crowding_is_told_once(in_use: list[int]) -> None:
    """A warning is due at four fifths, and again only after half or less were in use."""
    crowding, due = Crowding(50), True
    for number in in_use:
        due = due or number <= 25
        said = crowding.reached(number)
        assert said == (due and number >= 40)
        due = due and not said


@pytest.mark.programs
async def test_the_last_connections_are_told_of(postgres_url: str) -> None:
    """At four fifths of the connections the log says so, once, and names the setting."""
    database = Database(postgres_url, pool_size=3, max_overflow=2)
    try:
        with capture_logs() as logs:
            async with database.read(), database.read(), database.read():
                assert logs == []
                async with database.read(), database.read():
                    assert database.checked_out() == 5
        [entry] = logs
        assert (entry["log_level"], entry["in_use"], entry["most"]) == ("warning", 4, 5)
        assert "EXSTREAM_DB_POOL_SIZE" in entry["event"]
    finally:
        await database.dispose()
