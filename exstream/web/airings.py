"""Programmes with what the library knows about them, for the API and the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from exstream.ffmpeg.copying import planned
from exstream.guide.programmes import programmes
from exstream.model.catalogue import Catalogue, ItemKey, ItemKind
from exstream.model.channel import ChannelDefinition, ChannelId, Profile
from exstream.model.programme import Programme, Segment, Way
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
    picture: ItemKey = ""
    """The item whose picture there is; empty where there is none."""
    kind: ItemKind | None = None
    """None where no item is on: a card, or an item that has gone."""
    way: Way | None = None
    """How the item is brought into the channel's format; None where no item is on."""

    @property
    def numbering(self) -> str:
        """Season and episode as people write them, "S01E02"; empty where there are none."""
        if self.episode is None:
            return ""
        return f"E{self.episode:02}" if self.season is None else f"S{self.season:02}E{self.episode:02}"


def airing(
    programme: Programme, row: Segment | None, profile: Profile | None, catalogue: Catalogue
) -> Airing:
    """Return ``programme``, which begins with ``row``, with the facts of its item in a channel of ``profile``."""
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
        picture=item.key if item.artwork else "",
        kind=item.kind,
        way=planned(item.media, profile, row.offset) if row is not None and profile is not None else None,
    )


async def airings(parts: Parts, channel: ChannelId, start: int, end: int) -> list[Airing]:
    """Return what overlaps the interval on ``channel``, in order."""
    rows = await parts.timeline.rows(channel, start - AROUND_MS, end + AROUND_MS)
    definition, catalogue = parts.lineup.by_id(channel), parts.catalogue.current
    profile = parts.formats.of(definition) if definition is not None else None
    by_start = {row.starts: row for row in rows}
    return [
        airing(programme, by_start.get(programme.starts), profile, catalogue)
        for programme in programmes(rows)
        if programme.ends > start and programme.starts < end
    ]


async def airings_of(
    parts: Parts, channels: Sequence[ChannelDefinition], start: int, end: int
) -> list[list[Airing]]:
    """Return what overlaps the interval, for each of ``channels``."""
    return await asyncio.gather(*(airings(parts, channel.id, start, end) for channel in channels))


async def now_and_next(
    parts: Parts, channel: ChannelId, at: int | None = None
) -> tuple[Airing | None, Airing | None]:
    """Return what is on at ``at`` (UTC epoch milliseconds), or now, and what follows it, as far as it is published."""
    now = parts.clock.now_ms() if at is None else at
    coming = await airings(parts, channel, now, now + 1)
    if not coming:
        return None, None
    current = coming[-1]
    following = await airings(parts, channel, current.ends, current.ends + 1)
    return current, following[-1] if following else None
