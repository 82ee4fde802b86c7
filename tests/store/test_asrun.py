"""The as-run log on SQLite and on PostgreSQL."""

import pytest
from alembic import command
from sqlalchemy import Connection, text

from exstream.model.asrun import AsRunEntry, Means, Outcome
from exstream.model.programme import Segment, SegmentKind, Way
from exstream.model.recovery import Failure, Setback, Step
from exstream.store import migration
from exstream.store.asrun import AsRunStore
from exstream.store.database import Database
from tests.store.samples import MIDNIGHT, MINUTE, day_of_rows

pytestmark = pytest.mark.anyio

SETBACKS = (
    Setback(1, Step.PLANNED, Failure.IRREGULAR, "pictures are missing", "/films/Ä.mkv", 1, Way.COPY),
    Setback(2, Step.FILLER, Failure.MISSING, "there is no filler"),
)


async def test_what_aired_is_read_as_it_was_written(database: Database) -> None:
    """Entries come back in order with every field, those that touch the span and that channel's only."""
    log = AsRunStore(database)
    segments = day_of_rows("one").segments
    entries = [
        AsRunEntry(
            segments[1],
            segments[1].starts + 500,
            segments[1].ends,
            Outcome.PARTLY,
            "feed broke off",
            -12,
            Means.AUDIO,
            90_000,
            250,
            SETBACKS,
            7,
        ),
        AsRunEntry(segments[0], segments[0].starts, segments[0].ends, Outcome.AIRED, means=Means.COPY),
        AsRunEntry(
            Segment("one", SegmentKind.CARD, 5, 9), segments[2].starts, segments[2].ends, Outcome.CARD
        ),
    ]
    other = AsRunEntry(day_of_rows("two").segments[0], MIDNIGHT, MIDNIGHT + MINUTE, Outcome.AIRED)
    await log.record(entries)
    await log.record([other])
    await log.record([])
    assert await log.entries("one", MIDNIGHT, MIDNIGHT + 600 * MINUTE) == [entries[1], entries[0], entries[2]]
    assert await log.entries("one", MIDNIGHT + 61 * MINUTE, MIDNIGHT + 62 * MINUTE) == [entries[0]]
    assert await log.entries("three", 0, MIDNIGHT * 2) == []


async def test_what_is_old_is_dropped(database: Database) -> None:
    """Entries that ended before an instant go, of every channel; one that ends later stays whole."""
    log = AsRunStore(database)
    for channel in ("one", "two"):
        await log.record(
            [
                AsRunEntry(each, each.starts, each.ends, Outcome.AIRED)
                for each in day_of_rows(channel).segments
            ]
        )
    assert await log.prune(MIDNIGHT + 150 * MINUTE) == 4
    kept = await log.entries("one", MIDNIGHT, MIDNIGHT * 2)
    assert kept[0].segment == day_of_rows("one").segments[2]
    assert len(kept) == 22


def to_the_first_schema(connection: Connection) -> None:
    """Make the database what the first version made."""
    config = migration.configuration()
    config.attributes["connection"] = connection
    command.downgrade(config, "0001")


async def test_entries_of_the_first_schema_are_still_read(address: str, database: Database) -> None:
    """What was written before anybody counted pictures outlives the migration, and is told as what it was then."""
    segments = day_of_rows("one").segments
    async with database.write() as connection:
        await connection.run_sync(to_the_first_schema)
        for segment, outcome in zip(segments, ("aired", "card"), strict=False):
            await connection.execute(
                text(
                    "INSERT INTO asrun"
                    " (channel, starts, ends, kind, item, item_offset, title, started, ended, outcome, reason)"
                    " VALUES ('one', :starts, :ends, 'programme', :item, 0, :title, :starts, :ends, :outcome, '')"
                ),
                {
                    "starts": segment.starts,
                    "ends": segment.ends,
                    "item": segment.item,
                    "title": segment.title,
                    "outcome": outcome,
                },
            )
    newer = Database(address)
    try:
        await newer.open()
        aired, card = await AsRunStore(newer).entries("one", MIDNIGHT, MIDNIGHT * 2)
    finally:
        await newer.dispose()
    assert (aired.segment, aired.outcome, aired.means) == (segments[0], Outcome.AIRED, Means.TRANSCODE)
    assert (card.outcome, card.means, card.setbacks, card.drift_ms) == (Outcome.CARD, Means.CARD, (), None)
