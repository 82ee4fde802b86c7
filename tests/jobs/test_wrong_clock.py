"""A machine whose clock was once wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exstream.store.database import Database
from exstream.store.schedules import ScheduleStore
from tests.fakes import SteppedClock
from tests.jobs.station import Station, channel

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000_000
DAY_MS = 86_400_000


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ScheduleStore]:
    """Return an empty store."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/exstream.db")
    await database.open()
    yield ScheduleStore(database)
    await database.dispose()


async def test_a_timeline_from_a_wrong_future_gives_way(store: ScheduleStore) -> None:
    """What was published while the clock was months ahead does not keep the channel dead until that day."""
    ahead = Station(store, SteppedClock(NOW + 60 * DAY_MS), [channel("one")])
    await ahead.publisher.start()
    station = Station(store, SteppedClock(NOW), [channel("one")])
    await station.publisher.start()

    assert station.publisher.unready() == ()
    assert 2 * DAY_MS <= await station.ahead("one") < 10 * DAY_MS


async def test_a_whole_horizon_is_no_wrong_future(store: ScheduleStore) -> None:
    """A channel that is published as far as it should be keeps its rows when the server starts again."""
    first = Station(store, SteppedClock(NOW), [channel("one")])
    await first.publisher.start()
    rows = await first.published("one")
    again = Station(store, SteppedClock(NOW + 1000), [channel("one")], horizon_days=2)
    await again.publisher.start()

    assert (await again.published("one"))[: len(rows)] == rows
