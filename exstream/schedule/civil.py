"""Local civil time: broadcast days and the grid that programmes start on.

A broadcast day runs from 06:00 to 06:00 local time. Everything is turned into UTC milliseconds here and stays
monotonic there, whatever the clocks of the zone do.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from exstream.model.channel import ChannelDefinition

DAY_BEGINS = time(6)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def day_bounds(definition: ChannelDefinition, day: date) -> tuple[int, int]:
    """Return the first instant of broadcast day ``day`` and the first one after it (23 to 25 hours apart).

    A date that a zone skipped altogether is an empty day.
    """
    zone = ZoneInfo(definition.timezone)
    starts = _day_start(zone, day)
    return starts, max(starts, _day_start(zone, day + timedelta(days=1)))


def day_of(definition: ChannelDefinition, at_ms: int) -> date:
    """Return the broadcast day that ``at_ms`` belongs to."""
    zone = ZoneInfo(definition.timezone)
    day = _local(zone, at_ms).date()
    while at_ms < _day_start(zone, day):
        day -= timedelta(days=1)
    while at_ms >= _day_start(zone, day + timedelta(days=1)):
        day += timedelta(days=1)
    return day


def grid_at_or_after(zone: ZoneInfo, align_minutes: int, at_ms: int) -> int:
    """Return the first instant from ``at_ms`` on whose local time is a multiple of ``align_minutes`` since midnight.

    ``align_minutes`` divides a day. Where the clocks go forward the grid times they skip do not exist; where they
    go back the repeated ones exist twice.
    """
    step = align_minutes * MINUTE_MS
    while True:
        offset = _offset(zone, at_ms)
        candidate = -(-(at_ms + offset) // step) * step - offset
        if _offset(zone, candidate) == offset:
            return candidate
        at_ms = _transition(zone, at_ms, candidate)


def _transition(zone: ZoneInfo, before: int, after: int) -> int:
    """Return the first instant in (``before``, ``after``] with another offset than ``before`` has."""
    offset = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _day_start(zone: ZoneInfo, day: date) -> int:
    return (datetime.combine(day, DAY_BEGINS, zone) - _EPOCH) // _MILLISECOND


def _local(zone: ZoneInfo, at_ms: int) -> datetime:
    return (_EPOCH + at_ms * _MILLISECOND).astimezone(zone)


def _offset(zone: ZoneInfo, at_ms: int) -> int:
    """Return the zone's offset from UTC in milliseconds."""
    return (_local(zone, at_ms).utcoffset() or timedelta()) // _MILLISECOND
