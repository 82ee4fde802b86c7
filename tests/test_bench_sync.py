"""The benchmark of synchronisation: what it reads of a small library, and how it judges what was measured."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from load.bench import pooled
from load.bench.sync import (
    CHANGES,
    First,
    Step,
    after_changes,
    as_command,
    first_rows,
    first_time,
    later_rows,
)
from load.bench.syncair import Aired, rows_of_lag, rows_of_pool
from load.bench.table import NotMeasured
from load.plex_server import PlexServer, big_library, running_plex_server

EPISODES, FILMS = 400, 40


@pytest.fixture(scope="module")
def plex() -> Iterator[PlexServer]:
    """Run a server with a small library."""
    with running_plex_server(big_library(EPISODES, FILMS)) as server:
        yield server


def test_a_small_library_is_measured_as_a_large_one_is(plex: PlexServer, tmp_path: Path) -> None:
    """The first reading brings all items and their details, later ones what changed, as the server counts."""
    first = first_time(tmp_path / "home", plex)
    assert (first.listed.done, first.detailed.done) == (EPISODES + FILMS, 0)
    assert first.listed.requests < 12
    assert first.detailed.requests >= 5
    assert first.grown > 0
    assert 0 < first.listed.floor < first.listed.seconds
    nothing = as_command(tmp_path / "home", plex)
    assert (nothing.requests, nothing.done) == (5, 0)
    changed = after_changes(tmp_path / "home", plex, 0)
    assert (changed.done, changed.requests <= 15) == (CHANGES, True)


def test_a_reading_that_is_not_whole_is_not_measured(plex: PlexServer, tmp_path: Path) -> None:
    """Where something could not be read, or not every item came, there is no figure."""
    broken = plex.harm("status", "/library/sections/1/all", status=200, body="<html>")
    try:
        with pytest.raises(NotMeasured, match="was not whole"):
            first_time(tmp_path / "home", plex)
    finally:
        plex.heal(broken)
    step = Step(1.0, 40, 0.1, 439)
    with pytest.raises(NotMeasured, match="439 of 440 items came"):
        first_rows(replace(first_of(step), listed=step), 440)


def first_of(step: Step) -> First:
    return First(step, step, 100)


def test_the_slowest_and_the_dearest_count() -> None:
    """One synchronisation that took too long, or asked too often, misses the target."""
    good = Step(0.4, 5, 0.1, 0)
    assert [row.met for row in later_rows([good, good], [replace(good, done=CHANGES)])] == [True] * 4
    slow, dear = replace(good, seconds=0.51), replace(good, requests=6)
    assert [row.met for row in later_rows([good, slow], [good])] == [False, True, True, True]
    assert [row.met for row in later_rows([good, dear], [good])] == [True, False, True, True]
    listed = Step(20.0, 60, 1.0, 18_000)
    rows = first_rows(First(listed, Step(40.0, 250, 1.0, 0), 150_000_000), 18_000)
    assert [row.met for row in rows] == [True, True, None, True, True]
    rows = first_rows(First(replace(listed, requests=61), Step(40.0, 251, 1.0, 0), 150_000_001), 18_000)
    assert [row.met for row in rows] == [True, False, None, False, False]


def test_what_the_channels_notice_is_judged() -> None:
    """A late event loop, a picture that stood still, and somebody who waited for a connection miss the target."""
    calm = Aired(0.005, 0.05, 60.0, 0, 1.5, 0)
    assert [row.met for row in (*rows_of_lag(calm), *rows_of_pool(calm))] == [True] * 4
    harmed = replace(calm, late=0.075, starved=1, waits=1)
    assert [row.met for row in (*rows_of_lag(harmed), *rows_of_pool(harmed))] == [False] * 4


@pytest.mark.anyio
async def test_a_wait_for_a_connection_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two who want the only connection the second one waits, and that is said once; alone nobody waits."""
    monkeypatch.setattr(AsyncAdaptedQueuePool, "_queue_class", pooled.Told)
    address = f"sqlite+aiosqlite:///{tmp_path}/any.db"
    engine = create_async_engine(address, poolclass=AsyncAdaptedQueuePool, pool_size=1, max_overflow=0)
    try:
        first = await engine.connect()
        assert pooled.WAITED not in capsys.readouterr().err
        second = asyncio.ensure_future(engine.connect().start())
        await asyncio.sleep(0.05)
        await first.close()
        await (await second).close()
        assert capsys.readouterr().err.count(pooled.WAITED) == 1
    finally:
        await engine.dispose()
