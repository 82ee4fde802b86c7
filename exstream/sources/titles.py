"""Which items are the same film or the same episode, by library; and what items were that are in none any more."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache

from exstream.model.catalogue import Catalogue, Item, ItemKey
from exstream.sources.candidates import library_of

ALIKE = 0.1
"""By how much of its length another copy may differ: more is another cut, or another work of that name."""
REMEMBERED = 5_000
"""How many items that have vanished are remembered: rows of the timeline may still name them."""
_CATALOGUES = ("tvdb:", "tmdb:", "imdb:")

Identity = object
LibraryName = tuple[str, str]


@dataclass(slots=True)
class _Library:
    """The items of one library, and the same by what they are, once somebody has asked."""

    items: dict[ItemKey, Item]
    titles: Mapping[Identity, list[Item]] | None = field(default=None)

    def of(self) -> Mapping[Identity, list[Item]]:
        if self.titles is None:
            titles: dict[Identity, list[Item]] = defaultdict(list)
            for item in self.items.values():
                if not item.missing and (item.path or item.versions):
                    for identity in identities(item):
                        titles[identity].append(item)
            self.titles = dict(titles)
        return self.titles


class Titles:
    """The titles of the newest catalogue that `follow` was given. A library that stays as it is is not read again."""

    def __init__(self) -> None:
        self._libraries: dict[LibraryName, _Library] = {}
        self._gone: LRUCache[ItemKey, Item] = LRUCache(REMEMBERED)
        self._following = asyncio.Lock()
        self._version = ""

    async def follow(self, catalogue: Catalogue) -> frozenset[LibraryName]:
        """Take over ``catalogue``; return which libraries have changed, or are new or gone.

        A large library takes some time: the event loop goes on meanwhile.
        """
        async with self._following:
            if catalogue.version and catalogue.version == self._version:
                return frozenset()
            before = self._libraries
            self._libraries = now = await asyncio.to_thread(_libraries, catalogue, before)
            self._version = catalogue.version
            changed = {name for name in before.keys() | now.keys() if before.get(name) is not now.get(name)}
            for name in changed & before.keys():
                for key, item in before[name].items.items():
                    if key not in catalogue.items:
                        self._gone[key] = item
            return frozenset(changed)

    def gone(self, key: ItemKey) -> Item | None:
        """Return what the item of ``key`` was, which is in no library any more; None where that is not known."""
        found: Item | None = self._gone.get(key)
        return found

    async def alike(self, wanted: Item) -> list[Item]:
        """Return the other items of the title of ``wanted``, those closest to its length first."""
        found: dict[ItemKey, Item] = {}
        for library in tuple(self._libraries.values()):
            titles = library.titles if library.titles is not None else await asyncio.to_thread(library.of)
            for identity in identities(wanted):
                found |= {item.key: item for item in titles.get(identity, ())}
        same = [item for item in found.values() if item.key != wanted.key and is_same(wanted, item)]
        return sorted(same, key=lambda item: (abs(item.duration_ms - wanted.duration_ms), item.key))


def identities(item: Item) -> Iterator[Identity]:
    """Yield under what a title is found: its ids in the catalogues of the world, and what it is called."""
    for each in item.external_ids:
        if each.startswith(_CATALOGUES):
            yield each
    if item.show and item.season is not None and item.episode is not None:
        yield item.kind, plain(item.show), item.season, item.episode
    else:
        yield item.kind, plain(item.show), plain(item.title), item.year


def is_same(one: Item, other: Item) -> bool:
    """Tell whether two items that share one of their `identities` are the same work, in the same cut.

    Where one catalogue of the world knows both, its word counts; so does the year of a show.
    """
    if one.kind is not other.kind or abs(other.duration_ms - one.duration_ms) > ALIKE * one.duration_ms:
        return False
    ours, theirs = _by_catalogue(one), _by_catalogue(other)
    shared = ours.keys() & theirs.keys()
    if shared:
        return any(ours[name] == theirs[name] for name in shared)
    return one.show_year is None or other.show_year is None or one.show_year == other.show_year


def plain(text: str) -> str:
    """Return a title without what spelling may differ in."""
    return " ".join(text.casefold().split())


def _by_catalogue(item: Item) -> dict[str, str]:
    ids = (each.partition(":") for each in item.external_ids if each.startswith(_CATALOGUES))
    return {name: number for name, _, number in ids}


def _libraries(catalogue: Catalogue, before: Mapping[LibraryName, _Library]) -> dict[LibraryName, _Library]:
    """Return the libraries of ``catalogue``; those that have not changed are the very ones of ``before``."""
    items: dict[LibraryName, dict[ItemKey, Item]] = defaultdict(dict)
    for key, item in catalogue.items.items():
        items[library_of(item)][key] = item
    found = {}
    for name, these in items.items():
        known = before.get(name)
        found[name] = known if known is not None and known.items == these else _Library(these)
    return found
