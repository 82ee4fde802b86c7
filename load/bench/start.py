"""From the start of the process to ``/readyz``: on an empty data directory and on one in use, beside the imports."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from load.bench.server import Server
from load.bench.spread import median
from load.bench.table import Row

FIRST_TIMES = 3
LATER_TIMES = 5
FIRST_TARGET = 15.0
LATER_TARGET = 4.0


def measure(folder: Path) -> list[Row]:
    """Start servers with the demo channels; the imports are timed in between."""
    _imported()  # the modules are compiled and in the disk's cache from here on
    first = [_started(folder / str(number)) for number in range(FIRST_TIMES)]
    later: list[float] = []
    imports: list[float] = []
    for _ in range(LATER_TIMES):
        imports.append(_imported())
        later.append(_started(folder / "0"))
    return [
        row("first start", first, imports, FIRST_TARGET),
        row("later start", later, imports, LATER_TARGET),
    ]


def _started(home: Path) -> float:
    with Server(home) as server:
        return server.ready_after


def _imported() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import exstream.app"], check=True)
    return time.perf_counter() - began


def row(what: str, took: Sequence[float], imports: Sequence[float], target: float) -> Row:
    """Return how long starts took; the slowest one has to meet the target."""
    return Row(
        f"{what} to ready: median (slowest)",
        f"{median(took):.2f} s ({max(took):.2f} s)",
        f"{median(imports):.2f} s imports alone",
        f"<= {target:.0f} s",
        max(took) <= target,
        {"seconds": median(took), "slowest": max(took), "floor": median(imports)},
    )
