"""Titles looked for on all servers before anything of them is taken in."""

from __future__ import annotations

import json

import pytest

from tests.cli.plex_home import TOWER, Household, household, leaks, servers, shell
from tests.cli.test_commands import Shell
from tests.cli.test_sync import both

__all__ = ["both", "household", "servers", "shell"]


def test_shows_of_one_name(both: Shell, household: Household) -> None:
    """Battlestar Galactica of 1978 and of 2003 are told apart, on each server, with episodes, ids and library."""
    answer = both("discover", "--title", "Battlestar Galactica", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert [(each["year"], each["server"]) for each in found] == [
        (1978, "Attic"),
        (1978, "Tower"),
        (2003, "Attic"),
        (2003, "Tower"),
    ]
    old = found[1]
    assert (old["kind"], old["episodes"], old["library"]) == ("show", 3, "TV Shows")
    assert old["ids"][0].startswith("tvdb:")
    one = both("discover", "--title", "battlestar galactica", "--year", "2003")
    assert [line.split()[2] for line in one.out.splitlines()] == ["2003", "2003"]
    assert "TV Shows on Attic" in one.out
    assert leaks(both.data, answer.out, one.out, one.err) == []


def test_a_film_and_nothing(both: Shell) -> None:
    """A film has no episodes; a title that nobody has ends with 1; one server that is down ends with 2."""
    (film, _) = json.loads(both("discover", "--title", "Seen", "--json").out)
    assert (film["kind"], film["episodes"]) == ("movie", None)
    nothing = both("discover", "--title", "Nobody")
    assert (nothing.code, nothing.out) == (1, "No server has anything called Nobody.\n")


def test_titles_with_blanks_around_and_none_at_all(both: Shell) -> None:
    """Blanks around a title do not count; a title that says nothing is refused and not taken for every item."""
    assert len(json.loads(both("discover", "--title", "  seen ", "--json").out)) == 2
    for command in ("discover", "sync"):
        refused = both(command, "--title", "  ")
        assert (refused.code, refused.out) == (1, "")
        assert "--title" in refused.err
        assert "it is empty" in refused.err


def test_an_artist_whose_tracks_are_not_counted(both: Shell) -> None:
    """Servers do not tell how many tracks an artist has: no number is made up."""
    answer = both("discover", "--title", "The Compass")
    assert "artist" in answer.out
    assert "0 tracks" not in answer.out


def test_servers_that_are_down(both: Shell, household: Household) -> None:
    """What the others have is listed, and the exit code tells: 2 where one is down, 3 where all are."""
    household.attic.stop_listening()
    try:
        partial = both("discover", "--title", "Seen", "--json")
        assert (partial.code, len(json.loads(partial.out))) == (2, 1)
        assert "Attic" in partial.err
        household.tower.stop_listening()
        assert both("discover", "--title", "Seen").code == 3
    finally:
        household.tower.listen_again()
        household.attic.listen_again()


def test_a_server_of_the_settings_is_not_taken_in(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking is not adding: a server that is only named in the environment is asked and not kept."""
    monkeypatch.setenv("PLEX_BASE_URL", household.tower.url)
    monkeypatch.setenv("PLEX_TOKEN", TOWER)
    assert shell("discover", "--title", "Seen").code == 0
    assert not list(shell.data.glob("*.db"))
