"""What moves when the library changes, and what does not: the reason why nothing may be skipped by a show's date."""

import time
from pathlib import Path
from typing import Any

import pytest

from load.plex_server import PlexServer, big_library, running_plex_server
from tests.plex_server.asking import container, entry, rows, session, titles

LATER = 1_800_000_000


def _section(plex: PlexServer, key: int) -> dict[str, Any]:
    with session(plex) as client:
        (found,) = (
            row for row in container(client, "/library/sections")["Directory"] if row["key"] == str(key)
        )
        return dict(found)


def test_a_new_episode_does_not_move_its_show(own: PlexServer) -> None:
    """Its counts do, and the library's counter; the show's and the season's date stay."""
    own.set_now(LATER)
    before = _section(own, 2)
    with session(own) as client:
        show, season = entry(client, 16), entry(client, 21)
        key = own.add("episode", "New", under=21, index=4, duration=1, versions=[{}])
        after_show, after_season = entry(client, 16), entry(client, 21)
        assert entry(client, key)["addedAt"] == LATER
    assert (after_show["updatedAt"], after_season["updatedAt"]) == (show["updatedAt"], season["updatedAt"])
    assert after_show["leafCount"] == show["leafCount"] + 1
    after = _section(own, 2)
    assert after["contentChangedAt"] > before["contentChangedAt"]
    assert (after["updatedAt"], after["scannedAt"]) == (before["updatedAt"], before["scannedAt"])


def test_a_replaced_file_changes_its_address_and_size_alone(own: PlexServer) -> None:
    """The film's date stays and so does the library's counter."""
    own.set_now(LATER)
    before = _section(own, 1)
    with session(own) as client:
        old = entry(client, 1)
        own.replace_file(1, size=777)
        new = entry(client, 1)
    was, part = old["Media"][0]["Part"][0], new["Media"][0]["Part"][0]
    assert (part["id"], part["size"], part["key"]) == (
        was["id"],
        777,
        f"/library/parts/{was['id']}/{LATER}/file.mkv",
    )
    assert new["updatedAt"] == old["updatedAt"]
    assert _section(own, 1) == before


def test_an_edit_moves_the_entry_and_not_the_counter(own: PlexServer) -> None:
    """A title that was edited moves the film's date; watching it does not."""
    own.set_now(LATER)
    before = _section(own, 1)
    with session(own) as client:
        own.watch(2, views=3)
        assert entry(client, 2)["updatedAt"] < LATER
        assert entry(client, 2)["viewCount"] == 3
        own.change(2, title="Edited")
        assert (entry(client, 2)["updatedAt"], entry(client, 2)["title"]) == (LATER, "Edited")
        assert "Edited" in titles(client, "/library/sections/1/all")
    assert _section(own, 1) == before


def test_what_is_removed_is_gone_without_a_trace(own: PlexServer) -> None:
    """The last episode takes its season and show with it."""
    with session(own) as client:
        show = own.find("The Office")
        for episode in own.entries("episode"):
            if episode["title"].startswith("The Office"):
                own.remove(episode["key"])
        assert client.get(f"/library/metadata/{show['key']}").status_code == 404
        assert "The Office" not in titles(client, "/library/sections/2/all")


def test_a_collection_shows_on_its_members(own: PlexServer) -> None:
    """Those that are in it carry its title, until they are taken out."""
    with session(own) as client:
        assert entry(client, 1)["Collection"][0]["tag"] == "Harbour Films"
        own.describe(own.find("Harbour Films")["key"], members=[2])
        assert "Collection" not in entry(client, 1)
        assert entry(client, 2)["Collection"][0]["tag"] == "Harbour Films"


def test_a_smart_collection_follows_the_library(own: PlexServer) -> None:
    """Its members are those that match at the moment."""
    with session(own) as client:
        key = own.find("Since the Nineties")["key"]
        assert "Fresh" not in titles(client, f"/library/collections/{key}/children")
        own.add("movie", "Fresh", section=1, year=2026, versions=[{}])
        assert "Fresh" in titles(client, f"/library/collections/{key}/children")


def test_a_scan_moves_its_date_and_finds_what_came(own: PlexServer) -> None:
    """While it runs the library says so and an activity goes on; then the new film is there."""
    own.set_now(LATER)
    own.switch(scan_seconds=0.4)
    own.at_next_scan("add", kind="movie", title="Found", section=1, versions=[{}])
    with session(own) as client:
        assert (
            client.get("/library/sections/1/refresh", params={"path": "/data/Movies/Found"}).status_code
            == 200
        )
        assert _section(own, 1)["refreshing"] is True
        (activity,) = container(client, "/activities")["Activity"]
        assert (activity["type"], activity["Context"]) == (
            "library.update.section",
            {"librarySectionID": "1"},
        )
        _wait(lambda: _section(own, 1)["refreshing"] is False)
        assert "Found" in titles(client, "/library/sections/1/all")
        assert _section(own, 1)["scannedAt"] == LATER
        assert "Activity" not in container(client, "/activities")
        assert client.get("/library/sections/1/refresh", params={"path": "/elsewhere"}).status_code == 200
    assert _section(own, 1)["refreshing"] is False


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("moves", [True, False])
def test_a_refresh_moves_the_date_or_does_not(own: PlexServer, moves: bool) -> None:
    """Real servers do either; the answer comes at once and is empty."""
    own.set_now(LATER)
    own.switch(refresh_moves=moves, scan_seconds=0)
    with session(own) as client:
        answer = client.put("/library/metadata/1/refresh")
        assert (answer.status_code, answer.content) == (200, b"")
        _wait(lambda: "Activity" not in container(client, "/activities"))
        assert (entry(client, 1)["updatedAt"] == LATER) is moves


def test_a_library_turns_empty_and_is_full_again(own: PlexServer) -> None:
    """It answers 200 and nothing, while its entries are still there by their keys."""
    own.turn_empty(1)
    with session(own) as client:
        assert container(client, "/library/sections/1/all")["size"] == 0
        assert entry(client, 1)["title"] == "The Long Harbour"
        own.turn_empty(1, empty=False)
        assert len(titles(client, "/library/sections/1/all")) == 10


def test_the_big_library_is_the_same_for_the_same_seed() -> None:
    """Two servers of one seed share every key, title, file and date; their identities differ."""
    plan, told = big_library(episodes=120, films=30, seed=5), []
    for machine in ("one", "two"):
        with running_plex_server(plan, machine=machine) as plex, session(plex) as client:
            films = rows(client, "/library/sections/1/all", "includeGuids=1&sort=addedAt")
            episodes = rows(client, "/library/sections/2/all", "type=4&sort=addedAt")
            assert (len(films), len(episodes)) == (30, 120)
            told.append(
                [
                    (r["ratingKey"], r["title"], r["addedAt"], r["Media"][0]["Part"][0]["file"])
                    for r in episodes
                ]
            )
            assert client.get("/identity").json()["MediaContainer"]["machineIdentifier"] == machine
            assert any("updatedAt" not in episode for episode in episodes)
    assert told[0] == told[1]


def test_an_order_that_cannot_be_taken_says_why(own: PlexServer, tmp_path: Path) -> None:
    """A test that asks for what is not there learns it at once."""
    with pytest.raises(ValueError, match="no entry 99999"):
        own.change(99_999, title="x")
    with pytest.raises(ValueError, match="no such order"):
        own.do("dance")
    with pytest.raises(ValueError, match="no such fault"):
        own.harm("nonsense")
    with pytest.raises(ValueError, match="no such switch"):
        own.switch(nonsense=1)
