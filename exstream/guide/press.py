"""The guide's fragments: a channel's programmes of one day, made here or ordered from another process.

An order is one line of JSON for a few channels, so that whoever carries it out needs neither the catalogue nor the
database: it brings the items that no order before it has brought. A delivery is a line of JSON too, for each channel
``[[day, length, crc, size], ...]``, and behind it the compressed fragments, ``size`` bytes each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import orjson

from exstream.guide import packing, xmltv
from exstream.guide.packing import Fragment
from exstream.guide.programmes import programmes
from exstream.guide.xmltv import Edition
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind
from exstream.model.programme import Programme, Segment, SegmentKind

DAY_MS = 86_400_000
Listed = Sequence[Sequence[tuple[int, int, int, int]]]
"""What a delivery says it holds."""

_OF_ROW = attrgetter("channel", "kind.value", "starts", "ends", "item", "offset", "title")
_ITEM_FACTS = (
    *("key", "kind", "title", "duration_ms", "library", "show", "season", "episode", "year", "summary"),
    *("genres", "aired", "content_rating", "rating", "artwork"),
)
"""What the guide says of an item."""
_OF_ITEM = attrgetter(*_ITEM_FACTS)
_KINDS = {kind.value: kind for kind in SegmentKind}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One channel's rows, in order, and the days (since the epoch, UTC) that are wanted of it."""

    rows: Sequence[Segment]
    days: Sequence[int]


def fragments(
    sheet: Sheet, edition: Edition, opening: int | None, bodies: xmltv.Bodies | None = None
) -> dict[int, Fragment]:
    """Return the fragments of a channel by day.

    A programme belongs to the day it starts in; what began before the day ``opening`` and is still on stands there.
    ``bodies`` is for `exstream.guide.xmltv.entries`.
    """
    by_day: dict[int, list[Programme]] = {day: [] for day in sheet.days}
    for airing in programmes(sheet.rows):
        day = airing.starts // DAY_MS
        if opening is not None and day < opening and airing.ends > opening * DAY_MS:
            day = opening
        if day in by_day:
            by_day[day].append(airing)
    bodies = {} if bodies is None else bodies
    return {day: _fragment(airings, edition, bodies) for day, airings in by_day.items()}


def _fragment(airings: Sequence[Programme], edition: Edition, bodies: xmltv.Bodies) -> Fragment:
    return packing.fragment("".join(xmltv.entries(airings, edition, bodies)).encode())


class Orders:
    """Writes orders to one compositor; the items that it has been sent are not sent again."""

    def __init__(self) -> None:
        self._version = ""
        self._sent: set[ItemKey] = set()

    def write(self, sheets: Sequence[Sheet], edition: Edition, opening: int | None) -> bytes:
        """Return the order for what `fragments` makes of each of ``sheets``; it has to be carried out."""
        catalogue = edition.catalogue
        if catalogue.version != self._version:
            self._version = catalogue.version
            self._sent.clear()
        keys = {row.item for sheet in sheets for row in sheet.rows if row.item is not None} - self._sent
        self._sent |= keys
        items = [item for key in sorted(keys) if (item := catalogue.items.get(key)) is not None]
        words = {
            "version": catalogue.version,
            "base_url": edition.base_url,
            "sheets": [(list(map(_OF_ROW, sheet.rows)), list(sheet.days)) for sheet in sheets],
            "items": list(map(_OF_ITEM, items)),
            "opening": opening,
        }
        return orjson.dumps(words, option=orjson.OPT_APPEND_NEWLINE)


class Compositor:
    """Carries out orders, one after the other."""

    def __init__(self) -> None:
        self._version = ""
        self._base_url = ""
        self._items: dict[ItemKey, Item] = {}
        self._bodies: xmltv.Bodies = {}

    def carry_out(self, order: bytes) -> bytes:
        """Return the delivery for ``order``."""
        words = orjson.loads(order)
        version, base_url = words["version"], words["base_url"]
        if version != self._version:
            self._items.clear()
        if (version, base_url) != (self._version, self._base_url):
            self._bodies.clear()
        self._version, self._base_url = version, base_url
        self._items |= {item.key: item for item in map(_item, words["items"])}
        edition = Edition(Catalogue(MappingProxyType(self._items), version), base_url)
        made = [
            fragments(_sheet(rows, days), edition, words["opening"], self._bodies)
            for rows, days in words["sheets"]
        ]
        listed = [
            [(day, part.length, part.crc, len(part.compressed)) for day, part in of_channel.items()]
            for of_channel in made
        ]
        whole = (part.compressed for of_channel in made for part in of_channel.values())
        return b"".join((orjson.dumps(listed, option=orjson.OPT_APPEND_NEWLINE), *whole))


def _sheet(rows: Sequence[Sequence[Any]], days: Sequence[int]) -> Sheet:
    return Sheet(
        [
            Segment(channel, _KINDS[kind], starts, ends, item, offset, title)
            for channel, kind, starts, ends, item, offset, title in rows
        ],
        days,
    )


def _item(told: Sequence[Any]) -> Item:
    facts = dict(zip(_ITEM_FACTS, told, strict=True))
    return Item(**facts | {"kind": ItemKind(facts["kind"]), "genres": tuple(facts["genres"])})


def contents(line: bytes) -> Listed:
    """Read the first line of a delivery: day, length, CRC and size of each channel's fragments. Raises ValueError."""
    try:
        return [
            [(int(day), int(length), int(crc), int(size)) for day, length, crc, size in of_channel]
            for of_channel in orjson.loads(line)
        ]
    except (TypeError, ValueError) as fault:
        raise ValueError(f"no delivery begins so: {line[:80]!r}") from fault


def size(listed: Listed) -> int:
    """Return how many bytes follow the first line of a delivery."""
    return sum(count for of_channel in listed for *_, count in of_channel)


def unpacked(listed: Listed, body: bytes) -> list[dict[int, Fragment]]:
    """Return each channel's fragments by day, which lie one behind the other in ``body``."""
    made: list[dict[int, Fragment]] = []
    at = 0
    for of_channel in listed:
        made.append({})
        for day, length, crc, count in of_channel:
            made[-1][day] = Fragment(body[at : at + count], length, crc)
            at += count
    return made
