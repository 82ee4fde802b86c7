"""Many channels and few connections."""

from __future__ import annotations

import asyncio

import pytest

from exstream.model.asrun import AsRunEntry, Outcome
from exstream.store.asrun import AsRunStore
from exstream.store.database import Database
from exstream.store.schedules import ScheduleStore
from tests.store.samples import DAY, MIDNIGHT, day_of_rows

pytestmark = pytest.mark.anyio

CHANNELS, DAYS, ROWS = 34, 3, 24


async def test_thirty_four_channels_do_with_five_connections(address: str) -> None:
    """All of them publish, read, and note what aired at once: no more than five are open, and nobody is refused one."""
    database = Database(address, pool_size=5, max_overflow=0)
    schedules, log, most = ScheduleStore(database), AsRunStore(database), 0

    async def busy(name: str) -> None:
        nonlocal most
        for number in range(DAYS):
            await schedules.append(day_of_rows(name, number, rows=ROWS))
            rows = await schedules.segments(name, MIDNIGHT, MIDNIGHT + (number + 1) * DAY)
            await log.record([AsRunEntry(rows[-1], rows[-1].starts, rows[-1].ends, Outcome.AIRED)])
            most = max(most, database.connections())

    try:
        await database.open()
        await asyncio.gather(*(busy(f"channel-{number}") for number in range(CHANNELS)))
        published = await schedules.all_segments(MIDNIGHT, MIDNIGHT + DAYS * DAY)
        assert [len(rows) for rows in published.values()] == [DAYS * ROWS] * CHANNELS
        aired = [await log.entries(name, MIDNIGHT, MIDNIGHT + DAYS * DAY) for name in published]
        assert [len(entries) for entries in aired] == [DAYS] * CHANNELS
        assert database.checked_out() == 0
        if database.dialect == "postgresql":
            assert 1 < most <= 5
    finally:
        await database.dispose()
