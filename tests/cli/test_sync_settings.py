"""Which server and library a synchronisation is about: the environment says it, the command line says it better."""

from __future__ import annotations

import json

import pytest

from tests.cli.plex_home import ATTIC, TOWER, Household, household, leaks, servers, shell
from tests.cli.test_commands import Answer, Shell

__all__ = ["household", "servers", "shell"]

EPISODES = 19


@pytest.fixture
def environment(household: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    """Have the environment name the tower, its token, and its library of series."""
    monkeypatch.setenv("PLEX_BASE_URL", household.tower.url)
    monkeypatch.setenv("PLEX_TOKEN", TOWER)
    monkeypatch.setenv("PLEX_TV_SECTION_KEY", "2")
    household.tower.reset_counts()
    household.attic.reset_counts()
    return household


def _libraries(household: Household) -> dict[str, set[str]]:
    """Return of which libraries each server was asked for its entries."""
    return {
        name: {each["path"].split("/")[3] for each in server.asked() if each["path"].endswith("/all")}
        for name, server in (("Tower", household.tower), ("Attic", household.attic))
    }


def _added(answer: Answer) -> dict[str, int]:
    assert answer.code == 0, answer.err
    return {each["server"]: each["added"] for each in json.loads(answer.out)}


def test_the_environment_is_enough(shell: Shell, environment: Household) -> None:
    """PLEX_BASE_URL, PLEX_TOKEN and PLEX_TV_SECTION_KEY choose server and library without any option."""
    answer = shell("sync-all", "--json")
    assert _added(answer) == {"Tower": EPISODES}
    assert _libraries(environment) == {"Tower": {"2"}, "Attic": set()}
    again = shell("sync", "--title", "Battlestar Galactica", "--json")
    assert _added(again) == {"Tower": 0}
    film = shell("discover", "--title", "Seen", "--json")
    assert (film.code, json.loads(film.out)) == (1, [])
    assert leaks(shell.data, answer.out, answer.err, again.out, again.err, film.err) == []


def test_options_beat_the_environment(shell: Shell, environment: Household) -> None:
    """--plex-url, --plex-token and --plex-section name another server and library than the environment does."""
    options = ("--plex-url", environment.attic.url, "--plex-token", ATTIC, "--plex-section", "Movies")
    found = shell("discover", "--title", "Seen", "--json", *options)
    assert [(each["server"], each["library"]) for each in json.loads(found.out)] == [("Attic", "Movies")]
    answer = shell("sync-all", "--json", *options)
    assert list(_added(answer)) == ["Attic"]
    assert _added(answer)["Attic"] > 0
    assert _libraries(environment) == {"Tower": set(), "Attic": {"1"}}
    assert TOWER not in json.dumps(environment.attic.asked())


@pytest.mark.parametrize("command", [("sync-all",), ("discover", "--title", "Seen")])
def test_a_token_of_the_environment_is_for_its_server_only(
    shell: Shell, environment: Household, command: tuple[str, ...]
) -> None:
    """Where --plex-url names another server than PLEX_BASE_URL does, that one is never shown PLEX_TOKEN."""
    answer = shell(*command, "--plex-url", environment.attic.url)
    assert answer.code == 1
    assert "token" in answer.err
    assert TOWER not in json.dumps(environment.attic.asked())
