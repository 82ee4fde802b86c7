"""Many copy channels on air at once, a viewer each: whose picture stood still, and what a channel costs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from exstream.ffmpeg.guard import setpriv_guard
from load.bench.media import CABLE, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median
from load.bench.table import NotMeasured, Row

CROWDS = {34: 0.3, 100: 0.5}
"""How many channels, and the seconds between two viewers who come."""
WATCH = 40.0
"""Long enough for every ring to be full."""
COUNT = 15.0
TARGET_ENCODER = 13 * 2**20
TARGET_RING = 1.1
RING_SECONDS = 24.0
"""What a channel's ring holds: 20 s for slow viewers, a group of pictures, and what has been sent ahead."""


class Lineup(NamedTuple):
    """So many channels on air. CPU in cores, memory in bytes."""

    lowest: Sequence[float]
    """Each viewer's smallest stock in seconds; below 0 its picture stood still."""
    gone: int
    answered: Sequence[float]
    server: float
    encoders: float
    encoder_memory: float
    grown: float
    """The server's own memory for each channel."""
    ring: float
    """The bytes of a ring."""


def measure(folder: Path) -> list[Row]:
    """Let a viewer of each channel come, the fewer channels first."""
    furnish(folder, (CABLE,), {f"cable-{number}": "copy" for number in range(max(CROWDS))})
    found: list[Row] = []
    with Server(folder, SETTINGS) as server:
        idle = _memory(server.process)
        for channels, stagger in CROWDS.items():
            server.wait_until_cold(60)
            found += rows(channels, _watched(server, channels, stagger, idle))
    return found


def _watched(server: Server, channels: int, stagger: float, idle: int) -> Lineup:
    names = [f"cable-{number}" for number in range(channels)]
    argv = [sys.executable, "-m", "load.bench.spectators", str(server.port), *names]
    argv += ["--stagger", str(stagger), "--watch", str(WATCH)]
    with subprocess.Popen(
        [*setpriv_guard(), *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as crowd:
        try:
            time.sleep(channels * stagger + WATCH - COUNT - 5)
            before = server.cpu_seconds()
            began = time.perf_counter()
            time.sleep(COUNT)
            after, passed = server.cpu_seconds(), time.perf_counter() - began
            memory = [_memory(encoder) for encoder in server.encoders()]
            grown = _memory(server.process) - idle
            told = crowd.communicate(timeout=WATCH)[0]
        finally:
            crowd.kill()
    if not told or not memory:
        raise NotMeasured(f"nobody could watch {channels} channels")
    seen: list[Mapping[str, Any]] = json.loads(told)
    rate = median(each["received"] / max(each["watched"], 1.0) for each in seen)
    return Lineup(
        [each["lowest"] for each in seen],
        sum(each["gone"] for each in seen),
        [each["answered_after"] for each in seen],
        (after[0] - before[0]) / passed,
        (after[1] - before[1]) / passed,
        median(memory),
        grown / channels,
        rate * RING_SECONDS,
    )


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess as gone:
        raise NotMeasured("a process ended while it was weighed") from gone


def rows(channels: int, lineup: Lineup) -> list[Row]:
    """Return what so many channels say."""
    starved = sum(lowest < 0 for lowest in lineup.lowest) + lineup.gone
    what, total = f"{channels} copy channels", lineup.server + lineup.encoders
    return [
        Row(
            f"{what}, a viewer each: starved or sent away",
            f"{starved}; lowest stock {min(lineup.lowest):.2f} s",
            "",
            "0",
            not starved,
            {
                "starved": starved,
                "lowest": min(lineup.lowest),
                "gone": lineup.gone,
                "slowest": max(lineup.answered),
            },
        ),
        Row(
            f"{what}: server + encoders, of a core",
            f"{lineup.server:.0%} + {lineup.encoders:.0%} = {total / channels:.2%} each",
            values={"server": lineup.server, "encoders": lineup.encoders},
        ),
        Row(
            f"{what}: memory of an ffmpeg (PSS)",
            f"{lineup.encoder_memory / 2**20:.1f} MiB",
            "",
            f"<= {TARGET_ENCODER / 2**20:.0f} MiB",
            lineup.encoder_memory <= TARGET_ENCODER,
            {"bytes": lineup.encoder_memory},
        ),
        Row(
            f"{what}: the server's memory for each",
            f"{lineup.grown / 2**20:.1f} MiB = {lineup.grown / lineup.ring:.2f} x ring",
            f"{lineup.ring / 2**20:.1f} MiB ring",
            f"<= {TARGET_RING} x ring",
            lineup.grown <= TARGET_RING * lineup.ring,
            {"bytes": lineup.grown, "ring": lineup.ring},
        ),
    ]
