"""Programmes with what the library knows about them, for the API and the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from exstream.guide.programmes import programmes
from exstream.model.catalogue import Catalogue, ItemKind
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.model.programme import Programme
from exstream.web.deps import Parts

AROUND_MS = 4 * 3_600_000
"""How far beyond an interval rows are read, so that programmes at its edges are whole.

Not further than what the publisher keeps in memory before now, so that a page needs no database.
"""


@dataclass(frozen=True, slots=True)
class Airing:
    """One programme of the guide; ``starts`` and ``ends`` are UTC epoch milliseconds."""

    channel: ChannelId
    starts: int
    ends: int
    title: str
    """What stands on top: the show's name, or the film's title."""
    subtitle: str = ""
    """The episode's title."""
    season: int | None = None
    episode: int | None = None
    year: int | None = None
    summary: str = ""
    genres: tuple[str, ...] = ()
    kind: ItemKind | None = None
    """None where no item is on: a card, or an item that has gone."""

    @property
    def numbering(self) -> str:
        """Season and episode as people write them, "S01E02"; empty where there are none."""
        if self.episode is None:
            return ""
        return f"E{self.episode:02}" if self.season is None else f"S{self.season:02}E{self.episode:02}"


def airing(programme: Programme, catalogue: Catalogue) -> Airing:
    """Return ``programme`` with the facts of its item."""
    item = catalogue.items.get(programme.item) if programme.item is not None else None
    if item is None:
        return Airing(programme.channel, programme.starts, programme.ends, programme.title)
    return Airing(
        programme.channel,
        programme.starts,
        programme.ends,
        title=item.show or item.title,
        subtitle=item.title if item.show else "",
        season=item.season,
        episode=item.episode,
        year=item.year,
        summary=item.summary,
        genres=item.genres,
        kind=item.kind,
    )


async def airings(parts: Parts, channel: ChannelId, start: int, end: int) -> list[Airing]:
    """Return what overlaps the interval on ``channel``, in order."""
    rows = await parts.timeline.rows(channel, start - AROUND_MS, end + AROUND_MS)
    catalogue = parts.catalogue.current
    return [airing(p, catalogue) for p in programmes(rows) if p.ends > start and p.starts < end]


async def airings_of(
    parts: Parts, channels: Sequence[ChannelDefinition], start: int, end: int
) -> list[list[Airing]]:
    """Return what overlaps the interval, for each of ``channels``."""
    return await asyncio.gather(*(airings(parts, channel.id, start, end) for channel in channels))


async def now_and_next(parts: Parts, channel: ChannelId) -> tuple[Airing | None, Airing | None]:
    """Return what is on and what follows it, as far as it is published."""
    now = parts.clock.now_ms()
    coming = await airings(parts, channel, now, now + 1)
    if not coming:
        return None, None
    current = coming[-1]
    following = await airings(parts, channel, current.ends, current.ends + 1)
    return current, following[-1] if following else None
