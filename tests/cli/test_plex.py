"""Signing in to an account, and its servers, against real sockets: two servers share every rating key."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.plex_home import (
    ACCOUNT,
    ATTIC,
    CANARIES,
    FRIEND,
    TOWER,
    Browser,
    Household,
    browser,
    household,
    leaks,
    servers,
    shell,
)
from tests.cli.test_commands import Shell

LIBRARIES = "Plex 1.43.3.10861-07dfddaeb; libraries: Movies, TV Shows, Home Videos, Music"

__all__ = ["browser", "household", "servers", "shell"]


def test_a_sign_in_adds_the_servers_of_the_account(
    shell: Shell, household: Household, browser: Browser
) -> None:
    """One's own servers are added, each at the address that leads to it; one of a friend waits to be asked for."""
    answer = shell("plex", "login")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        "Signed in as owner.",
        f"Attic: added, {household.attic.url}, {LIBRARIES}",
        f"Tower: added, {household.tower.url}, {LIBRARIES}",
        "Far away: not added: it is shared by bob: add it with --server 'Far away'",
    ]
    assert browser.opened[0] in answer.err
    assert "strongcode" in answer.err
    assert leaks(shell.data, answer.out, answer.err, *browser.opened) == []


def test_each_server_is_shown_its_own_token_and_no_other(
    shell: Shell, household: Household, browser: Browser
) -> None:
    """Each server gets the token that plex.tv lists for it, the account's goes to plex.tv alone, all in headers."""
    household.tower.reset_counts()
    household.attic.reset_counts()
    shell("plex", "login")
    for server, own in ((household.tower, {TOWER, ACCOUNT}), (household.attic, {ATTIC})):
        asked = server.asked()
        headers = json.dumps([each["headers"] for each in asked])
        assert {each for each in CANARIES if each in headers} <= own
        assert all(each not in json.dumps([[e["path"], e["query"]] for e in asked]) for each in CANARIES)


def test_a_sign_in_can_be_told_to_a_script(shell: Shell, household: Household, browser: Browser) -> None:
    """--json says what became of each server; only the chosen one is added; standard output holds nothing else."""
    answer = shell("plex", "login", "--server", "tower", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)
    assert told["account"] == "owner"
    added = {each["name"]: (each["added"], each["reason"]) for each in told["servers"]}
    assert added == {
        "Attic": (False, "it was not asked for"),
        "Tower": (True, ""),
        "Far away": (False, "it is shared by bob: add it with --server 'Far away'"),
    }
    assert leaks(shell.data, answer.out, answer.err) == []


def test_a_server_that_does_not_answer_is_named(shell: Shell, household: Household, browser: Browser) -> None:
    """Exit code 2 where some were added, 3 where none answers, 1 for a name that the account does not have."""
    partly = shell("plex", "login", "--server", "Tower", "--server", "m-friend")
    assert partly.code == 2
    assert "Far away: not added: the server does not answer at any of its addresses:" in partly.out
    assert "http://127.0.0.1:9 cannot be reached" in partly.out
    assert shell("plex", "login", "--server", "Far away").code == 3
    unknown = shell("plex", "login", "--server", "Cellar")
    assert unknown.code == 1
    assert "its servers are Attic, Tower, Far away" in unknown.err


def test_a_server_that_refuses_its_token_is_not_added(
    shell: Shell, household: Household, browser: Browser
) -> None:
    """A token that its server does not accept is told, and nothing of the server is kept."""
    household.attic.refuse(ATTIC)
    try:
        answer = shell("plex", "login", "--server", "Attic")
    finally:
        household.attic.allow(ATTIC)
    assert answer.code == 1
    assert "Attic: not added" in answer.out
    assert json.loads(shell("plex", "servers", "list", "--json").out) == []
    assert leaks(shell.data, answer.out, answer.err) == []


def test_a_code_that_nobody_confirms_expires(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a browser only the address is shown; when the code has expired the command says how to go on."""
    monkeypatch.setattr("webbrowser.open", lambda _: pytest.fail("a browser was opened"))
    monkeypatch.setattr(
        "exstream.cli.plex._show", lambda pin, *, browser: household.tower.expire(pin.code), raising=True
    )
    answer = shell("plex", "login", "--no-browser")
    assert answer.code == 1
    assert answer.err == (
        "exstream: nobody has signed in while the code was good: run the command again for a new one\n"
    )


def test_plex_tv_in_haste_is_waited_for(shell: Shell, household: Household, browser: Browser) -> None:
    """A refusal of the first request is told with what to do, and exit code 3: plex.tv is busy."""
    household.tower.set_plex_tv(limited=1)
    answer = shell("plex", "login")
    assert answer.code == 3
    assert "try again in a few minutes" in answer.err


def test_a_second_sign_in_changes_what_is_known(shell: Shell, household: Household, browser: Browser) -> None:
    """A new token takes the old one's place; name and address that the user chose stay; nothing is doubled."""
    (shell.data.parent / "token").write_text(TOWER)
    added = shell(
        "plex", "servers", "add", "--url", household.tower.url, "--name", "Mine", "--token-file", "token"
    )
    assert added.code == 0, added.err
    again = shell("plex", "login", "--server", "Tower", "--json")
    assert again.code == 0
    (listed,) = json.loads(shell("plex", "servers", "list", "--json").out)
    assert (listed["name"], listed["url"], listed["signed_in"]) == ("Mine", household.tower.url, True)


def test_servers_with_the_same_rating_keys_stay_apart(
    shell: Shell, household: Household, browser: Browser
) -> None:
    """Libraries of one name on two servers are told apart by the server; switching one leaves the other."""
    shell("plex", "login")
    unclear = shell("plex", "libraries", "disable", "Movies")
    assert unclear.code == 1
    assert "name the server with --server: Attic, Tower" in unclear.err
    done = shell("plex", "libraries", "disable", "movies", "2", "--server", "Attic", "--json")
    assert [(each["name"], each["enabled"]) for each in json.loads(done.out)] == [
        ("Movies", False),
        ("TV Shows", False),
    ]
    listed = json.loads(shell("plex", "libraries", "list", "--json").out)
    assert {(each["server"], each["name"]) for each in listed if not each["enabled"]} == {
        ("Attic", "Movies"),
        ("Attic", "TV Shows"),
    }
    assert len(listed) == 8
    shell("plex", "libraries", "enable", "Movies", "--server", "Attic")
    plain = shell("plex", "libraries", "list", "--server", "m-attic").out
    assert "Movies       movie   on   Attic: /data/Movies, M:\\Films" in plain
    assert "TV Shows     show    off  Attic: /data/TV Shows" in plain
    assert shell("plex", "libraries", "enable", "Radio").code == 1


def test_a_server_is_forgotten_by_name_identifier_or_address(
    shell: Shell, household: Household, browser: Browser
) -> None:
    """--dry-run changes nothing; the other server and its libraries stay; an unknown name lists the known ones."""
    shell("plex", "login")
    assert "would be forgotten" in shell("plex", "servers", "remove", "attic", "--dry-run").out
    assert shell("plex", "servers", "remove", household.attic.url + "/").code == 0
    (left,) = json.loads(shell("plex", "servers", "list", "--json").out)
    assert (left["id"], left["libraries"], left["enabled"]) == ("m-tower", 4, 4)
    unknown = shell("plex", "servers", "remove", "attic")
    assert (unknown.code, unknown.err) == (1, "exstream: attic is no server: the servers are Tower\n")


def test_before_anything_is_known_commands_say_how_to_begin(shell: Shell) -> None:
    """Lists are empty and make no database; what needs a server says how to add one."""
    for command in (("servers", "list"), ("libraries", "list")):
        answer = shell("plex", *command)
        assert answer.code == 0
        assert "exstream plex login" in answer.out
        assert shell("plex", *command, "--json").out == "[]\n"
    for words in ("servers remove x", "libraries enable x", "map add /a /b", "map test"):
        answer = shell("plex", *words.split())
        assert answer.code == 1
        assert "exstream plex login" in answer.err
    assert not (shell.data / "exstream.db").exists()


def test_no_token_is_anywhere_it_could_be_read(
    shell: Shell, household: Household, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens are in no output, no file of the data directory, no dump of the database, and no log of a crash."""
    told = [shell("plex", "login")]
    told += [
        shell(*words.split())
        for words in (
            "plex servers list --json",
            "plex servers list",
            "plex libraries list --json",
            "plex map test",
            "config show --json",
        )
    ]
    with sqlite3.connect(shell.data / "exstream.db") as database:
        rows = database.execute("SELECT id, length(token) FROM server ORDER BY id").fetchall()
        dump = "\n".join(database.iterdump())
    database.close()
    assert [(name, size > 0) for name, size in rows] == [("m-attic", True), ("m-tower", True)]

    async def fails(*arguments: object) -> None:
        raise RuntimeError(f"a fault that quotes X-Plex-Token: {TOWER} and {arguments}")

    monkeypatch.setattr("exstream.cli.plex.asked", fails)
    with pytest.raises(RuntimeError) as crash:
        shell("plex", "login")
    sys.excepthook(crash.type, crash.value, crash.tb)
    outputs = [text for answer in told for text in (answer.out, answer.err)]
    assert leaks(shell.data, dump, *outputs) == []
    assert (shell.data / "logs" / "exstream.log").read_text()
    key = shell.data / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert FRIEND not in dump


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc to look into")
def test_no_process_is_started_with_a_token(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command with its token in the environment shows it in no command line, its own and its children's."""
    held = household.tower.harm("delay", "/library/sections", seconds=2.0)
    environment = {**os.environ, "PLEX_TOKEN": TOWER}
    command = [sys.executable, "-m", "exstream", "plex", "servers", "add", "--url", household.tower.url]
    seen = ""
    try:
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            while process.poll() is None and household.tower.hits(held) == 0:
                time.sleep(0.05)
            seen = "".join(
                path.read_bytes().decode("utf-8", "replace")
                for path in Path("/proc").glob("[0-9]*/cmdline")
                if path.exists()
            )
            out, err = process.communicate(timeout=30)
    finally:
        household.tower.heal(held)
    assert process.returncode == 0, err
    assert household.tower.url in seen
    assert TOWER not in seen
    assert leaks(shell.data, out.decode(), err.decode()) == []
