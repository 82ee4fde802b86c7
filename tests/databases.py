"""Databases with nothing in them, of either kind."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import asyncpg
import pytest

_NUMBERS = count(1)

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.programs)]
"""For a fixture's ``params``."""


def empty_database(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the address of an empty database of the kind that the fixture behind ``request`` is asked for."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{folder}/exstream.db"
    server = str(request.getfixturevalue("postgres_url"))
    name = f"test_{next(_NUMBERS)}"
    asyncio.run(_create(server, name))
    return server.rpartition("/")[0] + "/" + name


async def _create(server: str, name: str) -> None:
    connection = await asyncpg.connect(server.replace("+asyncpg", ""))
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
