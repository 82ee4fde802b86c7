"""What really aired, in the order it happened; never changed afterwards, dropped when it is old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select

from exstream.model.asrun import AsRunEntry, Means, Outcome
from exstream.model.channel import ChannelId
from exstream.model.programme import Way
from exstream.model.recovery import Failure, Setback, Step
from exstream.store import rows
from exstream.store.database import Database
from exstream.store.tables import asrun


class AsRunStore:
    """The as-run log; raises `StoreError` when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entries: Sequence[AsRunEntry]) -> None:
        """Keep ``entries``, all of them or none."""
        if not entries:
            return
        async with self._database.write() as connection:
            await connection.execute(insert(asrun), [_written(entry) for entry in entries])

    async def entries(self, channel: ChannelId, start_ms: int, end_ms: int) -> list[AsRunEntry]:
        """Return what aired on ``channel`` at any time in ``start_ms`` .. ``end_ms``, oldest first."""
        query = (
            select(asrun)
            .where(asrun.c.channel == channel, asrun.c.started < end_ms, asrun.c.ended > start_ms)
            .order_by(asrun.c.started, asrun.c.id)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return [_entry(row) for row in found]

    async def prune(self, before_ms: int) -> int:
        """Drop what ended before ``before_ms``; return how many entries went."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(asrun).where(asrun.c.ended <= before_ms))
        return done.rowcount


def _written(entry: AsRunEntry) -> dict[str, Any]:
    return {
        **rows.written(entry.segment),
        "started": entry.started,
        "ended": entry.ended,
        "outcome": entry.outcome.value,
        "reason": entry.reason,
        "drift_ms": entry.drift_ms,
        "means": entry.means.value,
        "pictures": entry.pictures,
        "cards": entry.cards,
        "setbacks": [_setback_written(setback) for setback in entry.setbacks],
        "failures": entry.failures,
    }


def _setback_written(setback: Setback) -> dict[str, Any]:
    return {
        "at": setback.at,
        "step": setback.step.value,
        "failure": setback.failure.value,
        "reason": setback.reason,
        "location": setback.location,
        "spawned": setback.spawned,
        "way": setback.way and setback.way.value,
    }


def _entry(row: Row[Any]) -> AsRunEntry:
    outcome = Outcome(row.outcome)
    return AsRunEntry(
        rows.read(row.channel, row.starts, row.ends, row.kind, row.item, row.item_offset, row.title),
        row.started,
        row.ended,
        outcome,
        row.reason,
        row.drift_ms,
        # Entries of the first schema do not tell; there was no other way then.
        Means(row.means) if row.means else Means.CARD if outcome is Outcome.CARD else Means.TRANSCODE,
        row.pictures,
        row.cards,
        tuple(_setback_read(**setback) for setback in row.setbacks),
        row.failures,
    )


def _setback_read(
    at: int, step: str, failure: str, reason: str, location: str, spawned: int, way: str | None
) -> Setback:
    return Setback(at, Step(step), Failure(failure), reason, location, spawned, Way(way) if way else None)
