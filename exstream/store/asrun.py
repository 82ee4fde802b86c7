"""What really aired, in the order it happened; never changed afterwards."""

from __future__ import annotations

from sqlalchemy import insert, select

from exstream.model.channel import ChannelId
from exstream.model.programme import AsRunEntry, Outcome
from exstream.store import rows
from exstream.store.database import Database
from exstream.store.tables import asrun


class AsRunStore:
    """The as-run log; raises `StoreError` when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, entry: AsRunEntry) -> None:
        """Keep ``entry``."""
        values = {
            **rows.written(entry.segment),
            "started": entry.started,
            "ended": entry.ended,
            "outcome": entry.outcome.value,
            "reason": entry.reason,
        }
        async with self._database.write() as connection:
            await connection.execute(insert(asrun), values)

    async def entries(self, channel: ChannelId, start_ms: int, end_ms: int) -> list[AsRunEntry]:
        """Return what aired on ``channel`` at any time in ``start_ms`` .. ``end_ms``, oldest first."""
        query = (
            select(asrun)
            .where(asrun.c.channel == channel, asrun.c.started < end_ms, asrun.c.ended > start_ms)
            .order_by(asrun.c.started, asrun.c.id)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return [_entry(*row) for row in found]


def _entry(
    _number: int,
    channel: str,
    starts: int,
    ends: int,
    kind: str,
    item: str | None,
    item_offset: int,
    title: str,
    started: int,
    ended: int,
    outcome: str,
    reason: str,
) -> AsRunEntry:
    segment = rows.read(channel, starts, ends, kind, item, item_offset, title)
    return AsRunEntry(segment, started, ended, Outcome(outcome), reason)
