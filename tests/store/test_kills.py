"""What the database holds after its writer was killed, or when the disk was full."""

import random
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.schedules import ScheduleStore
from tests.store.samples import DAY, ITEMS, MIDNIGHT, day_of_rows, episode

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]


def writer(address: str, what: str, limit: int = 0) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.store.writer", address, what, str(limit)]
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_while_writing(address: str, what: str, after: float) -> None:
    with writer(address, what) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "begun\n"
        time.sleep(after)
        program.kill()
    assert program.returncode == -signal.SIGKILL


async def assert_days_are_whole(database: Database) -> int:
    store = ScheduleStore(database)
    days = await store.days("one")
    rows = await store.segments("one", 0, MIDNIGHT + 10_000 * DAY)
    assert len(rows) == 500 * len(days)
    assert all(before.ends == after.starts for before, after in pairwise(rows))
    assert [day.starts for day in days] == [row.starts for row in rows[::500]]
    return len(days)


async def test_killed_while_publishing(address: str) -> None:
    """A writer that is killed leaves whole days only, and the next one goes on from there."""
    moments, published = random.Random(11), 0
    for _ in range(4):
        kill_while_writing(address, "days", moments.uniform(0.02, 0.3))
        database = Database(address)
        try:
            await database.open()
            assert await database.check() == ()
            found = await assert_days_are_whole(database)
        finally:
            await database.dispose()
        assert found >= published
        published = found
    assert published > 0


async def test_killed_while_cataloguing(address: str) -> None:
    """A writer that is killed leaves the items of one whole call, never a mixture of two."""
    moments = random.Random(12)
    for _ in range(4):
        kill_while_writing(address, "items", moments.uniform(0.05, 0.4))
        database = Database(address)
        try:
            await database.open()
            assert await database.check() == ()
            items = (await CatalogueStore(database).load()).items
        finally:
            await database.dispose()
        assert len(items) in {0, ITEMS}
        assert len({item.title for item in items.values()}) <= 1


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", ["days", "items"])
async def test_a_full_disk_loses_nothing(address: str, what: str) -> None:
    """When no file may grow any more, the writer says so in a sentence and everything written before is there."""
    with writer(address, what, 3_000_000) as program:
        said, _ = program.communicate(timeout=60)
    assert program.returncode == 0
    assert "refused: " in said
    assert "free some space" in said
    assert "Traceback" not in said
    database = Database(address)
    try:
        await database.open()
        assert await database.check() == ()
        if what == "days":
            days = await assert_days_are_whole(database)
            assert days > 2
            await ScheduleStore(database).append(day_of_rows(number=days))
        else:
            store = CatalogueStore(database)
            assert len((await store.load()).items) == ITEMS
            assert await store.apply((await store.libraries())[0].id, [episode(1)])
    finally:
        await database.dispose()
