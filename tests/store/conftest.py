"""An empty database of either kind for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exstream.store.database import Database
from tests.databases import KINDS, empty_database


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database that has nothing in it, once of each kind."""
    return empty_database(request, tmp_path)


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    """Return an open database."""
    opened = Database(address)
    try:
        await opened.open()
        yield opened
    finally:
        await opened.dispose()
