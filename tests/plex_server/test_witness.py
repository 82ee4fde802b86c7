"""A client that others wrote finds its way about the server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plexapi.server
import pytest
from plexapi.exceptions import NotFound, Unauthorized

from load.plex_server import PlexServer

CONNECT: Any = plexapi.server.PlexServer
"""It says that it is typed, and is not."""


@pytest.fixture
def witness(plex: PlexServer) -> Iterator[Any]:
    """Yield the client, connected as the owner."""
    server = CONNECT(plex.url, plex.token)
    yield server
    server._session.close()


def test_it_reads_libraries_and_their_entries(witness: Any, plex: PlexServer) -> None:
    """It connects, lists the libraries of every kind, and reads all they hold."""
    assert witness.machineIdentifier == plex.machine
    found = {
        section.title: [entry.title for entry in section.all()] for section in witness.library.sections()
    }
    assert {title: len(entries) for title, entries in found.items()} == {
        "Movies": 10,
        "TV Shows": 4,
        "Home Videos": 2,
        "Music": 2,
    }
    assert found["TV Shows"] == [
        "Battlestar Galactica",
        "Battlestar Galactica",
        "The Daily Signal",
        "The Office",
    ]


def test_it_finds_with_filters(witness: Any) -> None:
    """Its searches by title, tag, label and number come back with what they ask for."""
    films = witness.library.section("Movies")
    assert [film.title for film in films.search("harbour")] == ["The Long Harbour"]
    assert [film.title for film in films.search(genre="Noir")] == ["The Long Harbour"]
    assert [film.title for film in films.search(label="late night")] == ["The Long Harbour"]
    assert {film.year for film in films.search(filters={"year>>": 2015})} == {2016, 2017}
    either = {"or": [{"year>>": 2016}, {"title": "harbour"}]}
    assert {film.title for film in films.search(filters=either)} == {"Seen", "The Long Harbour"}
    assert [film.year for film in films.search(sort="year:desc", maxresults=3)] == [2017, 2016, 2015]


def test_it_walks_a_show(witness: Any) -> None:
    """Seasons and episodes of a show come in order, and a reload brings the rest of it."""
    (show,) = witness.library.section("TV Shows").search("Battlestar", year=2003)
    assert [season.index for season in show.seasons()] == [0, 1, 2]
    episodes = show.episodes()
    assert len(episodes) == show.leafCount == 11
    assert episodes[0].seasonEpisode == "s00e01"
    assert show.season(1).episode("Battlestar Galactica 1x2").index == 2
    show.reload()
    assert [label.tag for label in show.labels] == ["decade 2000"]
    assert {guid.id for guid in show.guids} == {"tvdb://73545", "imdb://tt0073545"}


def test_it_reads_details_groupings_and_hubs(witness: Any) -> None:
    """Chapters, markers, collections, smart collections, playlists and the search over all libraries are there."""
    films = witness.library.section("Movies")
    film = films.get("The Long Harbour")
    film.reload()
    assert [chapter.title for chapter in film.chapters][:2] == ["Chapter 1", "Chapter 2"]
    assert [(marker.type, marker.start) for marker in film.markers] == [("commercial", 900_000)]
    assert [collection.tag for collection in film.collections] == ["Harbour Films"]
    held, smart = films.collections()
    assert (held.smart, smart.smart) == (False, True)
    assert film in held.items()
    assert min(entry.year for entry in smart.items()) > 1990
    held.reload()
    assert [label.tag for label in held.labels] == ["curated"]
    lists = {playlist.title: [entry.title for entry in playlist.items()] for playlist in witness.playlists()}
    assert lists["Saturday"] == ["A Legacy Film", "The Long Harbour"]
    assert [entry.title for entry in witness.search("harbour")] == ["The Long Harbour"]


def test_it_downloads_a_file(filed: PlexServer, tmp_path: Path) -> None:
    """The bytes that it stores are those of the file."""
    server = CONNECT(filed.url, filed.token)
    (film,) = server.library.section("Movies").all()
    (stored,) = film.download(savepath=str(tmp_path / "got"))
    server._session.close()
    assert Path(stored).read_bytes() == (tmp_path / "film.mkv").read_bytes()


def test_it_is_told_what_is_not_there_and_not_allowed(witness: Any, plex: PlexServer) -> None:
    """An unknown key is not found, and without a token that counts nothing is."""
    with pytest.raises(NotFound):
        witness.fetchItem("/library/metadata/99999")
    with pytest.raises(Unauthorized):
        CONNECT(plex.url, "wrong")
