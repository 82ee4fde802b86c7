"""The as-run log on SQLite and on PostgreSQL."""

import pytest

from exstream.model.programme import AsRunEntry, Outcome, Segment, SegmentKind
from exstream.store.asrun import AsRunStore
from exstream.store.database import Database
from tests.store.samples import MIDNIGHT, MINUTE, day_of_rows

pytestmark = pytest.mark.anyio


async def test_what_aired_is_read_as_it_was_written(database: Database) -> None:
    """Entries come back in order with every field, those that touch the span and that channel's only."""
    log = AsRunStore(database)
    segments = day_of_rows("one").segments
    entries = [
        AsRunEntry(segments[1], segments[1].starts + 500, segments[1].ends, Outcome.PARTLY, "feed broke off"),
        AsRunEntry(segments[0], segments[0].starts, segments[0].ends, Outcome.AIRED),
        AsRunEntry(
            Segment("one", SegmentKind.CARD, 5, 9), segments[2].starts, segments[2].ends, Outcome.CARD
        ),
    ]
    for entry in entries:
        await log.record(entry)
    await log.record(AsRunEntry(day_of_rows("two").segments[0], MIDNIGHT, MIDNIGHT + MINUTE, Outcome.AIRED))
    assert await log.entries("one", MIDNIGHT, MIDNIGHT + 600 * MINUTE) == [entries[1], entries[0], entries[2]]
    assert await log.entries("one", MIDNIGHT + 61 * MINUTE, MIDNIGHT + 62 * MINUTE) == [entries[0]]
    assert await log.entries("three", 0, MIDNIGHT * 2) == []
