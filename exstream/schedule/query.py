"""Which items belong to a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from exstream.model.catalogue import Catalogue, Item
from exstream.model.channel import Query

_Test = Callable[[Item], bool]


def predicate(query: Query) -> _Test:
    """Return the test for ``query``: every field that is not empty must fit, text in any letter case."""
    tests = tuple(_tests(query))

    def belongs(item: Item) -> bool:
        return all(test(item) for test in tests)

    return belongs


def names_of_show(item: Item) -> tuple[str, ...]:
    """Return what the show, or the artist, of ``item`` is called: by its title, and with its year."""
    if not item.show:
        return ()
    return (item.show,) if item.show_year is None else (item.show, f"{item.show} ({item.show_year})")


def names_of_library(item: Item) -> tuple[str, ...]:
    """Return what the library of ``item`` is called: by its name, and with the name of its server."""
    return (item.library,) if not item.server else (item.library, f"{item.library} on {item.server}")


def _tests(query: Query) -> Iterator[_Test]:
    """Yield a test for each field that restricts."""
    one_of: tuple[tuple[tuple[str, ...], Callable[[Item], tuple[str, ...]]], ...] = (
        (query.kinds, lambda item: (item.kind,)),
        (query.shows, names_of_show),
        (query.artists, names_of_show),
        (query.titles, lambda item: (item.title,)),
        (query.albums, lambda item: (item.album,)),
        (query.libraries, names_of_library),
        (query.servers, lambda item: (item.server,)),
        (query.genres, lambda item: item.genres),
        (query.collections, lambda item: item.collections),
        (query.playlists, lambda item: item.playlists),
        (query.labels, lambda item: item.labels),
        (query.people, lambda item: item.people),
        (query.content_ratings, lambda item: (item.content_rating,)),
    )
    for wanted, names in one_of:
        if wanted:
            yield _any_of(wanted, names)
    if (least := query.min_rating) is not None:
        yield lambda item: item.rating is not None and item.rating >= least
    if (watched := query.watched) is not None:
        yield lambda item: (item.views > 0) is watched
    if query.years is not None:
        yield _within(query.years, lambda item: item.year)
    if query.aired is not None:
        yield _within(query.aired, _year_aired)


def _any_of(wanted: Iterable[str], names: Callable[[Item], tuple[str, ...]]) -> _Test:
    folded = frozenset(map(_fold, wanted))
    return lambda item: not folded.isdisjoint(map(_fold, names(item)))


def _within(span: tuple[int, int], year_of: Callable[[Item], int | None]) -> _Test:
    first, last = span

    def fits(item: Item) -> bool:
        year = year_of(item)
        return year is not None and first <= year <= last

    return fits


def _year_aired(item: Item) -> int | None:
    return int(item.aired[:4]) if item.aired[:4].isdecimal() else None


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
