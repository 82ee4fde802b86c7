"""A household with two Plex servers of one account and one that is shared, all with the same rating keys."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from exstream.config import OPTIONS
from exstream.plex.signin import PlexTv
from load.plex_server import PlexServer, running_plex_server
from load.plex_server.plextv import connection, resource
from tests.cli.test_commands import Shell

ACCOUNT = "canary-account-7Hq2"
TOWER, ATTIC, FRIEND = "canary-tower-9Zx4", "canary-attic-3Lm8", "canary-friend-5Rt1"
CANARIES = (ACCOUNT, TOWER, ATTIC, FRIEND)


@dataclass(frozen=True)
class Household:
    """The servers; ``tower`` stands for plex.tv too."""

    tower: PlexServer
    attic: PlexServer

    def offer(self) -> None:
        """List both servers, and a friend's that answers nowhere, at plex.tv."""
        self.tower.set_plex_tv(pace=0, limited=0, resources=self.listed())

    def listed(self) -> list[dict[str, object]]:
        """Return what plex.tv lists."""
        wrong, dead = _way(self.tower.plex_tv), connection("127.0.0.1", 9)
        return [
            resource("m-attic", "Attic", ATTIC, [wrong, _way(self.attic.url)]),
            resource("m-tower", "Tower", TOWER, [dead, _way(self.tower.url)]),
            resource("m-friend", "Far away", FRIEND, [dead], owned=False, sourceTitle="bob"),
        ]


def _way(url: str) -> dict[str, object]:
    return connection("127.0.0.1", urlsplit(url).port or 0)


@pytest.fixture(scope="module")
def servers() -> Iterator[Household]:
    """Yield the household, started once for the tests of a file."""
    with ExitStack() as stack:
        tower = stack.enter_context(running_plex_server(machine="m-tower", name="Tower"))
        attic = stack.enter_context(running_plex_server(machine="m-attic", name="Attic"))
        for server, token in ((tower, TOWER), (attic, ATTIC)):
            server.refuse(server.token)
            server.allow(token)
        yield Household(tower, attic)


@pytest.fixture
def household(servers: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    """Return the household with all well, and its plex.tv in the place of the real one."""
    servers.offer()
    at = servers.tower.plex_tv
    monkeypatch.setattr("exstream.plex.signin.PlexTv", lambda: PlexTv(at, at, "http://app.invalid"))
    monkeypatch.setattr("exstream.plex.signin.POLL_SECONDS", 0.05)
    return servers


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return commands with a data directory and a home of their own, and no word of Plex in the environment."""
    for name in [name for name in os.environ if name.startswith(("PLEX", "EXSTREAM"))]:
        monkeypatch.delenv(name)
    for option in OPTIONS.values():
        monkeypatch.delenv(option.environment or "EXSTREAM", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("EXSTREAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "data", capsys)


class Browser:
    """Opens pages and has whoever sits before it sign in."""

    def __init__(self, plex_tv: PlexServer) -> None:
        self.opened: list[str] = []
        self._plex_tv = plex_tv

    def open(self, page: str) -> bool:
        """Confirm the code that the page is about."""
        self.opened.append(page)
        (code,) = parse_qs(urlsplit(page).fragment.lstrip("?"))["code"]
        self._plex_tv.approve(code, token=ACCOUNT)
        return True


@pytest.fixture
def browser(household: Household, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Return the browser that commands open."""
    stands_in = Browser(household.tower)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", stands_in.open)
    return stands_in


def leaks(folder: Path, *texts: str) -> list[str]:
    """Return where any of the tokens stands in the clear: in ``texts``, or in a file below ``folder``."""
    found = [f"text {number}" for number, text in enumerate(texts) for each in CANARIES if each in text]
    for path in folder.rglob("*"):
        if path.is_file():
            found += [str(path) for each in CANARIES if each.encode() in path.read_bytes()]
    return found
