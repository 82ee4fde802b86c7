"""Which items belong to a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from exstream.model.catalogue import Catalogue, Item
from exstream.model.channel import Query


def predicate(query: Query) -> Callable[[Item], bool]:
    """Return the test for ``query``: every field that is not empty must fit, text in any letter case."""
    kinds = _folded(query.kinds)
    shows = _folded(query.shows)
    titles = _folded(query.titles)
    libraries = _folded(query.libraries)
    genres = _folded(query.genres)
    years = query.years

    def belongs(item: Item) -> bool:
        return (
            (not kinds or item.kind in kinds)
            and (not shows or _fold(item.show) in shows)
            and (not titles or _fold(item.title) in titles)
            and (not libraries or _fold(item.library) in libraries)
            and (not genres or not genres.isdisjoint(map(_fold, item.genres)))
            and (years is None or (item.year is not None and years[0] <= item.year <= years[1]))
        )

    return belongs


def matches(query: Query, item: Item) -> bool:
    """Tell whether ``item`` belongs to ``query``."""
    return predicate(query)(item)


def select(query: Query, catalogue: Catalogue) -> tuple[Item, ...]:
    """Return what can be aired of ``query``: no item whose file is missing or whose length is unknown."""
    belongs = predicate(query)
    return tuple(
        item
        for item in catalogue.items.values()
        if not item.missing and item.duration_ms > 0 and belongs(item)
    )


def _fold(text: str) -> str:
    return text.strip().casefold()


def _folded(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_fold, texts))
