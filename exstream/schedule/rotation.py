"""The order in which a pool gives its items, cycle after cycle.

A `Cursor` names a place in an order, not an index, so that a library may grow and shrink between two days:

* Shuffles sort by a keyed hash of seed, pool, cycle and item. An item's place depends on nothing else, so a new
  item moves no other and a vanished item's place is still known from its key.
* The chronological order cannot place an item it no longer knows, so its cursor carries the item's sort key
  (a JSON list that ends with the item's key).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from exstream.model.catalogue import Item, ItemKey
from exstream.model.channel import Order, Pool
from exstream.model.programme import Cursor

_UNNUMBERED = 1 << 31
"""Items without a season, episode or year come after those that have one."""
_DIGITS = re.compile(r"([0-9]{1,15})")
_KEPT_CYCLES = 3

Place = Any
"""Where an item stands in one cycle; places of one order compare with each other."""


@dataclass(frozen=True, slots=True)
class _Cycle:
    """One pass through the pool: the items in order, and where each of them stands."""

    items: tuple[Item, ...]
    index: dict[ItemKey, int]

    @classmethod
    def of(cls, items: Sequence[Item]) -> _Cycle:
        return cls(tuple(items), {item.key: number for number, item in enumerate(items)})


class _Sorting(Protocol):
    """How an order places items and writes cursors."""

    def place(self, item: Item, cycle: int) -> Place: ...

    def mark(self, item: Item) -> str:
        """Return what a cursor keeps of ``item``."""

    def marked(self, mark: str) -> ItemKey:
        """Return the key in a mark; "" if it holds none."""

    def place_of_mark(self, mark: str, cycle: int) -> Place | None:
        """Return where an item that is gone stood; None if it cannot be told."""


class _Chronological:
    """Show, season, episode, year, title: as the numbers run, with 2 before 10 in names too."""

    def place(self, item: Item, cycle: int) -> Place:
        del cycle
        return [
            _natural(item.show),
            _UNNUMBERED if item.season is None else item.season,
            _UNNUMBERED if item.episode is None else item.episode,
            _UNNUMBERED if item.year is None else item.year,
            _natural(item.title),
            item.key,
        ]

    def mark(self, item: Item) -> str:
        return json.dumps(self.place(item, 0), separators=(",", ":"))

    def marked(self, mark: str) -> ItemKey:
        place = self.place_of_mark(mark, 0)
        return str(place[-1]) if place else ""

    def place_of_mark(self, mark: str, cycle: int) -> Place | None:
        del cycle
        try:
            place = json.loads(mark)
        except ValueError:
            return None
        return place if _is_chronological(place) else None


class _Shuffle:
    """A different order in every cycle."""

    def __init__(self, seed: str, pool: str) -> None:
        self._seed = blake2b(f"{seed}\0{pool}\0".encode("utf-8", "surrogatepass"), digest_size=12)
        self._keyed = (-1, self._seed)

    def place(self, item: Item, cycle: int) -> Place:
        return self._hash(item.key, cycle)

    def mark(self, item: Item) -> str:
        return item.key

    def marked(self, mark: str) -> ItemKey:
        return mark

    def place_of_mark(self, mark: str, cycle: int) -> Place | None:
        return self._hash(mark, cycle)

    def _hash(self, key: ItemKey, cycle: int) -> tuple[bytes, ItemKey]:
        if self._keyed[0] != cycle:
            keyed = self._seed.copy()
            keyed.update(f"{cycle}\0".encode())
            self._keyed = (cycle, keyed)
        digest = self._keyed[1].copy()
        digest.update(key.encode("utf-8", "surrogatepass"))
        return digest.digest(), key


class Rotation:
    """A pool's items in the pool's order; immutable to its users, it only remembers what it has sorted.

    No item follows itself across the border of two cycles while there is another one. To that end a shuffled cycle
    that would begin with the item the one before ended with swaps its first two; two items just take turns.
    """

    def __init__(self, pool: Pool, items: Sequence[Item], seed: str) -> None:
        self.items = tuple(items)
        self._chronological = pool.order is Order.CHRONOLOGICAL
        self._sorting: _Sorting = _Chronological() if self._chronological else _Shuffle(seed, pool.name)
        self._sorted: dict[int, tuple[Item, ...]] = {}
        self._cycles: dict[int, _Cycle] = {}
        self._marks: dict[ItemKey, str] = {}

    def take(self, cursor: Cursor) -> Iterator[tuple[Item, Cursor]]:
        """Yield what follows ``cursor`` without an end, each item with the cursor that stands after it."""
        if not self.items:
            return
        number = cursor.cycle
        cycle = self._cycle(number)
        position = self._after(cursor, cycle)
        while True:
            if position >= len(cycle.items):
                number += 1
                cycle = self._cycle(number)
                position = 0
            item = cycle.items[position]
            position += 1
            yield item, Cursor(number, self._mark(item))

    def ordered(self, cycle: int) -> tuple[Item, ...]:
        """Return the items of one cycle in the order they are given."""
        return self._cycle(cycle).items

    def _after(self, cursor: Cursor, cycle: _Cycle) -> int:
        """Return the index of the first item after the cursor's place."""
        if not cursor.after:
            return 0
        known = cycle.index.get(self._sorting.marked(cursor.after))
        if known is not None:
            return known + 1
        number = self._effective(cursor.cycle)
        gone = self._sorting.place_of_mark(cursor.after, number)
        if gone is None:
            return 0
        place = self._sorting.place
        following = (i for i, item in enumerate(cycle.items) if place(item, number) > gone)
        return next(following, len(cycle.items))

    def _mark(self, item: Item) -> str:
        found = self._marks.get(item.key)
        if found is None:
            found = self._marks[item.key] = self._sorting.mark(item)
        return found

    def _effective(self, number: int) -> int:
        """Return the cycle whose order cycle ``number`` has: all are alike in time order, and where two take turns."""
        return 0 if self._chronological or len(self.items) <= 2 else number

    def _cycle(self, number: int) -> _Cycle:
        number = self._effective(number)
        found = self._cycles.get(number)
        if found is None:
            items = list(self._sort(number))
            if number > 0 and items[0].key == self._sort(number - 1)[-1].key:
                items[:2] = items[1], items[0]
            found = self._cycles[number] = _Cycle.of(items)
            _forget_oldest(self._cycles)
        return found

    def _sort(self, number: int) -> tuple[Item, ...]:
        found = self._sorted.get(number)
        if found is None:
            place = self._sorting.place
            found = tuple(sorted(self.items, key=lambda item: place(item, number)))
            self._sorted[number] = found
            _forget_oldest(self._sorted)
        return found


def take(pool: Pool, items: Sequence[Item], seed: str, cursor: Cursor) -> Iterator[tuple[Item, Cursor]]:
    """Yield what ``pool`` gives after ``cursor``, without an end unless ``items`` is empty."""
    return Rotation(pool, items, seed).take(cursor)


def _forget_oldest(kept: dict[int, Any]) -> None:
    while len(kept) > _KEPT_CYCLES:
        del kept[next(iter(kept))]


def _natural(text: str) -> list[str | int]:
    """Split a name into text and numbers, alternating and beginning with text, so that 2 comes before 10."""
    parts: list[str | int] = list(_DIGITS.split(text.strip().casefold()))
    parts[1::2] = map(int, parts[1::2])
    return parts


def _is_chronological(place: object) -> bool:
    """Tell whether ``place`` compares with the places of this order."""
    return (
        isinstance(place, list)
        and len(place) == 6
        and _is_natural(place[0])
        and all(isinstance(number, int) for number in place[1:4])
        and _is_natural(place[4])
        and isinstance(place[5], str)
    )


def _is_natural(parts: object) -> bool:
    return isinstance(parts, list) and all(
        isinstance(part, int if number % 2 else str) for number, part in enumerate(parts)
    )
