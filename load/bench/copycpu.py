"""CPU of a running copy channel at 8 Mbit/s with one viewer, beside raw ffmpeg with the same arguments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from load.bench.cpu import Share, share
from load.bench.media import CABLE, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median
from load.bench.table import Row

TIMES = 3
TARGET_SHARE = 0.012


def measure(folder: Path) -> list[Row]:
    """Run the channel and raw ffmpeg by turns."""
    furnish(folder, (CABLE,), {"cable": "copy"})
    with Server(folder, SETTINGS) as server:
        return rows([share(server, "cable") for _ in range(TIMES)])


def rows(shares: Sequence[Share]) -> list[Row]:
    """Return what the runs say, each figure as the median of its own."""
    total, floor = median(each.total for each in shares), median(each.floor for each in shares)
    server = median(each.server for each in shares)
    return [
        Row(
            "copy channel, 8 Mbit/s: CPU of a core",
            f"{total:.2%}",
            f"{floor:.2%} raw ffmpeg",
            f"<= {TARGET_SHARE:.1%}",
            total <= TARGET_SHARE,
            {"share": total, "floor": floor},
        ),
        Row("copy channel, 8 Mbit/s: the server's own part", f"{server:.2%}", values={"share": server}),
    ]
