"""Where folders of two servers lie here, told and tried on the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from exstream.clock import SystemClock
from exstream.store.turns import Turns
from tests.cli.plex_home import ATTIC, TOWER, Household, household, servers, shell
from tests.cli.test_commands import Shell

__all__ = ["household", "servers", "shell"]


@pytest.fixture
def known(shell: Shell, household: Household, tmp_path: Path) -> Shell:
    """Return commands that know both servers."""
    for server, token in ((household.tower, TOWER), (household.attic, ATTIC)):
        (tmp_path / "token").write_text(token)
        assert shell("plex", "servers", "add", "--url", server.url, "--token-file", "token").code == 0
    return shell


def test_a_folder_is_mapped_per_server(known: Shell, tmp_path: Path) -> None:
    """Each server has its own mapping of one path; the longest folder counts; Windows paths are understood."""
    films = tmp_path / "films"
    films.mkdir()
    (films / "Film.mkv").write_text("film")
    unclear = known("plex", "map", "add", "/data/Movies", "films")
    assert (unclear.code, "name one with --server" in unclear.err) == (1, True)
    assert known("plex", "map", "add", "/data", "nowhere", "--server", "Tower").code == 0
    added = known("plex", "map", "add", "/data/Movies/", "films", "--server", "Tower")
    assert added.out == f"Tower: /data/Movies  ->  {films}\n"
    assert added.err == ""
    known("plex", "map", "add", "M:\\Films\\", str(films), "--server", "Attic")
    listed = json.loads(known("plex", "map", "list", "--json").out)
    assert [(each["server"], each["plex_path"]) for each in listed] == [
        ("Tower", "/data"),
        ("Tower", "/data/Movies"),
        ("Attic", "M:\\Films"),
    ]
    tried = known("plex", "map", "test", "/data/Movies/Film.mkv", "--server", "Tower")
    assert tried.code == 0
    assert tried.out == f"Tower: /data/Movies/Film.mkv is {films}/Film.mkv: can be read\n"
    windows = known("plex", "map", "test", "m:\\films\\Film.mkv", "--server", "Attic", "--json")
    assert json.loads(windows.out) == [
        {
            "server": "Attic",
            "plex_path": "m:\\films\\Film.mkv",
            "local_path": f"{films}/Film.mkv",
            "readable": True,
            "fault": "",
        }
    ]


def test_a_synchronisation_that_goes_on_is_waited_for(known: Shell, tmp_path: Path) -> None:
    """It would write where files lay before: a folder is mapped, or not any more, when it is done."""

    def beside(*words: str) -> tuple[str, int]:
        """Return what a command says, and how many mappings there were while it waited."""
        held, counted = Event(), []

        async def hold() -> None:
            turns = Turns(known.data, SystemClock())
            async with turns.taken("m-tower"):
                held.set()
                while not turns.wanted("m-tower"):
                    await asyncio.sleep(0.02)
                with closing(sqlite3.connect(known.data / "exstream.db")) as database:
                    counted.append(database.execute("select count(*) from path_mapping").fetchone()[0])

        holding = Thread(target=lambda: asyncio.run(hold()))
        holding.start()
        assert held.wait(10)
        answer = known(*words, "--server", "Tower")
        holding.join(10)
        assert answer.code == 0, answer.err
        return answer.err, counted[0]

    said, before = beside("plex", "map", "add", "/data/Movies", str(tmp_path))
    assert "another Exstream reads Tower just now: waiting until it is done" in said
    assert before == 0
    assert beside("plex", "map", "remove", "/data/Movies")[1] == 1
    assert json.loads(known("plex", "map", "list", "--json").out) == []


def test_a_folder_that_is_not_there_is_warned_of(known: Shell, tmp_path: Path) -> None:
    """The mapping is kept, as the disk may be mounted later; the warning and the test say what is missing."""
    answer = known("plex", "map", "add", "/data/Movies", "nowhere", "--server", "Tower")
    assert answer.code == 0
    assert f"warning: {tmp_path}/nowhere is not there" in answer.err
    tried = known("plex", "map", "test", "/data/Movies/a.mkv", "--server", "Tower")
    assert tried.code == 1
    assert tried.out.endswith("/nowhere/a.mkv, which is not there\n")


def test_a_path_that_nothing_leads_to_is_told(known: Shell) -> None:
    """Without a mapping, a path that is not here too says that its files come from the server."""
    answer = known("plex", "map", "test", "/data/Movies/a.mkv", "--server", "Attic")
    assert answer.code == 1
    assert "no mapping leads to it: its files come from the server" in answer.out


def test_all_folders_of_the_libraries_are_tried(known: Shell, tmp_path: Path) -> None:
    """Without a path the libraries' folders of every server are tried; exit code 2 where some can be read."""
    (tmp_path / "shows").mkdir()
    known("plex", "map", "add", "/data/TV Shows", "shows", "--server", "Tower")
    answer = known("plex", "map", "test", "--json")
    assert answer.code == 2
    readable = [(each["server"], each["plex_path"]) for each in json.loads(answer.out) if each["readable"]]
    assert readable == [("Tower", "/data/TV Shows")]
    assert len(json.loads(answer.out)) == 10


def test_a_mapping_is_forgotten(known: Shell) -> None:
    """A mapping goes without touching files; one that two servers have needs the server's name."""
    for server in ("Tower", "Attic"):
        known("plex", "map", "add", "/data", "/tmp", "--server", server)
    unclear = known("plex", "map", "remove", "/data")
    assert (unclear.code, "Tower, Attic" in unclear.err) == (1, True)
    gone = known("plex", "map", "remove", "/data/", "--server", "Tower")
    assert gone.out == "/data of Tower is not mapped any more; the files in /tmp stay\n"
    assert [each["server"] for each in json.loads(known("plex", "map", "list", "--json").out)] == ["Attic"]
    assert known("plex", "map", "remove", "/other").code == 1
    assert known("plex", "map", "add", "Movies", "/tmp", "--server", "Tower").code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(known: Shell, tmp_path: Path) -> None:
    """A file without the right to read it is there, but of no use."""
    secret = tmp_path / "secret.mkv"
    secret.write_text("film")
    secret.chmod(0)
    known("plex", "map", "add", "/data", str(tmp_path), "--server", "Tower")
    answer = known("plex", "map", "test", "/data/secret.mkv", "--server", "Tower")
    assert (answer.code, "may not be read by this user" in answer.out) == (1, True)
