"""The guide as XMLTV: valid against its DTD, one element a line, times in UTC.

What is written follows what readers make of it: Plex takes a programme without numbers for a film and calls
everything new that is not marked as shown before; Jellyfin wants zero-based numbers and one flag word in any letter
case; both channel matching by number needs a display-name that is the number and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from exstream.guide.lineup import artwork_url, by_number, guide_id, logo_url
from exstream.guide.xml import escaped
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.model.programme import Programme


@dataclass(frozen=True, slots=True)
class Edition:
    """What programmes are written from: the items, and the server's address, under which their pictures are."""

    catalogue: Catalogue
    base_url: str


Bodies = dict[tuple[ItemKey | None, str], str]
"""What an item's programmes have in common, by item and title of the row."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_UNTITLED = "Untitled"
_DATE = re.compile(r"([12]\d{3})-(\d\d)-(\d\d)")
_FILM_RATINGS = frozenset({"G", "PG", "PG-13", "R", "NC-17"})
_UNRATED = frozenset({"", "NR", "UR", "NOT RATED", "UNRATED"})
_CATEGORIES: Mapping[ItemKind, str] = {ItemKind.EPISODE: "Series", ItemKind.FILM: "Movie"}


def header(channels: Iterable[ChannelDefinition], base_url: str) -> str:
    """Return the document's beginning with every channel, in the order of their numbers."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE tv SYSTEM "xmltv.dtd">',
        f'<tv source-info-url="{escaped(base_url)}" generator-info-name="Exstream">',
    ]
    for channel in by_number(channels):
        number, name = escaped(channel.number), escaped(channel.name)
        lines += [
            f'<channel id="{guide_id(channel.id)}">',
            f"  <display-name>{number}</display-name>",
            f"  <display-name>{name}</display-name>",
            f"  <display-name>{number} {name}</display-name>",
            f'  <icon src="{escaped(logo_url(channel, base_url))}"/>',
            "</channel>",
        ]
    return "\n".join(lines) + "\n"


def entries(programmes: Iterable[Programme], edition: Edition, bodies: Bodies | None = None) -> Iterator[str]:
    """Yield one ``programme`` element each, with its line ends.

    Times are whole seconds, cut off: a programme stops in the second its successor starts in. One that lasts less
    than that second is left out. ``bodies`` keeps what was written for this edition, for the next call.
    """
    bodies = {} if bodies is None else bodies
    ids: dict[ChannelId, str] = {}
    edge: int | None = None
    written = ""
    for programme in programmes:
        starts, stops = programme.starts // 1_000, programme.ends // 1_000
        if starts == stops:
            continue
        start = written if starts == edge else _time(starts)  # mostly where the one before has ended
        edge, written = stops, _time(stops)
        if programme.channel not in ids:
            ids[programme.channel] = guide_id(programme.channel)
        known = programme.item, programme.title
        if known not in bodies:
            item = edition.catalogue.items.get(programme.item) if programme.item is not None else None
            bodies[known] = "\n".join(_body(programme.title, item, edition.base_url))
        yield (
            f'<programme start="{start}" stop="{written}" channel="{ids[programme.channel]}">\n'
            f"{bodies[known]}\n</programme>\n"
        )


def footer() -> str:
    """Return the document's end."""
    return "</tv>\n"


def document(
    channels: Sequence[ChannelDefinition],
    programmes: Mapping[ChannelId, Iterable[Programme]],
    edition: Edition,
) -> Iterator[str]:
    """Yield the whole guide in pieces."""
    yield header(channels, edition.base_url)
    for channel in by_number(channels):
        yield from entries(programmes.get(channel.id, ()), edition)
    yield footer()


def _body(title: str, item: Item | None, base_url: str) -> list[str]:
    """Return a programme's elements in the order that the DTD demands."""
    if item is None:
        return [f"  <title>{escaped(title) or _UNTITLED}</title>", "  <previously-shown/>"]
    series = item.kind is ItemKind.EPISODE and item.show
    lines = [f"  <title>{escaped((item.show if series else item.title) or title) or _UNTITLED}</title>"]
    if series and (subtitle := escaped(item.title)):
        lines.append(f"  <sub-title>{subtitle}</sub-title>")
    if summary := escaped(item.summary):
        lines.append(f"  <desc>{summary}</desc>")
    if broadcast := _date_of(item):
        lines.append(f"  <date>{broadcast}</date>")
    lines += _categories(item.kind, item.genres)
    lines.append(f'  <length units="seconds">{max(1, item.duration_ms // 1_000)}</length>')
    if item.artwork:
        lines.append(f'  <icon src="{escaped(artwork_url(item.key, base_url))}"/>')
    lines += _numbers(item)
    lines.append("  <previously-shown/>")
    lines += _ratings(item)
    return lines


def _date_of(item: Item) -> str:
    """Return the day of the first broadcast or release, else the year, as XMLTV writes it; empty: unknown."""
    if found := _DATE.match(item.aired):
        return "".join(found.groups())
    return str(item.year) if item.year is not None and 1_000 <= item.year <= 9_999 else ""


@lru_cache(maxsize=1_024)
def _categories(kind: ItemKind, genres: Sequence[str]) -> Sequence[str]:
    """Return the category by kind, then the genres, none twice in any letter case."""
    lines: dict[str, str] = {}
    for category in (_CATEGORIES.get(kind, ""), *genres):
        if written := escaped(category):
            lines.setdefault(written.casefold(), f"  <category>{written}</category>")
    return tuple(lines.values())


def _numbers(item: Item) -> Iterator[str]:
    """Yield season and episode as people and as programs read them."""
    if item.kind is not ItemKind.EPISODE:
        return
    season = item.season if item.season is not None and item.season >= 0 else None
    episode = item.episode if item.episode is not None and item.episode > 0 else None
    if season is None and episode is None:
        return
    written = (f"S{season:02}" if season is not None else "") + (
        f"E{episode:02}" if episode is not None else ""
    )
    # Counted from nought; specials, season 0, have no number there.
    ns = f"{season - 1 if season else ''}.{episode - 1 if episode else ''}.0/1"
    yield f'  <episode-num system="onscreen">{written}</episode-num>'
    yield f'  <episode-num system="xmltv_ns">{ns}</episode-num>'


def _ratings(item: Item) -> Iterator[str]:
    """Yield for whom it is, by the system that says so, and how good it is said to be."""
    country, slash, rating = item.content_rating.strip().rpartition("/")
    if (written := escaped(rating)) and rating.upper() not in _UNRATED:
        system = country if slash else _system(rating.upper())
        told = f' system="{escaped(system.upper())}"' if system else ""
        yield f"  <rating{told}>\n    <value>{written}</value>\n  </rating>"
    if item.rating is not None:
        yield f"  <star-rating>\n    <value>{item.rating:.1f}/10</value>\n  </star-rating>"


def _system(rating: str) -> str:
    """Return whose rating of no country it is: Plex writes those of the United States so."""
    if rating.startswith("TV-"):
        return "VCHIP"
    return "MPAA" if rating in _FILM_RATINGS else ""


def _time(seconds: int) -> str:
    minute, second = divmod(seconds, 60)
    return f"{_minute(minute)}{second:02} +0000"


@lru_cache(maxsize=16_384)  # more than eight days, which all channels share
def _minute(minutes: int) -> str:
    day, minute = divmod(minutes, 1_440)
    return f"{date.fromordinal(_EPOCH_DAY + day):%Y%m%d}{minute // 60:02}{minute % 60:02}"
