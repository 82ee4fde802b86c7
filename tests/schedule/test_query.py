"""Which items belong to a pool."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


EPISODE = replace(
    FILM,
    key="attic:9",
    kind=ItemKind.EPISODE,
    library="Series",
    server="Attic",
    show="Battlestar Galactica",
    show_year=1978,
    album="Themes",
    aired="1978-09-17",
    content_rating="TV-PG",
    rating=7.5,
    views=1,
    labels=("Night",),
    collections=("Space", "Classics"),
    playlists=("Evening",),
    people=("Richard Hatch",),
)


@pytest.mark.parametrize(
    "query",
    [
        Query(shows=("battlestar galactica",)),
        Query(shows=("Battlestar Galactica (1978)",)),
        Query(artists=("Battlestar Galactica",), albums=("themes",)),
        Query(libraries=("Series",)),
        Query(libraries=("series on attic",)),
        Query(servers=("ATTIC",)),
        Query(collections=("classics",), playlists=("Evening",), labels=("night",)),
        Query(people=("Nobody", "richard hatch")),
        Query(content_ratings=("tv-pg",)),
        Query(min_rating=7.5),
        Query(watched=True),
        Query(aired=(1978, 1978)),
    ],
)
def test_what_a_server_tells_fits(query: Query) -> None:
    """Shows fit by title or title with year, libraries by name or with their server, memberships by any of them."""
    assert matches(query, EPISODE)


@pytest.mark.parametrize(
    "query",
    [
        Query(shows=("Battlestar Galactica (2003)",)),
        Query(libraries=("Series on Barn",)),
        Query(libraries=("Series on",)),
        Query(servers=("Barn",)),
        Query(collections=("Evening",)),
        Query(playlists=("Space",)),
        Query(content_ratings=("PG",)),
        Query(min_rating=7.6),
        Query(watched=False),
        Query(aired=(1979, 9_999)),
        Query(collections=("Space",), labels=("Day",)),
    ],
)
def test_what_a_server_tells_does_not_fit(query: Query) -> None:
    """Another year, server, rating or membership keeps an item out."""
    assert not matches(query, EPISODE)


@pytest.mark.parametrize(
    "query",
    [Query(aired=(0, 9_999)), Query(min_rating=0.0), Query(servers=("Attic",)), Query(labels=("Night",))],
)
def test_what_is_not_known_does_not_fit(query: Query) -> None:
    """An item of which a server tells nothing is left out by every such restriction; it is not watched, though."""
    assert not matches(query, FILM)
    assert matches(Query(watched=False), FILM)


@given(
    shows=st.lists(st.sampled_from(["A", "a", "B (1978)", "B", ""]), max_size=3),
    name=st.sampled_from(["A", "B", ""]),
    year=st.sampled_from([None, 1978, 2003]),
)
def test_a_title_is_every_show_of_that_name(shows: list[str], name: str, year: int | None) -> None:
    """What a year adds is only ever a narrower choice: with the title alone, every year's show fits."""
    item = replace(EPISODE, show=name, show_year=year)
    fits = matches(Query(shows=tuple(shows)), item)
    by_title = name != "" and name.lower() in {show.lower() for show in shows}
    by_year = year == 1978 and f"{name} (1978)" in shows
    assert fits == (not shows or by_title or by_year)
