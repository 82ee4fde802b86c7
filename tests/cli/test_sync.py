"""Synchronising by hand: every option and every exit code, against two servers whose rating keys are equal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from exstream.clock import SystemClock
from exstream.store.turns import Turns
from load.plex_server import running_plex_server
from tests.cli.plex_home import ATTIC, TOWER, Household, household, leaks, servers, shell
from tests.cli.test_commands import Shell

__all__ = ["household", "servers", "shell"]

TOTAL = 37
"""How many films, episodes, videos and tracks each of the household's servers has."""


@pytest.fixture
def both(shell: Shell, household: Household) -> Shell:
    """Return commands that know both servers."""
    for server, token in ((household.tower, TOWER), (household.attic, ATTIC)):
        Path("token").write_text(token)
        added = shell("plex", "servers", "add", "--url", server.url, "--token-file", "token")
        assert added.code == 0, added.err
    return shell


def _told(text: str) -> dict[str, Any]:
    return {each["server"]: each for each in json.loads(text)}


def test_the_second_run_skips_everything(both: Shell) -> None:
    """The first run adds all of both servers with a line for each item, the second writes and says nothing."""
    first = both("sync-all", "--json")
    told = _told(first.out)
    assert first.code == 0, first.err
    assert {name: each["added"] for name, each in told.items()} == {"Tower": TOTAL, "Attic": TOTAL}
    assert all(each["requests"] and each["writes"] and each["seconds"] for each in told.values())
    assert first.err.count("Added movie: Seen\n") == 2
    assert "TV Shows (2/4)\n" in first.err
    second = both("sync-all")
    assert second.code == 0
    assert "Added" not in second.err
    assert "Updated" not in second.err
    figures = dict(line.rsplit(None, 1) for line in second.out.splitlines() if line.startswith("  "))
    assert figures["  total"] == figures["  skipped"] == str(TOTAL)
    assert {figures[f"  {name}"] for name in ("processed", "added", "database writes")} == {"0"}
    assert int(figures["  requests"]) > 0
    assert leaks(both.data, first.out, first.err, second.out, second.err) == []


def test_a_rehearsal_writes_nothing(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--dry-run tells what would be added by a server of the settings, and leaves not even a database."""
    monkeypatch.setenv("PLEX_BASE_URL", household.tower.url)
    monkeypatch.setenv("PLEX_TOKEN", TOWER)
    answer = shell("sync-all", "--dry-run")
    assert answer.code == 0, answer.err
    assert "Tower (dry run: nothing was written)" in answer.out
    assert "Added movie: Seen" in answer.err
    assert not list(shell.data.glob("*.db"))
    assert json.loads(shell("plex", "servers", "list", "--json").out) == []


def test_only_one_library_of_one_server(both: Shell, household: Household) -> None:
    """--plex-url and --plex-section choose; the other server is not asked at all."""
    household.attic.reset_counts()
    answer = both("sync-all", "--plex-url", household.tower.url, "--plex-section", "TV Shows", "--json")
    (only,) = json.loads(answer.out)
    assert (answer.code, only["server"], only["added"]) == (0, "Tower", 19)
    assert household.attic.counts()["kinds"]["all"]["requests"] == 0
    nowhere = both("sync-all", "--plex-section", "Cartoons")
    assert (nowhere.code, nowhere.out) == (1, "")
    assert "Attic has no library Cartoons" in nowhere.err
    assert both("sync-all", "--page-size", "0").code == 1


def test_a_database_and_a_token_of_the_command_line(
    shell: Shell, household: Household, tmp_path: Path
) -> None:
    """--db-path names another file; --plex-token is taken with a warning; a page has as many items as is said."""
    file = tmp_path / "aside" / "plex.db"
    household.tower.reset_counts()
    options = ("--plex-url", household.tower.url, "--plex-token", TOWER, "--page-size", "7", "--json")
    answer = shell("sync-all", "--db-path", str(file), *options)
    assert answer.code == 0, answer.err
    assert file.exists()
    assert "can be read by everyone on this machine" in answer.err
    assert not (shell.data / "exstream.db").exists()
    listings = [each for each in household.tower.asked() if each["path"].endswith("/all")]
    assert max(_page(each) for each in listings) == 7
    assert leaks(tmp_path, answer.out, answer.err) == []


def _page(asked: Any) -> int:
    headers = {name.lower(): value for name, value in dict(asked["headers"]).items()}
    return int(headers.get("x-plex-container-size") or 0)


def test_one_title(both: Shell) -> None:
    """Capitals aside, all shows of a title, or with a year the one of that year; an unknown title is told as such."""
    one = both("sync", "--title", "battlestar galactica", "--year", "1978", "--json")
    assert one.code == 0, one.err
    assert {name: each["added"] for name, each in _told(one.out).items()} == {"Tower": 3, "Attic": 3}
    all_of_them = _told(both("sync", "--title", "Battlestar Galactica", "--json").out)
    assert (all_of_them["Tower"]["total"], all_of_them["Tower"]["skipped"]) == (14, 3)
    nothing = both("sync", "--title", "Nobody", "--year", "1999")
    assert (nothing.code, nothing.out) == (1, "")
    assert "Tower has nothing called Nobody (1999)" in nothing.err


def test_what_changed_is_told(both: Shell, household: Household) -> None:
    """A new title, an edited one and one that is gone have a line each; nothing else has; --deep finds no more."""
    server = household.tower
    both("sync-all", "--plex-url", server.url)
    film = server.find("Seen", "movie")
    added = server.add("movie", "Brand New", section=film["section"], year=2024)
    server.change(film["key"], title="Seen Again")
    try:
        changed = both("sync-all", "--plex-url", server.url)
        assert changed.code == 0, changed.err
        lines = [
            each for each in changed.err.splitlines() if each.startswith(("Added", "Updated", "Removed"))
        ]
        assert sorted(lines) == ["Added movie: Brand New", "Updated movie: Seen Again"]
        deep = both("sync-all", "--plex-url", server.url, "--deep", "--json")
        (told,) = json.loads(deep.out)
        assert (told["processed"], told["skipped"], told["updated"]) == (TOTAL + 1, 0, 0)
    finally:
        server.remove(added)
        server.change(film["key"], title="Seen")
    gone = both("sync-all", "--plex-url", server.url)
    assert "Removed movie: Brand New" in gone.err


def test_one_server_is_down(both: Shell, household: Household) -> None:
    """The other is read and the exit code is 2; where none answers it is 3; what is known stays."""
    both("sync-all")
    household.attic.stop_listening()
    try:
        partial = both("sync-all", "--json")
        told = _told(partial.out)
        assert partial.code == 2
        assert (told["Tower"]["fault"], told["Tower"]["skipped"]) == (None, TOTAL)
        assert "Attic" in partial.err
        none = both("sync-all", "--plex-url", household.attic.url)
        assert none.code == 3
    finally:
        household.attic.listen_again()
    assert _told(both("sync-all", "--json").out)["Attic"]["skipped"] == TOTAL


def test_a_token_that_counts_no_more(both: Shell, household: Household) -> None:
    """The command ends with 1 and says how to sign in; nothing is removed, and the server is asked once."""
    both("sync-all")
    household.tower.refuse(TOWER)
    try:
        household.tower.reset_counts()
        answer = both("sync-all", "--plex-url", household.tower.url)
        assert answer.code == 1
        assert "`exstream plex login`" in answer.err
        refused = [each for each in household.tower.asked() if each["status"] == 401]
        assert len(refused) == 1
    finally:
        household.tower.allow(TOWER)
    assert _told(both("sync-all", "--json").out)["Tower"]["skipped"] == TOTAL


def test_nothing_to_synchronise(shell: Shell) -> None:
    """Without a server, and with a token for none, the sentence says what to do."""
    assert shell("sync-all").code == 1
    answer = shell("sync-all", "--plex-token", "abcdefgh")
    assert answer.code == 1
    assert "--plex-url" in answer.err
    assert "abcdefgh" not in answer.err


def test_debug_lines(both: Shell, household: Household) -> None:
    """--debug tells the format of every answer and both instants of every item, and no token."""
    answer = both("sync-all", "--plex-url", household.tower.url, "--debug")
    assert "format=json" in answer.err
    assert "vs None" in answer.err
    again = both("sync-all", "--plex-url", household.tower.url, "--debug", "--deep")
    stamps = [line for line in again.err.splitlines() if "stamps=" in line and "vs None" not in line]
    assert stamps
    assert leaks(both.data, answer.err, again.err) == []


def test_an_orphan_names_its_server(both: Shell, household: Household) -> None:
    """What is gone from one server is told with that server, and stays on the other, which has the same keys."""
    server = household.tower
    section = server.find("Seen", "movie")["section"]
    key = server.add("movie", "Short Visit", section=section, year=2024)
    both("sync-all")
    server.remove(key)
    answer = both("sync-all", "--debug", "--json")
    (line,) = [each for each in answer.err.splitlines() if "not on its server any more" in each]
    assert "server=Tower" in line
    assert "server_id=m-tower" in line
    assert {name: each["removed"] for name, each in _told(answer.out).items()} == {"Tower": 1, "Attic": 0}


def test_two_programs_take_turns(both: Shell, household: Household) -> None:
    """Who synchronises while another does says so, waits, and goes on when that one is done."""
    held = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(both.data)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert held.stdout is not None
    assert held.stdin is not None
    with held:
        held.stdout.readline()
        waiting = subprocess.Popen(
            [sys.executable, "-m", "exstream", "sync-all", "--plex-url", household.tower.url],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        with waiting:
            assert waiting.stderr is not None
            line = waiting.stderr.readline()
            assert "another Exstream reads Tower just now: waiting" in line
            assert waiting.poll() is None
            held.stdin.close()
            assert "Added" in waiting.stderr.read()
        assert waiting.returncode == 0
    assert held.returncode == 0


_HOLDER = """
import asyncio, sys
from pathlib import Path
from exstream.clock import SystemClock
from exstream.store.turns import Turns

async def hold():
    async with Turns(Path(sys.argv[1]), SystemClock()).taken("m-tower"):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold())
"""


def test_a_change_is_marked_for_the_server_that_runs(both: Shell) -> None:
    """The mark is another one after each synchronisation, and the same after a rehearsal."""
    turns = Turns(both.data, SystemClock())
    before = turns.marked()
    both("sync-all")
    after = turns.marked()
    assert after != before
    both("sync-all", "--dry-run")
    assert turns.marked() == after


def test_stopped_and_begun_again(shell: Shell, tmp_path: Path) -> None:
    """Ctrl-C in the middle says that the next run goes on; that one adds the rest and no item twice."""
    from load.plex_server import big_library

    with running_plex_server(big_library(400, 0), machine="m-slow", name="Slow") as server:
        slow = server.harm("delay", "/library/sections/", seconds=0.3)
        environment = {**os.environ, "PLEX_BASE_URL": server.url, "PLEX_TOKEN": server.token}
        order = [sys.executable, "-m", "exstream", "sync-all", "--page-size", "50"]
        stopped = subprocess.Popen(order, stderr=subprocess.PIPE, text=True, env=environment)
        with stopped:
            assert stopped.stderr is not None
            for line in stopped.stderr:
                if line.startswith("Added"):
                    break
            stopped.send_signal(signal.SIGINT)
            rest = stopped.stderr.read()
        assert stopped.returncode == 130
        assert "the next synchronisation goes on from here" in rest
        assert "Traceback" not in rest
        server.heal(slow)
        again = subprocess.run(
            [*order, "--json"], capture_output=True, text=True, env=environment, check=True
        )
    (told,) = json.loads(again.stdout)
    assert 0 < told["added"] < 400
    assert told["faults"] == []


def test_two_bars_on_a_terminal(both: Shell, household: Household) -> None:
    """A terminal shows the library above the item, with counts; changes stand above both and nothing is left over."""
    household.tower.harm("delay", "/library/sections/", seconds=0.25)
    try:
        shown, code = _on_a_terminal("sync-all", "--plex-url", household.tower.url)
    finally:
        household.tower.heal()
    assert code == 0
    assert "TV Shows (2/4)" in shown
    assert " / The 2 of March (2/2)" in shown
    assert "Seen (10/10)" in shown
    assert "━" in shown
    assert "Added movie: Seen" in shown
    assert "  total " in shown.rsplit("━", 1)[1]


def _on_a_terminal(*arguments: str) -> tuple[str, int]:
    """Run a command on a terminal of its own; return what it wrote there, and its exit code."""
    pid, end = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
        os.execve(sys.executable, [sys.executable, "-m", "exstream", *arguments], environment)
    written = bytearray()
    while True:
        try:
            data = os.read(end, 65_536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        written += data
    os.close(end)
    _, status = os.waitpid(pid, 0)
    return written.decode(errors="replace"), os.waitstatus_to_exitcode(status)
