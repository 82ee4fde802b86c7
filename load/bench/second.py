"""The second viewer of a channel: from the request to the first whole key frame, beside one round trip."""

from __future__ import annotations

import random
import time
from pathlib import Path

from load.bench.media import FILMS, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median, milliseconds, p95
from load.bench.table import Row
from load.bench.viewer import Viewer, Watching

TIMES = 20
TARGET_SECONDS = 0.05
_SETTLE = 5.0
_PAUSE = 0.6


def measure(folder: Path) -> list[Row]:
    """Join a channel that somebody watches, again and again."""
    furnish(folder, FILMS[:1], {"hd": "720p25"})
    chance = random.Random(2)
    took: list[float] = []
    trips: list[float] = []
    with Server(folder, SETTINGS) as server, Watching(server.port, "hd") as first:
        time.sleep(_SETTLE)
        for _ in range(TIMES):
            time.sleep(chance.uniform(0, _PAUSE))
            with Viewer(server.port, "hd") as viewer:
                viewer.key_frame()
                took.append(time.perf_counter() - viewer.asked)
            asked = time.perf_counter()
            server.get("/livez")
            trips.append(time.perf_counter() - asked)
        first.check()
    return [
        Row(
            "second viewer: median",
            milliseconds(median(took)),
            f"{milliseconds(median(trips))} round trip",
            values={"seconds": median(took), "floor": median(trips)},
        ),
        Row(
            "second viewer: p95",
            milliseconds(p95(took)),
            f"{milliseconds(p95(trips))} round trip",
            f"<= {milliseconds(TARGET_SECONDS)}",
            p95(took) <= TARGET_SECONDS,
            {"seconds": p95(took), "floor": p95(trips)},
        ),
    ]
