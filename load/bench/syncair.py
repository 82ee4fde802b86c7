"""Synchronisation while 34 channels are on air: whether their viewers, the event loop or the database notice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exstream.ffmpeg.guard import setpriv_guard
from load.bench import pooled, postgres
from load.bench.lag import Wakes
from load.bench.media import CABLE, SETTINGS, enlist, make
from load.bench.server import Server, environment
from load.bench.table import NotMeasured, Row
from load.plex_server import PlexServer

CHANNELS = 34
POOL = 5
TARGET_LAG = 0.05
_STAGGER = 0.3
_CALM = 20.0
"""So long the channels are watched before the synchronisation begins: the floor."""
_WATCH = 200.0
_REQUESTS = 200
"""Fewer cannot have been all: the details of 18,000 items come in batches of 100."""
_QUIET_SECONDS = 8.0
"""When nothing was asked for so long, the synchronisation is over."""
_ROOT = Path(__file__).resolve().parents[2]
_COMMAND_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Aired:
    """34 channels on air while a library was read. Times in seconds."""

    calm: float
    """How late the event loop was before, p99."""
    late: float
    """How late it was while the library was read, p99."""
    took: float
    starved: int
    """Viewers whose picture stood still, or who were sent away."""
    lowest: float
    """The smallest stock that any of them had."""
    waits: int
    """How often somebody waited for a database connection since all channels were on air."""


def measure_on_air(folder: Path, plex: PlexServer) -> list[Row]:
    """Read the library of ``plex`` while a viewer watches each channel: with SQLite, then with a small pool."""
    make(CABLE, folder / "media")
    found = rows_of_lag(aired(folder / "sqlite", folder / "media", plex, {}))
    programs = postgres.programs()
    if programs is None:
        return [*found, Row(_POOL_ROW, "not measured: PostgreSQL is not installed")]
    with postgres.running(programs) as address:
        pool = {"EXSTREAM_DB_POOL_SIZE": str(POOL), "EXSTREAM_DB_MAX_OVERFLOW": "0"}
        settings = {"EXSTREAM_DATABASE_URL": address, **pool}
        return [*found, *rows_of_pool(aired(folder / "postgresql", folder / "media", plex, settings))]


def aired(home: Path, media: Path, plex: PlexServer, database: Mapping[str, str]) -> Aired:
    """Put the channels on air, then let the server learn of ``plex`` and read all of it."""
    home.mkdir(parents=True)
    (home / "media").symlink_to(media)
    settings = {**SETTINGS, **database, "PYTHONPATH": str(_ROOT)}
    names = [f"cable-{number}" for number in range(CHANNELS)]
    enlist(home, dict.fromkeys(names, "copy"), settings=settings)
    with Server(home, settings, "load.bench.pooled") as server:
        argv = [sys.executable, "-m", "load.bench.spectators", str(server.port), *names]
        argv += ["--stagger", str(_STAGGER), "--watch", str(_WATCH)]
        with subprocess.Popen(
            [*setpriv_guard(), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        ) as crowd:
            try:
                time.sleep(CHANNELS * _STAGGER + 5)
                before = _waits(home)
                calm, late, took = _read(server, home, plex, settings)
                told = crowd.communicate(timeout=_WATCH)[0]
            finally:
                crowd.kill()
        waits = _waits(home) - before
    seen: list[Mapping[str, Any]] = json.loads(told or "[]")
    if len(seen) != CHANNELS:
        raise NotMeasured(f"nobody could watch {CHANNELS} channels")
    starved = sum(each["lowest"] < 0 or each["gone"] for each in seen)
    return Aired(calm, late, took, starved, min(each["lowest"] for each in seen), waits)


def _read(
    server: Server, home: Path, plex: PlexServer, settings: Mapping[str, str]
) -> tuple[float, float, float]:
    """Return how late the event loop is before and while the library is read, and how long that takes."""
    before = Wakes.of(server)
    time.sleep(_CALM)
    calm = Wakes.of(server).since(before).at_most(0.99)
    plex.reset_counts()
    _introduce(home, plex, settings)
    before, began = Wakes.of(server), time.monotonic()
    asked, since = 0, began
    while asked < _REQUESTS or time.monotonic() - since < _QUIET_SECONDS:
        if time.monotonic() - began > _WATCH - _CALM - 10:
            raise NotMeasured(f"the library was not read in time: {asked} requests")
        time.sleep(0.5)
        if plex.requests != asked:
            asked, since = plex.requests, time.monotonic()
    return calm, Wakes.of(server).since(before).at_most(0.99), since - began


def _waits(home: Path) -> int:
    return (home / "said.txt").read_text(encoding="utf-8", errors="replace").count(pooled.WAITED)


def _introduce(home: Path, plex: PlexServer, settings: Mapping[str, str]) -> None:
    """Add the Plex server beside the running server, which takes it up by itself."""
    token = {"PLEX_TOKEN": plex.token, "PLEX_BASE_URL": plex.url}
    done = subprocess.run(
        [sys.executable, "-m", "exstream", "plex", "servers", "add", "--url", plex.url],
        capture_output=True,
        timeout=_COMMAND_SECONDS,
        check=False,
        env=environment(home, {**settings, **token}),
        cwd=home,
    )
    if done.returncode:
        raise NotMeasured(f"the server was not added: {done.stderr.decode(errors='replace').strip()}")


_LAG_ROW = f"{CHANNELS} channels on air while it synchronises: event loop late, p99"
_POOL_ROW = f"{CHANNELS} channels on air, PostgreSQL with {POOL} connections: waits for one"


def rows_of_lag(seen: Aired) -> list[Row]:
    """Return what the event loop and the viewers noticed."""
    return [
        Row(
            _LAG_ROW,
            f"<= {seen.late * 1_000:g} ms, for {seen.took:.0f} s",
            f"<= {seen.calm * 1_000:g} ms before",
            f"<= {TARGET_LAG * 1_000:.0f} ms",
            seen.late <= TARGET_LAG,
            {"p99": seen.late, "before": seen.calm, "seconds": seen.took},
        ),
        _viewers(f"{CHANNELS} channels on air while it synchronises: starved or sent away", seen),
    ]


def rows_of_pool(seen: Aired) -> list[Row]:
    """Return how often somebody waited for a connection, and what the viewers noticed."""
    return [
        Row(
            _POOL_ROW,
            f"{seen.waits}",
            "",
            "0",
            not seen.waits,
            {"waits": seen.waits, "seconds": seen.took},
        ),
        _viewers(
            f"{CHANNELS} channels on air, PostgreSQL with {POOL} connections: starved or sent away", seen
        ),
    ]


def _viewers(what: str, seen: Aired) -> Row:
    return Row(
        what,
        f"{seen.starved}; lowest stock {seen.lowest:.2f} s",
        "",
        "0",
        not seen.starved,
        {"starved": seen.starved, "lowest": seen.lowest},
    )
