"""Tasks that are cancelled while they use the SQLite file: nothing of them stays, and nobody waits for them."""

import asyncio
import random

import pytest
from sqlalchemy import text

from exstream.store.database import Database

pytestmark = pytest.mark.anyio


async def _wrote(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.execute(text("SELECT 2"))


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_a_cancelled_writer_leaves_no_lock_and_no_word(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whenever a task is cancelled while it writes, the next one writes at once, and nothing is logged."""
    chance = random.Random(5)
    database = Database(address)
    await database.open()
    try:
        for _ in range(300):
            cancelled = asyncio.create_task(_wrote(database))
            await asyncio.sleep(chance.random() * 0.004)
            cancelled.cancel()
            await asyncio.wait((cancelled,), timeout=3)
            assert cancelled.done(), "it waited for the lock of another that was cancelled"
        async with asyncio.timeout(3):
            await _wrote(database)
        assert database.checked_out() == 0
    finally:
        await database.dispose()
    assert [record.getMessage() for record in caplog.records] == []
