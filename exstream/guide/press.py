"""The guide's fragments: a channel's programmes of one day, made here or ordered from another process.

An order is one line of JSON, so that whoever carries it out needs neither the catalogue nor the database: it brings the
items that no order before it has brought. A delivery is a line of JSON too, ``[[day, length, size], ...]``, and behind
it the compressed fragments, ``size`` bytes each.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from exstream.guide import xmltv
from exstream.guide.programmes import programmes
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind
from exstream.model.programme import Programme, Segment, SegmentKind

DAY_MS = 86_400_000
_ITEM_FIELDS = (
    *("key", "kind", "title", "duration_ms", "library", "show", "season", "episode", "year", "summary"),
    "genres",
)
"""What the guide says of an item."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One channel's programmes of one day."""

    compressed: bytes
    length: int
    """Bytes when not compressed."""


def fragments(
    rows: Sequence[Segment],
    catalogue: Catalogue,
    days: Sequence[int],
    opening: int | None,
    bodies: xmltv.Bodies | None = None,
) -> dict[int, Fragment]:
    """Return the fragments of ``days`` (since the epoch, UTC) from the rows of one channel.

    A programme belongs to the day it starts in; what began before the day ``opening`` and is still on stands there.
    ``bodies`` is for `exstream.guide.xmltv.entries`.
    """
    by_day: dict[int, list[Programme]] = {day: [] for day in days}
    for airing in programmes(rows):
        day = airing.starts // DAY_MS
        if opening is not None and day < opening and airing.ends > opening * DAY_MS:
            day = opening
        if day in by_day:
            by_day[day].append(airing)
    bodies = {} if bodies is None else bodies
    return {day: _fragment(airings, catalogue, bodies) for day, airings in by_day.items()}


def _fragment(airings: Sequence[Programme], catalogue: Catalogue, bodies: xmltv.Bodies) -> Fragment:
    text = "".join(xmltv.entries(airings, catalogue, bodies)).encode()
    return Fragment(zlib.compress(text, 1), len(text))


class Orders:
    """Writes orders to one compositor; the items that it has been sent are not sent again."""

    def __init__(self) -> None:
        self._version = ""
        self._sent: set[ItemKey] = set()

    def write(
        self, rows: Sequence[Segment], catalogue: Catalogue, days: Sequence[int], opening: int | None
    ) -> bytes:
        """Return the order for what `fragments` is to be called with; it has to be carried out."""
        if catalogue.version != self._version:
            self._version = catalogue.version
            self._sent.clear()
        keys = {row.item for row in rows if row.item is not None} - self._sent
        self._sent |= keys
        items = [item for key in sorted(keys) if (item := catalogue.items.get(key)) is not None]
        words = {
            "version": catalogue.version,
            "rows": [
                (row.channel, row.kind, row.starts, row.ends, row.item, row.offset, row.title) for row in rows
            ],
            "items": [{name: getattr(item, name) for name in _ITEM_FIELDS} for item in items],
            "days": list(days),
            "opening": opening,
        }
        return json.dumps(words).encode() + b"\n"


class Compositor:
    """Carries out orders, one after the other."""

    def __init__(self) -> None:
        self._version = ""
        self._items: dict[ItemKey, Item] = {}
        self._bodies: xmltv.Bodies = {}

    def carry_out(self, order: bytes) -> bytes:
        """Return the delivery for ``order``."""
        words = json.loads(order)
        if words["version"] != self._version:
            self._version = words["version"]
            self._items.clear()
            self._bodies.clear()
        for fields in words["items"]:
            kind, genres = ItemKind(fields["kind"]), tuple(fields["genres"])
            self._items[fields["key"]] = Item(**{**fields, "kind": kind, "genres": genres})
        rows = [Segment(channel, SegmentKind(kind), *rest) for channel, kind, *rest in words["rows"]]
        catalogue = Catalogue(MappingProxyType(self._items), self._version)
        made = fragments(rows, catalogue, words["days"], words["opening"], self._bodies)
        listed = [(day, fragment.length, len(fragment.compressed)) for day, fragment in made.items()]
        whole = (fragment.compressed for fragment in made.values())
        return b"".join((json.dumps(listed).encode(), b"\n", *whole))


def contents(line: bytes) -> list[tuple[int, int, int]]:
    """Read the first line of a delivery: day, length and size of each fragment. Raises ValueError."""
    try:
        return [(int(day), int(length), int(size)) for day, length, size in json.loads(line)]
    except (TypeError, ValueError) as fault:
        raise ValueError(f"no delivery begins so: {line[:80]!r}") from fault


def unpacked(listed: Sequence[tuple[int, int, int]], body: bytes) -> Mapping[int, Fragment]:
    """Return the fragments that lie one behind the other in ``body``."""
    made: dict[int, Fragment] = {}
    at = 0
    for day, length, size in listed:
        made[day] = Fragment(body[at : at + size], length)
        at += size
    return made
