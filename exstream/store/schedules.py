"""The published timelines. Rows are only ever appended, save for the two exceptions that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, Row, Select, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.errors import StoreError
from exstream.model.channel import ChannelId
from exstream.model.programme import Cursor, Cursors, DaySchedule, Segment, SegmentKind
from exstream.store import rows
from exstream.store.database import Database
from exstream.store.tables import day as days_table
from exstream.store.tables import segment as segments_table

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """A broadcast day on the record: its span, and the cursors that the next day starts from."""

    day: date
    starts: int
    ends: int
    cursors: Cursors


class ScheduleStore:
    """Keeps published timelines; raises `StoreError` when the database cannot be used, or would have to lie."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, day: DaySchedule) -> None:
        """Publish a day, all of it or nothing; refuse one that overlaps what is published."""
        async with self._database.write() as connection:
            await _append(connection, day)

    async def latest(self, channel: ChannelId) -> PublishedDay | None:
        """Return the last published day of ``channel``."""
        query = (
            select(days_table)
            .where(days_table.c.channel == channel)
            .order_by(days_table.c.ends.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _published(row)

    async def days(self, channel: ChannelId) -> list[PublishedDay]:
        """Return the published days of ``channel``, oldest first."""
        query = select(days_table).where(days_table.c.channel == channel).order_by(days_table.c.starts)
        async with self._database.read() as connection:
            return [_published(row) for row in await connection.execute(query)]

    async def segments(self, channel: ChannelId, start_ms: int, end_ms: int) -> list[Segment]:
        """Return the rows of ``channel`` that touch ``start_ms`` .. ``end_ms``, in order."""
        found = await self.segments_of([channel], start_ms, end_ms)
        return found.get(channel, [])

    async def segments_of(
        self, channels: Sequence[ChannelId], start_ms: int, end_ms: int
    ) -> dict[ChannelId, list[Segment]]:
        """Return the rows of those of ``channels`` that have any which touch ``start_ms`` .. ``end_ms``, in order."""
        return await self._read(_OF_SOME, channels=channels, start_ms=start_ms, end_ms=end_ms)

    async def all_segments(self, start_ms: int, end_ms: int) -> dict[ChannelId, list[Segment]]:
        """Return the rows of every channel that touch ``start_ms`` .. ``end_ms``, in order."""
        return await self._read(_OF_ALL, start_ms=start_ms, end_ms=end_ms)

    async def replace(self, channel: ChannelId, old: Sequence[Segment], new: Sequence[Segment]) -> None:
        """Put ``new`` in the place of ``old``, whose items are gone for good: the same span, neither more nor less.

        Refused unless ``old`` is exactly what is published.
        """
        _require_same_span(channel, old, new)
        async with self._database.write() as connection:
            where = and_(
                segments_table.c.channel == channel,
                segments_table.c.starts >= old[0].starts,
                segments_table.c.starts < old[-1].ends,
            )
            query = select(segments_table).where(where).order_by(segments_table.c.starts)
            if [rows.read(*row) for row in await connection.execute(query)] != list(old):
                raise StoreError(f"{channel}: the rows to replace are not those published: plan them again")
            await connection.execute(delete(segments_table).where(where))
            await connection.execute(insert(segments_table), [rows.written(segment) for segment in new])

    async def supersede(self, channel: ChannelId, at_ms: int, days: Sequence[DaySchedule]) -> None:
        """Drop what is published from ``at_ms`` on and publish ``days`` in its place, all or nothing.

        For a change that the user applies, and for cards that stood in for a library not made yet. ``at_ms`` is where
        a row begins, or lies within a card, which then ends there.
        """
        if not days or days[0].starts != at_ms or any(a.ends != b.starts for a, b in pairwise(days)):
            raise StoreError(f"{channel}: what follows {at_ms} must begin there and have no gap")
        async with self._database.write() as connection:
            await _cut(connection, channel, at_ms)
            for day in days:
                await _append(connection, day)

    async def prune(self, before_ms: int) -> int:
        """Drop what ended before ``before_ms``, save each channel's last day; return how many rows went."""
        last = (
            select(days_table.c.channel, func.max(days_table.c.ends).label("ends"))
            .group_by(days_table.c.channel)
            .subquery()
        )
        keep = select(last.c.ends).where(last.c.channel == days_table.c.channel).scalar_subquery()
        async with self._database.write() as connection:
            done = await connection.execute(delete(segments_table).where(segments_table.c.ends <= before_ms))
            await connection.execute(
                delete(days_table).where(days_table.c.ends <= before_ms, days_table.c.ends < keep)
            )
        return done.rowcount

    async def forget(self, channel: ChannelId) -> None:
        """Drop everything published on ``channel``."""
        async with self._database.write() as connection:
            await connection.execute(delete(segments_table).where(segments_table.c.channel == channel))
            await connection.execute(delete(days_table).where(days_table.c.channel == channel))

    async def _read(self, query: Select[Any], **asked: Any) -> dict[ChannelId, list[Segment]]:
        found: dict[ChannelId, list[Segment]] = {}
        async with self._database.read() as connection, connection.stream(query, asked) as result:
            # In portions: the event loop goes on in between.
            async for portion in result.partitions(_ROWS_AT_ONCE):
                for row in portion:
                    found.setdefault(row[0], []).append(rows.read(*row))
                if len(portion) < _ROWS_AT_ONCE:
                    break
        return found


def _touching(published: Select[Any]) -> Select[Any]:
    """Return the query of the rows of the ``published`` channels that touch a span.

    It looks from each channel's row at ``start_ms`` on.
    """
    start_ms, end_ms = bindparam("start_ms", type_=BigInteger), bindparam("end_ms", type_=BigInteger)
    channels = published.subquery()
    earlier = segments_table.alias()
    first = (
        select(func.max(earlier.c.starts))
        .where(earlier.c.channel == channels.c.channel, earlier.c.starts <= start_ms)
        .correlate(channels)
        .scalar_subquery()
    )
    return (
        select(segments_table)
        .join(channels, channels.c.channel == segments_table.c.channel)
        .where(
            segments_table.c.starts >= func.coalesce(first, start_ms),
            segments_table.c.starts < end_ms,
            segments_table.c.ends > start_ms,
        )
        .order_by(segments_table.c.channel, segments_table.c.starts)
    )


# Made once: to make one takes as long as to read a hundred rows.
_PUBLISHED = select(days_table.c.channel).distinct()
_OF_ALL = _touching(_PUBLISHED)
_OF_SOME = _touching(_PUBLISHED.where(days_table.c.channel.in_(bindparam("channels", expanding=True))))


async def _append(connection: AsyncConnection, day: DaySchedule) -> None:
    published = days_table.c.channel == day.channel
    overlap = select(days_table.c.day).where(
        published, days_table.c.starts < day.ends, days_table.c.ends > day.starts
    )
    if (await connection.execute(overlap)).first() is not None:
        raise StoreError(f"{day.channel}: {day.day} overlaps what is published: plan it from its end on")
    cursors = {name: [cursor.cycle, cursor.after] for name, cursor in day.cursors.items()}
    # A day that was cut short before is continued.
    continued = await connection.execute(
        update(days_table)
        .where(published, days_table.c.day == day.day.isoformat(), days_table.c.ends == day.starts)
        .values(ends=day.ends, cursors=cursors)
    )
    if not continued.rowcount:
        values = {
            "channel": day.channel,
            "day": day.day.isoformat(),
            "starts": day.starts,
            "ends": day.ends,
            "cursors": cursors,
        }
        await connection.execute(insert(days_table), values)
    await connection.execute(insert(segments_table), [rows.written(segment) for segment in day.segments])


async def _cut(connection: AsyncConnection, channel: ChannelId, at_ms: int) -> None:
    of_channel, table = segments_table.c.channel == channel, segments_table
    within = and_(of_channel, table.c.starts < at_ms, table.c.ends > at_ms)
    programmes = select(table.c.starts).where(within, table.c.kind != SegmentKind.CARD.value)
    if (await connection.execute(programmes)).first() is not None:
        raise StoreError(f"{channel}: {at_ms} lies within a programme: choose where a row begins")
    await connection.execute(delete(table).where(of_channel, table.c.starts >= at_ms))
    await connection.execute(update(table).where(within).values(ends=at_ms))
    of_channel = days_table.c.channel == channel
    await connection.execute(delete(days_table).where(of_channel, days_table.c.starts >= at_ms))
    await connection.execute(
        update(days_table).where(of_channel, days_table.c.ends > at_ms).values(ends=at_ms)
    )


def _require_same_span(channel: ChannelId, old: Sequence[Segment], new: Sequence[Segment]) -> None:
    for part in (old, new):
        if not part or any(before.ends != after.starts for before, after in pairwise(part)):
            raise StoreError(f"{channel}: rows are replaced by rows, both without a gap")
        if any(segment.channel != channel for segment in part):
            raise StoreError(f"{channel}: a row of another channel cannot be replaced here")
    if (old[0].starts, old[-1].ends) != (new[0].starts, new[-1].ends):
        raise StoreError(
            f"{channel}: what replaces {old[0].starts}..{old[-1].ends} must fill that span exactly"
        )


def _published(row: Row[Any]) -> PublishedDay:
    cursors = {name: Cursor(cycle, after) for name, (cycle, after) in row.cursors.items()}
    return PublishedDay(date.fromisoformat(row.day), row.starts, row.ends, cursors)
