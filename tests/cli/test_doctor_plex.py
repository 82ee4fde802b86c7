"""The doctor on media servers: what it tells of each, and what it puts right."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exstream.clock import SystemClock
from exstream.store.turns import Turns
from load.plex_server import MediaFile, PlexServer, running_plex_server, small_library
from tests.cli.plex_home import TOWER, Household, household, leaks, servers, shell
from tests.cli.test_commands import Answer, Shell
from tests.cli.test_sync import both

__all__ = ["both", "household", "servers", "shell"]


def _plex(answer: Answer) -> list[dict[str, Any]]:
    return [check for check in json.loads(answer.out) if check["name"] == "plex"]


def test_each_server_is_asked(both: Shell) -> None:
    """Each answers with its version and libraries; its items are counted by where they play from, one has no file."""
    both("sync-all")
    checks = _plex(both("doctor", "--json"))
    assert [check["state"] for check in checks] == ["ok", "warn"] * 2
    assert "Tower answers at http" in checks[0]["text"]
    assert "4 libraries" in checks[0]["text"]
    assert (
        "of 37 items 0 play from a disk of this machine, 36 through Plex, 1 from nowhere" in checks[1]["text"]
    )
    assert leaks(both.data, json.dumps(checks)) == []


def test_servers_that_are_not_well(both: Shell, household: Household) -> None:
    """A server that is down, and one that refuses its token, each have a line that says what to do."""
    household.attic.stop_listening()
    household.tower.refuse(TOWER)
    try:
        tower, _, attic, _ = _plex(both("doctor", "--json"))
    finally:
        household.tower.allow(TOWER)
        household.attic.listen_again()
    assert (tower["state"], tower["unreachable"]) == ("fail", False)
    assert "exstream plex login" in tower["remedy"]
    assert (attic["state"], attic["unreachable"]) == ("fail", True)
    assert "Attic" in attic["text"]


def test_nothing_to_repair(both: Shell) -> None:
    """A sound catalogue is left alone: no backup is made, and before there is any nothing is made at all."""
    both("sync-all")
    answer = both("doctor", "--fix", "--json")
    told = json.loads(answer.out)
    assert (answer.code, told["backup"]) == (0, None)
    assert {told["counts"][kind] for kind in ("missing library links", "duplicate rows")} == {0}
    assert not (both.data / "backups").exists()
    assert both("doctor", "--dry-run").code == 1


def test_missing_library_links(both: Shell) -> None:
    """Items whose library is gone go back to the one that holds their file; what has no home is dropped.

    A rehearsal changes nothing; before the repair the database is copied, and a running server hears of it.
    """
    both("sync-all")
    file = both.data / "exstream.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("UPDATE item SET library_id = 999 WHERE server_id = 'm-tower' AND kind = 'episode'")
        stray = "UPDATE item SET library_id = 998, plex_path = '/nowhere/x.mkv' WHERE title = 'Seen'"
        database.execute(stray + " AND server_id = 'm-attic'")
        database.execute("UPDATE show SET library_id = 999 WHERE server_id = 'm-attic'")
    before = _rows(file)
    rehearsal = both("doctor", "--fix", "--dry-run", "--json")
    told = json.loads(rehearsal.out)
    assert (told["relinked"], len(told["dropped"]), told["dry_run"], told["backup"]) == (19, 1, True, None)
    assert _rows(file) == before
    mark = Turns(both.data, SystemClock()).marked()
    answer = both("doctor", "--fix")
    assert answer.code == 0, answer.err
    assert "19 items put back into the library" in answer.out
    (backup,) = (both.data / "backups").iterdir()
    assert str(backup) in answer.out
    assert _rows(backup) == before
    assert Turns(both.data, SystemClock()).marked() != mark
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        names = "SELECT DISTINCT l.name FROM item i JOIN library l ON l.id = i.library_id WHERE i.kind = 'episode'"
        assert database.execute(names).fetchall() == [("TV Shows",)]
    again = json.loads(both("doctor", "--fix", "--json").out)
    assert again["counts"]["missing library links"] == 0
    both("sync-all", "--deep")
    assert len(_rows(file)) == len(before)
    assert leaks(both.data, rehearsal.out, answer.out, answer.err) == []


def _rows(file: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as database:
        query = "SELECT server_id, rating_key, library_id, title FROM item ORDER BY server_id, rating_key"
        return database.execute(query).fetchall()


def test_an_item_that_came_back_under_another_key(both: Shell, household: Household) -> None:
    """The row of the old key goes; two episodes in one file are no duplicates, nor is what another server has."""
    server = household.tower
    film = server.find("Seen", "movie")
    part = film["parts"][0]
    both("sync-all")
    server.remove(film["key"])
    again = server.add(
        "movie",
        "Seen",
        section=film["section"],
        year=2001,
        versions=[{"parts": [{"file": part["file"], "size": 5, "duration": 1_000}]}],
    )
    both("sync-all", "--plex-url", server.url)
    rehearsal = json.loads(both("doctor", "--fix", "--dry-run", "--json").out)
    assert rehearsal["duplicates"] == [
        {"dropped": f"m-tower:{film['key']}", "kept": f"m-tower:{again}"},
    ]
    answer = both("doctor", "--fix", "--json")
    assert json.loads(answer.out)["counts"]["duplicate rows"] == 1
    keys = {(row[0], row[1]) for row in _rows(both.data / "exstream.db")}
    assert ("m-tower", str(film["key"])) not in keys
    assert {("m-tower", str(again)), ("m-attic", str(film["key"]))} <= keys


@pytest.fixture
def mounted(tmp_path: Path, shell: Shell) -> tuple[Path, PlexServer, Any]:
    """Return a folder whose server calls it otherwise, that server, and what stops it."""
    folder = tmp_path / "share" / "films"
    folder.mkdir(parents=True)
    for number in range(30):
        (folder / f"Film {number} (2001).mkv").write_bytes(bytes(100 + number))
    files = [MediaFile(f"Film {number} (2001).mkv", 60_000, f"Film {number}") for number in range(30)]
    running = running_plex_server(
        small_library(folder, files, root="/volume9/video/films"), machine="m-nas", name="Nas"
    )
    server = running.__enter__()
    Path("token").write_text(server.token)
    assert shell("plex", "servers", "add", "--url", server.url, "--token-file", "token").code == 0
    assert shell("sync-all").code == 0
    return folder, server, running


def test_a_mapping_is_found_where_all_samples_are(
    shell: Shell, mounted: tuple[Path, PlexServer, Any]
) -> None:
    """A folder is mapped where every sampled file lies there, as long as it should be, and not for less."""
    folder, _, running = mounted
    try:
        beside = folder.parent / "other"
        beside.mkdir()
        shell("library", "add", str(beside))
        missing = folder / "Film 7 (2001).mkv"
        missing.write_bytes(b"another film")
        first = json.loads(shell("doctor", "--fix", "--json").out)
        (unsure,) = first["unmapped"]
        assert (unsure["items"], unsure["local_path"]) == (30, None)
        missing.write_bytes(bytes(107))
        rehearsal = shell("doctor", "--fix", "--dry-run")
        assert f"/volume9/video/films would be mapped to {folder} (30 items)" in rehearsal.out
        assert json.loads(shell("plex", "map", "list", "--json").out) == []
        applied = json.loads(shell("doctor", "--fix", "--json").out)
        assert applied["unmapped"][0]["local_path"] == str(folder)
        (mapping,) = json.loads(shell("plex", "map", "list", "--json").out)
        assert (mapping["plex_path"], mapping["local_path"]) == ("/volume9/video/films", str(folder))
        assert "of 30 items 30 play from a disk" in _plex(shell("doctor", "--json"))[1]["text"]
        missing.unlink()
        unreadable = shell("doctor", "--fix", "--json")
        assert (unreadable.code, json.loads(unreadable.out)["unreadable"]) == (2, [str(missing)])
    finally:
        running.__exit__(None, None, None)
