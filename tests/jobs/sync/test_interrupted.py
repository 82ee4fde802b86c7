"""A synchronisation that is killed at any point goes on and ends right: the real store, a server in another process."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from exstream.jobs.sync.sync import ServerSync
from exstream.model.server import Server
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from load.plex_server import PlexServer as Running
from load.plex_server import big_library, plex_server
from tests.jobs.sync.interrupted import run
from tests.jobs.sync.paper import PaperServer

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
EPISODES, FILMS = 900, 100


async def prepared(folder: Path, server: Running) -> None:
    """Make a database in ``folder`` that knows ``server``."""
    database = Database(f"sqlite+aiosqlite:///{folder}/exstream.db")
    await database.open()
    store = PlexStore(database, Vault(folder))
    await store.keep_server(Server(server.machine, "Fake", server.url, server.token))
    await database.dispose()


def killed_after(folder: Path, seconds: float) -> bool:
    """Run a synchronisation and kill it after ``seconds``; tell whether it was still at it."""
    command = [sys.executable, "-m", "tests.jobs.sync.interrupted", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(b"begins"):
                break
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            return True
    return False


def rows(folder: Path) -> list[tuple[object, ...]]:
    """Return every item as it is kept, but for what differs from one run to the next."""
    with sqlite3.connect(folder / "exstream.db") as database:
        return database.execute(
            "SELECT rating_key, title, kind, show_key, digest, details, missing, deleted, media, versions, labels"
            " FROM item ORDER BY rating_key"
        ).fetchall()


async def test_killed_at_random_points_it_ends_as_if_it_never_was(tmp_path: Path) -> None:
    """Seven kills at random instants, then one run: the same rows as an undisturbed synchronisation, and no fault."""
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    chance = Random(4)
    async with plex_server(big_library(EPISODES, FILMS)) as server:
        for folder in (undisturbed, killed):
            folder.mkdir()
            await prepared(folder, server)
        await run(undisturbed)
        kills = 0
        for _ in range(7):
            kills += await asyncio.to_thread(killed_after, killed, chance.uniform(0.02, 0.6))
        await run(killed)
    assert kills >= 2
    assert len(rows(undisturbed)) == EPISODES + FILMS
    assert rows(killed) == rows(undisturbed)
    with sqlite3.connect(killed / "exstream.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM library WHERE pass_open").fetchone() == (0,)


@pytest.mark.parametrize("place", [3, 6, 9])
async def test_a_pass_goes_on_at_its_page(sync: ServerSync, paper: PaperServer, place: int) -> None:
    """An interrupted pass is finished by the next run; what was seen before the gap and is gone since is missed."""
    paper.page_size = 3

    class Killed(BaseException):
        """As good as a kill: nothing catches it."""

    def fault(what: str) -> None:
        if what == f"page 1 movie {place}":
            raise Killed

    paper.fault = fault
    with pytest.raises(Killed):
        await sync.run()
    paper.fault = lambda _: None
    paper.drop("1", "100")
    paper.asked.clear()
    statistics = await sync.run()
    (library, _) = await sync.means.shelves.libraries("paper")
    known = await sync.means.shelves.known(library.library.id)
    assert (library.state.pass_open, library.state.total, statistics.faults) == (False, 9, [])
    seen = {key for key, each in known.items() if not each.missing_since}
    assert seen == {f"paper:{number}" for number in range(101, 110)}
