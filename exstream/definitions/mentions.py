"""Libraries and shows that definitions name: are they there?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exstream.definitions.values import nearest, quoted
from exstream.model.catalogue import Item, Library
from exstream.schedule.query import names_of_library, names_of_show

LIBRARY, SHOW = "library", "show"
_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Mention:
    """A name that a pool selects by; ``what`` is `LIBRARY` or `SHOW`, ``line`` counts from 1."""

    line: int
    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Names:
    """What there is to select by."""

    libraries: frozenset[str] = frozenset()
    shows: frozenset[str] = frozenset()

    @classmethod
    def of(cls, libraries: Iterable[Library], items: Iterable[Item]) -> Names:
        """Return what ``libraries`` and their ``items`` are called; items that are missing for now count."""
        found, shows = {library.name for library in libraries}, set[str]()
        for item in items:
            found.update(names_of_library(item))
            shows.update(names_of_show(item))
        return cls(frozenset(found), frozenset(shows))


def unknown(mentions: Mapping[str, Sequence[Mention]], names: Names) -> Iterator[str]:
    """Yield a sentence for each of ``mentions``, by file name, that no library and no show has.

    It begins with file and line, as every fault does.
    """
    for file, found in mentions.items():
        for mention in found:
            there = names.libraries if mention.what == LIBRARY else names.shows
            if mention.name.casefold() not in {name.strip().casefold() for name in there}:
                hint = nearest(mention.name, there) or _listed(there)
                said = f"there is no {mention.what} {quoted(mention.name)}{hint}"
                yield f"{file}:{mention.line}: {mention.what}: {said}"


def _listed(there: Collection[str]) -> str:
    if not there:
        return "; there is none at all yet: `exstream library add PATH` makes a folder a library"
    named = sorted(there, key=str.casefold)
    more = f" and {len(named) - _MOST_LISTED} more" if len(named) > _MOST_LISTED else ""
    return f"; there {'is' if len(named) == 1 else 'are'} {', '.join(named[:_MOST_LISTED])}{more}"
