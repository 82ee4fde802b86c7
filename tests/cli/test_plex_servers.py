"""A server added by its address: every place that a token may come from, and what is refused."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from exstream.cli.plex_access import asker, kept_servers
from exstream.config import load
from exstream.errors import ConfigurationError
from exstream.plex.adoption import adopt
from tests.cli.plex_home import ATTIC, TOWER, Household, household, leaks, servers, shell
from tests.cli.test_commands import Answer, Shell

__all__ = ["household", "servers", "shell"]


def _add(shell: Shell, server: str, *more: str) -> Answer:
    return shell("plex", "servers", "add", "--url", server, *more)


def _tokens(shell: Shell) -> list[tuple[str, str, str]]:
    """Return what is kept, as the server would read it."""
    import asyncio

    async def read() -> list[tuple[str, str, str]]:
        async with kept_servers(load().settings) as store:
            return [(each.name, each.url, each.token) for each in await store.servers()]

    return asyncio.run(read())


def test_a_token_comes_from_a_file(shell: Shell, household: Household, tmp_path: Path) -> None:
    """The file holds the token and perhaps a line end; the server tells its own name; --dry-run keeps nothing."""
    (tmp_path / "token").write_text(f"{TOWER}\n")
    foreseen = _add(shell, household.tower.url, "--token-file", "token", "--dry-run")
    assert (foreseen.code, _tokens(shell)) == (0, [])
    assert "Tower would be added" in foreseen.out
    answer = _add(shell, f"{household.tower.url}/", "--token-file", "token", "--json")
    told = json.loads(answer.out)
    assert (told["name"], told["id"], told["libraries"][0]) == ("Tower", "m-tower", "Movies")
    assert _tokens(shell) == [("Tower", household.tower.url, TOWER)]
    assert leaks(shell.data, answer.out, answer.err, foreseen.out, foreseen.err) == []


def test_a_token_comes_from_the_environment(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PLEX_BASE_URL and PLEX_TOKEN are all that is needed; a new token takes the place of the old one."""
    monkeypatch.setenv("PLEX_BASE_URL", household.attic.url)
    monkeypatch.setenv("PLEX_TOKEN", ATTIC)
    answer = shell("plex", "servers", "add", "--name", "Upstairs")
    assert answer.code == 0, answer.err
    assert _tokens(shell) == [("Upstairs", household.attic.url, ATTIC)]
    household.attic.allow("canary-newer")
    monkeypatch.setenv("PLEX_TOKEN", "canary-newer")
    assert shell("plex", "servers", "add").code == 0
    assert _tokens(shell) == [("Upstairs", household.attic.url, "canary-newer")]
    assert leaks(shell.data, answer.out, answer.err) == []


def test_a_token_of_the_settings_is_for_their_server_only(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server than the one that PLEX_BASE_URL names is never shown PLEX_TOKEN."""
    monkeypatch.setenv("PLEX_BASE_URL", household.tower.url)
    monkeypatch.setenv("PLEX_TOKEN", TOWER)
    household.attic.reset_counts()
    assert _add(shell, household.attic.url).code == 1
    assert TOWER not in json.dumps(household.attic.asked())
    assert _add(shell, household.tower.url).code == 0


def test_a_token_on_the_command_line_is_warned_of(shell: Shell, household: Household) -> None:
    """--plex-url and --plex-token work as scripts know them, with a warning that does not repeat the token."""
    answer = shell("plex", "servers", "add", "--plex-url", household.tower.url, "--plex-token", TOWER)
    assert answer.code == 0
    assert "warning: a token on the command line can be read by everyone on this machine" in answer.err
    assert leaks(shell.data, answer.out, answer.err) == []


def _preferences(folder: Path, token: str, machine: str) -> Path:
    path = folder / "Plex Media Server" / "Preferences.xml"
    path.parent.mkdir(parents=True)
    path.write_text(f'<Preferences PlexOnlineToken="{token}" ProcessedMachineIdentifier="{machine}"/>')
    return path


def test_a_token_comes_from_the_preferences_of_a_server(
    shell: Shell, household: Household, tmp_path: Path
) -> None:
    """--from names Preferences.xml, or an export of the registry in UTF-16."""
    answer = _add(shell, household.tower.url, "--from", str(_preferences(tmp_path, TOWER, "m-tower")))
    assert answer.code == 0, answer.err
    export = tmp_path / "plex.reg"
    export.write_text(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Plex, Inc.\\Plex Media Server]\r\n"
        f'"PlexOnlineToken"="{ATTIC}"\r\n',
        "utf-16",
    )
    assert _add(shell, household.attic.url, "--from", "plex.reg").code == 0
    assert [token for _, _, token in _tokens(shell)] == [TOWER, ATTIC]


def test_a_token_on_this_machine_is_found(
    shell: Shell, household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server on this machine keeps is found by itself, and shown to that very server only."""
    path = _preferences(tmp_path / "support", TOWER, "m-tower")
    monkeypatch.setenv("PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR", str(tmp_path / "support"))
    found = _add(shell, household.tower.url)
    assert found.code == 0, found.err
    assert f"exstream: taking the token of {path}" in found.err
    household.attic.reset_counts()
    other = _add(shell, household.attic.url)
    assert other.code == 1
    assert TOWER not in json.dumps(household.attic.asked())
    assert leaks(shell.data, found.out, found.err, other.out, other.err) == []


def test_without_a_token_the_three_ways_are_told(
    shell: Shell, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script is told three ways to a token, and to keep it secret; a person is asked, and nobody sees the answer."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    answer = _add(shell, household.tower.url)
    assert answer.code == 1
    for word in (
        "X-Plex-Token",
        "F12",
        "localStorage.getItem('myPlexAccessToken')",
        "Preferences.xml",
        "PLEX_TOKEN",
        "show it to nobody",
    ):
        assert word in answer.err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f" {TOWER} ")
    typed = _add(shell, household.tower.url)
    assert typed.code == 0
    assert leaks(shell.data, typed.out, typed.err) == []


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--token-file", "wrong"), 1, "does not accept the token"),
        (("--token-file", "none"), 1, "there is no file none"),
        (("--token-file", "words"), 1, "this is no token of Plex"),
        (("--token-file", "wrong", "--plex-token", "x"), 1, "give one of them"),
        (("--from", "words"), 1, "words cannot be used"),
        (("--from", "none"), 1, "there is no file none"),
        (("--token-file", "wrong", "--url", "tower:32400"), 1, "write it as http://192.168.1.5:32400"),
        (
            ("--token-file", "wrong", "--url", "http://h/?X-Plex-Token=canary-x"),
            1,
            "more than the address of h",
        ),
        (("--token-file", "wrong", "--url", "http://127.0.0.1:9"), 3, "cannot be reached"),
    ],
)
def test_what_cannot_be_used_is_refused(
    shell: Shell, household: Household, tmp_path: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    """Wrong tokens, files, addresses and servers that are off are told apart, without a token in the message."""
    (tmp_path / "wrong").write_text("canary-wrong-token")
    (tmp_path / "words").write_text("canary two words")
    answer = _add(shell, household.tower.url, *arguments)
    assert answer.code == code
    assert told in answer.err
    assert "canary" not in answer.out + answer.err
    assert _tokens(shell) == []


def test_a_database_without_its_key_asks_for_a_sign_in(shell: Shell, household: Household) -> None:
    """Where the key file is gone, the list says so and what to do; signing in again mends it."""
    assert _add(shell, household.tower.url, "--plex-token", TOWER).code == 0
    (shell.data / "secret.key").unlink()
    answer = shell("plex", "servers", "list")
    assert answer.code == 0
    assert "sign in again" in answer.out
    assert _add(shell, household.tower.url, "--plex-token", TOWER).code == 0
    assert _tokens(shell) == [("Tower", household.tower.url, TOWER)]
    assert "sign in again" not in shell("plex", "servers", "list").out


@pytest.mark.anyio
async def test_the_settings_server_is_adopted_at_a_start(shell: Shell, household: Household) -> None:
    """The store keeps what the settings name, sealed; a later start with the same settings changes nothing."""
    settings = load().settings
    async with kept_servers(settings) as store:
        identify = asker(settings, verify=True)
        with pytest.raises(ConfigurationError, match="PLEX_TOKEN"):
            await adopt(household.tower.url, "", store, identify)
        first = await adopt(household.tower.url, TOWER, store, identify)
        assert await adopt(household.tower.url, "", store, identify) == first
        assert [each.token for each in await store.servers()] == [TOWER]
    assert leaks(shell.data) == []
