"""An empty database of either kind for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from exstream.store.database import Database

_NUMBERS = count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.programs)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database that has nothing in it, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/exstream.db"
        return
    server = str(request.getfixturevalue("postgres_url"))
    name = f"test_{next(_NUMBERS)}"
    asyncio.run(_create(server, name))
    yield server.rpartition("/")[0] + "/" + name


async def _create(server: str, name: str) -> None:
    connection = await asyncpg.connect(server.replace("+asyncpg", ""))
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    """Return an open database."""
    opened = Database(address)
    try:
        await opened.open()
        yield opened
    finally:
        await opened.dispose()
