"""Which items belong to a pool."""

from dataclasses import replace

import pytest

from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import Query
from exstream.schedule.query import matches, select

FILM = Item(
    key="local:1",
    kind=ItemKind.FILM,
    title="Straße nach Norden",
    duration_ms=5_400_000,
    library="Films",
    year=1984,
    genres=("Drama", "Road Movie"),
)


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(kinds=("film",)),
        Query(titles=("STRASSE NACH NORDEN",)),
        Query(libraries=(" films ",)),
        Query(genres=("Comedy", "road movie")),
        Query(years=(1984, 1984)),
        Query(kinds=("film", "episode"), genres=("drama",), years=(1980, 1989)),
    ],
)
def test_fits(query: Query) -> None:
    """Every named field fits in any letter case, one of several values is enough."""
    assert matches(query, FILM)


@pytest.mark.parametrize(
    "query",
    [
        Query(kinds=("episode",)),
        Query(shows=("Robot Harbour",)),
        Query(titles=("Norden",)),
        Query(genres=("Comedy",)),
        Query(years=(1985, 1989)),
        Query(kinds=("film",), libraries=("Demo",)),
    ],
)
def test_does_not_fit(query: Query) -> None:
    """One field that does not fit keeps an item out."""
    assert not matches(query, FILM)


def test_an_item_without_a_year_is_of_no_years() -> None:
    """A restriction by year leaves out what has no year."""
    assert not matches(Query(years=(0, 9_999)), replace(FILM, year=None))


def test_select_leaves_out_what_cannot_be_aired() -> None:
    """Missing files and items of unknown length are not selected."""
    gone = replace(FILM, key="local:2", missing=True)
    unknown = replace(FILM, key="local:3", duration_ms=0)
    assert select(Query(), Catalogue.of([FILM, gone, unknown])) == (FILM,)
