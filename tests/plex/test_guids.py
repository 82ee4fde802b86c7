"""What guids name, in every form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.plex.guids import Guid, own_ids, parse, show_ids


@pytest.mark.parametrize(
    ("guid", "pair"),
    [
        ("com.plexapp.agents.thetvdb://12345", ("tvdb", "12345")),
        ("com.plexapp.agents.themoviedb://54321", ("tmdb", "54321")),
        ("imdb://tt0123456", ("imdb", "tt0123456")),
        ("plex://show/abcdef", ("plex", "show/abcdef")),
        ("plex://movie/5d7768257228e5001f1dccd2", ("plex", "movie/5d7768257228e5001f1dccd2")),
        ("tvdb://268592", ("tvdb", "268592")),
        ("tmdb://603", ("tmdb", "603")),
        ("TMDB://603", ("tmdb", "603")),
        ("com.plexapp.agents.imdb://tt0165832?lang=en", ("imdb", "tt0165832")),
        ("com.plexapp.agents.imdb://0165832?lang=en", ("imdb", "tt0165832")),
        ("com.plexapp.agents.thetvdb://268592?lang=en", ("tvdb", "268592")),
        ("com.plexapp.agents.hama://tvdb-1234?lang=en", ("tvdb", "1234")),
        ("com.plexapp.agents.hama://tvdb2-1234?lang=en", ("tvdb", "1234")),
        ("com.plexapp.agents.hama://anidb-77", ("anidb", "77")),
        ("com.plexapp.agents.xbmcnfo://tt0165832?lang=xn", ("imdb", "tt0165832")),
        ("com.plexapp.agents.xbmcnfo://603?lang=xn", ("tmdb", "603")),
        ("com.plexapp.agents.xbmcnfotv://12345", ("tvdb", "12345")),
        ("tv.plex.agents.nfo.movie://movie/tmdb_383498", ("tmdb", "383498")),
        ("mbid://7d25f4b2-5d2a-4c1c-8d4e-0d6a3a0e6f11", ("mbid", "7d25f4b2-5d2a-4c1c-8d4e-0d6a3a0e6f11")),
    ],
)
def test_a_guid_names_a_catalogue_and_a_number_in_it(guid: str, pair: tuple[str, str]) -> None:
    """Every form that agents have written is understood, whatever language is hung on it."""
    found = parse(guid)
    assert found is not None
    assert found.pair == pair


@pytest.mark.parametrize(
    "guid",
    [
        *(
            "local://55",
            "com.plexapp.agents.none://66e305?lang=xn",
            "tv.plex.agents.none://1",
            "collection://a-b",
        ),
        *("", "tvdb", "tvdb://", "tvdb://12a", "imdb://nm0000001", "plex://show", "plex://", "youtube://x"),
        *("com.plexapp.agents.hama://1234", "tv.plex.agents.nfo.movie://movie", "://12", "plex://show/a/b"),
    ],
)
def test_what_means_something_on_one_server_only_names_nothing(guid: str) -> None:
    """Unmatched and personal items, collections, and nonsense have no number in any catalogue."""
    assert parse(guid) is None


@pytest.mark.parametrize(
    ("guid", "expected"),
    [
        ("com.plexapp.agents.thetvdb://121361/6/1?lang=en", Guid("tvdb", "121361", 6, 1)),
        ("com.plexapp.agents.thetvdb://121361/0?lang=en", Guid("tvdb", "121361", 0)),
        ("com.plexapp.agents.themoviedb://1399/1/2?lang=de", Guid("tmdb", "1399", 1, 2)),
        ("com.plexapp.agents.hama://anidb-1234/1/2", Guid("anidb", "1234", 1, 2)),
        ("com.plexapp.agents.thetvdb://121361/2011-04-17", Guid("tvdb", "121361")),
    ],
)
def test_an_episode_of_older_agents_is_named_by_its_show(guid: str, expected: Guid) -> None:
    """Season and episode follow the show's number; what is no number there is left alone."""
    assert parse(guid) == expected


def test_the_ids_of_an_episode_are_not_those_of_its_show() -> None:
    """A number of the show never passes for one of an episode: two episodes of a show differ in it."""
    first = "com.plexapp.agents.thetvdb://121361/6/1?lang=en"
    assert own_ids(first) == ("tvdb:121361/6/1",)
    assert show_ids(first) == ("tvdb:121361",)
    assert show_ids("plex://episode/5d9c", ["tvdb://349232"]) == ()


def test_the_best_catalogue_comes_first() -> None:
    """TVDB before TMDB before IMDB before Plex, whatever the server's order; each id once."""
    guids = ["imdb://tt0944947", "tmdb://1399", "tvdb://121361", "tvdb://121361", "local://5"]
    assert own_ids("plex://show/5d9c", guids) == (
        "tvdb:121361",
        "tmdb:1399",
        "imdb:tt0944947",
        "plex:show/5d9c",
    )


@given(
    st.sampled_from(["com.plexapp.agents.thetvdb", "tvdb", "plex", "hama", "xbmcnfo", ""]),
    st.text(max_size=30),
)
def test_no_guid_breaks_it(agent: str, rest: str) -> None:
    """Whatever stands in a guid, it names something that can be written down, or nothing."""
    found = parse(f"{agent}://{rest}")
    assert found is None or found.own.isascii()
