"""``exstream asrun``: what really aired on a channel, beside what was planned."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from exstream.cli.amounts import instant, number_of
from exstream.cli.channels import read
from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import write
from exstream.config import Settings
from exstream.errors import ConfigurationError, UnknownChannel

if TYPE_CHECKING:
    from exstream.model.asrun import AsRunEntry
    from exstream.model.channel import ChannelDefinition
    from exstream.model.recovery import Setback

HOURS = 24.0
_LINE = "{planned:<23}  {aired:<12}  {drift:>9}  {means:<9}  {cards:>7}  {title}"
_BENEATH = " " * 25

_Channel = Annotated[
    str, typer.Argument(metavar="CHANNEL", help="The channel's id or number.", show_default=False)
]
_Since = Annotated[
    datetime | None,
    typer.Option(
        parser=instant,
        metavar="INSTANT",
        help="From when on, in local time: 2026-05-31 or 2026-05-31T20:15.",
        show_default=False,
    ),
]
_Hours = Annotated[
    float | None,
    typer.Option(
        parser=number_of("hours", 0.01, 24 * 366),
        metavar="N",
        help="How many hours; the last 24.",
        show_default=False,
    ),
]


def asrun(
    context: typer.Context,
    channel: _Channel,
    since: _Since = None,
    hours: _Hours = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what really aired on a channel, how late, by which means, and what failed."""
    settings = invocation(context).settings(data_dir=data_dir)
    zone = ZoneInfo(settings.timezone)
    start, end = _span(since, hours, zone)
    known = _known(settings, channel)
    name = known.id if known else channel
    entries = asyncio.run(_entries(settings, name, start, end))
    if known is None and not entries:
        raise UnknownChannel(
            f"there is no channel {channel!r}, and nothing was on it: `exstream channels list` shows them"
        )
    if as_json:
        write_json([_shown(entry) for entry in entries])
    else:
        _write(entries, known.name if known else name, zone, start, end)


def _span(since: datetime | None, hours: float | None, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two instants that are meant; raises ConfigurationError when the first one is to come."""
    from exstream.clock import SystemClock

    now = _instant(SystemClock().now_ms())
    if since is None:
        return now - timedelta(hours=hours or HOURS), now
    start = since.replace(tzinfo=zone).astimezone(UTC)
    if start >= now:
        raise ConfigurationError(f"--since {since:%Y-%m-%dT%H:%M} is to come: nothing has aired there yet")
    return start, min(now, start + timedelta(hours=hours)) if hours else now


def _known(settings: Settings, name: str) -> ChannelDefinition | None:
    found = read(settings).channels
    return next((each for each in found if name in {each.id, each.number}), None)


async def _entries(settings: Settings, channel: str, start: datetime, end: datetime) -> list[AsRunEntry]:
    from exstream.cli.shelf import sqlite_file
    from exstream.store.asrun import AsRunStore
    from exstream.store.database import Database

    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        return []
    database = Database(settings.database_url, pool_size=2, max_overflow=2)
    try:
        await database.open()
        return await AsRunStore(database).entries(channel, _milliseconds(start), _milliseconds(end))
    finally:
        await database.dispose()


def _write(entries: list[AsRunEntry], name: str, zone: ZoneInfo, start: datetime, end: datetime) -> None:
    span = f"{start.astimezone(zone):%Y-%m-%d %H:%M} to {end.astimezone(zone):%Y-%m-%d %H:%M}, {zone.key}"
    if not entries:
        write(f"Nothing was on the air on {name} from {span}.")
        return
    write(f"{name}, {span}")
    titles = {"planned": "planned", "aired": "aired", "drift": "drift", "means": "way"}
    write(_LINE.format(**titles, cards="cards", title="title"))
    for entry in entries:
        write(_line(entry, zone))
        for setback in entry.setbacks:
            write(f"{_BENEATH}{_told(setback, zone)}")
        more = entry.failures - len(entry.setbacks)
        if more > 0:
            write(f"{_BENEATH}and {more} more")


def _line(entry: AsRunEntry, zone: ZoneInfo) -> str:
    seconds = (entry.ended - entry.started) / 1_000 * entry.cards / entry.pictures if entry.pictures else 0.0
    return _LINE.format(
        planned=f"{_at(entry.segment.starts, zone):%Y-%m-%d %H:%M:%S.%f}"[:-3],
        aired=f"{_at(entry.started, zone):%H:%M:%S.%f}"[:-3],
        drift="" if entry.drift_ms is None else f"{entry.drift_ms:+} ms",
        means=entry.means.value,
        cards=f"{seconds:.1f} s" if entry.cards else "",
        title=f"{entry.segment.title or entry.segment.kind.value}{_went(entry)}",
    )


def _went(entry: AsRunEntry) -> str:
    if entry.outcome.value == "filler":
        return " (filler stood in)"
    return "" if entry.outcome.value in {"aired", entry.means.value} else f" ({entry.outcome.value})"


def _told(setback: Setback, zone: ZoneInfo) -> str:
    reason = f": {setback.reason}" if setback.reason else ""
    return f"{_at(setback.at, zone):%H:%M:%S}  {setback.step.value} -> {setback.failure.value}{reason}"


def _shown(entry: AsRunEntry) -> dict[str, object]:
    segment = entry.segment
    return {
        "channel": segment.channel,
        "kind": segment.kind.value,
        "item": segment.item,
        "title": segment.title,
        "planned_start": _written(segment.starts),
        "planned_end": _written(segment.ends),
        "aired_start": _written(entry.started),
        "aired_end": _written(entry.ended),
        "drift_ms": entry.drift_ms,
        "outcome": entry.outcome.value,
        "way": entry.means.value,
        "pictures": entry.pictures,
        "card_pictures": entry.cards,
        "failures": entry.failures,
        "reason": entry.reason,
        "setbacks": [
            {
                "at": _written(setback.at),
                "step": setback.step.value,
                "failure": setback.failure.value,
                "reason": setback.reason,
                "file": setback.location,
                "way": setback.way and setback.way.value,
            }
            for setback in entry.setbacks
        ],
    }


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000)


def _at(ms: int, zone: ZoneInfo) -> datetime:
    return _instant(ms).astimezone(zone)


def _written(ms: int) -> str:
    return _instant(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
