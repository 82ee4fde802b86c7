"""Synchronisation with a Plex server of 17,000 episodes and 1,000 films, beside what that server itself takes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exstream.ffmpeg.guard import setpriv_guard
from load.bench.server import environment
from load.bench.spread import median
from load.bench.syncair import measure_on_air
from load.bench.table import NotMeasured, Row
from load.plex_server import PlexServer, big_library, running_plex_server

EPISODES, FILMS = 17_000, 1_000
CHANGES = 50
NOTHING_TIMES, CHANGE_TIMES = 5, 3
TARGET_LIST, TARGET_LIST_REQUESTS = 20.0, 60
TARGET_DETAIL_REQUESTS = 250
TARGET_NOTHING, TARGET_NOTHING_REQUESTS = 0.5, 5
TARGET_CHANGES, TARGET_CHANGES_REQUESTS = 2.0, 15
TARGET_BYTES = 150 * 10**6
_PATIENCE = 600.0
_WEIGH_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """One synchronisation. ``floor``: the seconds that the server took to make its answers."""

    seconds: float
    requests: int
    floor: float
    done: int
    """How many items were added or updated."""


@dataclass(frozen=True, slots=True)
class First:
    """A first synchronisation. ``grown``: the proportional set size at its peak over that before it, in bytes."""

    listed: Step
    detailed: Step
    grown: int


def measure(folder: Path) -> list[Row]:
    """Read the library, read it again when nothing and when a little has changed, and read it with channels on air."""
    with running_plex_server(big_library(EPISODES, FILMS)) as plex:
        plex.warm()
        first = first_time(folder / "first", plex)
        nothing = [as_command(folder / "first", plex) for _ in range(NOTHING_TIMES)]
        changed = [after_changes(folder / "first", plex, turn) for turn in range(CHANGE_TIMES)]
        found = [*first_rows(first, EPISODES + FILMS), *later_rows(nothing, changed)]
        return [*found, *measure_on_air(folder / "on air", plex)]


def first_time(home: Path, plex: PlexServer) -> First:
    """Read everything into an empty database, in a process that is weighed meanwhile."""
    home.mkdir(parents=True)
    argv = [sys.executable, "-m", "load.bench.synced", str(home), plex.url, plex.machine]
    with subprocess.Popen(
        [*setpriv_guard(), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(home, {}) | {"EXSTREAM_LOG_LEVEL": "warning"},
    ) as child:
        try:
            _order(child, plex.token)
            with _weighed(child.pid) as weights:
                plex.reset_counts()
                listed = _step(_order(child, ""), plex)
                plex.reset_counts()
                detailed = _step(_order(child, ""), plex)
        finally:
            child.kill()
    return First(listed, detailed, max(weights) - weights[0])


def _order(child: subprocess.Popen[str], line: str) -> dict[str, Any]:
    """Let the child go on, and return what it tells next."""
    if child.stdin is None or child.stdout is None:
        raise NotMeasured("the synchronisation cannot be talked to")
    child.stdin.write(line + "\n")
    child.stdin.flush()
    for said in child.stdout:
        if said.startswith("{"):
            told: dict[str, Any] = json.loads(said)
            if told.get("faults") or told.get("left"):
                raise NotMeasured(f"the synchronisation was not whole: {said.strip()}")
            return told
    raise NotMeasured("the synchronisation ended before its time")


def _step(told: dict[str, Any], plex: PlexServer) -> Step:
    served = plex.counts()["kinds"]["all"]
    done = told["added"] + told.get("updated", 0)
    return Step(told["seconds"], served["requests"], served["seconds"], done)


@contextmanager
def _weighed(pid: int) -> Iterator[list[int]]:
    """Give the sizes that a process has while the block lasts, the first one from before it."""
    weights, over = [_weight(pid)], threading.Event()

    def weigh() -> None:
        while not over.wait(_WEIGH_SECONDS):
            weights.append(_weight(pid))

    watching = threading.Thread(target=weigh, name="scales")
    watching.start()
    try:
        yield weights
    finally:
        over.set()
        watching.join()


def _weight(pid: int) -> int:
    """Return the proportional set size of a process in bytes: the kernel's own sum, which is quickly read."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError as gone:
        raise NotMeasured(f"the synchronisation cannot be weighed: {gone}") from gone
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def as_command(home: Path, plex: PlexServer) -> Step:
    """Run ``exstream sync-all --json`` and return what it says of itself, by the server's count of requests."""
    plex.reset_counts()
    done = subprocess.run(
        [sys.executable, "-m", "exstream", "sync-all", "--json"],
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
        env=environment(home, {}),
        cwd=home,
    )
    if done.returncode:
        raise NotMeasured(
            f"sync-all ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"
        )
    (told,) = json.loads(done.stdout)
    return _step(told, plex)


def after_changes(home: Path, plex: PlexServer, turn: int) -> Step:
    """Change some episodes and films all over the library, then synchronise."""
    films = max(1, CHANGES // 10)
    for kind, count in (("episode", CHANGES - films), ("movie", films)):
        entries = plex.entries(kind)
        for entry in entries[turn :: len(entries) // count][:count]:
            plex.change(entry["key"], title=f"{entry['title']} ({turn})")
    time.sleep(1.1)  # instants are whole seconds
    step = as_command(home, plex)
    if step.done != CHANGES:
        raise NotMeasured(f"{step.done} of {CHANGES} changes were found")
    return step


def first_rows(first: First, items: int) -> list[Row]:
    """Return what the first synchronisation says."""
    if first.listed.done != items:
        raise NotMeasured(f"{first.listed.done} of {items} items came")
    return [
        *_rows(
            f"first synchronisation, {items:,} items listed",
            [first.listed],
            TARGET_LIST,
            TARGET_LIST_REQUESTS,
        ),
        *_rows("their details, in the background", [first.detailed], None, TARGET_DETAIL_REQUESTS),
        Row(
            "first synchronisation: memory at its peak over idle",
            f"{first.grown / 10**6:.0f} MB",
            "",
            f"<= {TARGET_BYTES / 10**6:.0f} MB",
            first.grown <= TARGET_BYTES,
            {"bytes": first.grown},
        ),
    ]


def later_rows(nothing: Sequence[Step], changed: Sequence[Step]) -> list[Row]:
    """Return what later synchronisations say."""
    return [
        *_rows("nothing changed", nothing, TARGET_NOTHING, TARGET_NOTHING_REQUESTS),
        *_rows(f"{CHANGES} items changed", changed, TARGET_CHANGES, TARGET_CHANGES_REQUESTS),
    ]


def _rows(what: str, steps: Sequence[Step], seconds: float | None, requests: int) -> list[Row]:
    """Return a row for the time and one for the requests; the slowest and the dearest step has to meet its target."""
    took, asked = [step.seconds for step in steps], max(step.requests for step in steps)
    floor = median(step.floor for step in steps)
    slowest = f" ({max(took):.2f} s)" if len(took) > 1 else ""
    return [
        Row(
            f"{what}: {'median (slowest)' if slowest else 'time'}",
            f"{median(took):.2f} s{slowest}",
            f"{floor:.2f} s the server's own",
            "" if seconds is None else f"<= {seconds:g} s",
            None if seconds is None else max(took) <= seconds,
            {"median": median(took), "slowest": max(took), "floor": floor},
        ),
        Row(f"{what}: requests", f"{asked}", "", f"<= {requests}", asked <= requests, {"requests": asked}),
    ]
