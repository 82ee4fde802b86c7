"""CPU of a running 720p25 channel with one viewer, beside raw ffmpeg with the same arguments at the same pace."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from load.bench.encoder import RawFfmpeg
from load.bench.media import FEATURE, PERIOD, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median
from load.bench.table import NotMeasured, Row
from load.bench.viewer import Watching

SECONDS = 2.0 * PERIOD
"""Whole periods of the source: the work is the same wherever a run begins."""
TIMES = 3
TARGET_MARGIN = 0.03
_SETTLE = 6.0


class Share(NamedTuple):
    """CPU seconds for each second of media."""

    server: float
    encoder: float
    floor: float

    @property
    def total(self) -> float:
        """All that the channel takes."""
        return self.server + self.encoder


def measure(folder: Path) -> list[Row]:
    """Run the channel and raw ffmpeg by turns."""
    furnish(folder, (FEATURE,), {"hd": "720p25"})
    with Server(folder, SETTINGS) as server:
        return rows([share(server, "hd") for _ in range(TIMES)])


def share(server: Server, channel: str) -> Share:
    """Watch ``channel``, then read raw ffmpeg with the arguments that its encoder had."""
    own, encoders, argv = _watched(server, channel)
    server.wait_until_cold()
    return Share(own, encoders, _raw(argv))


def _watched(server: Server, channel: str) -> tuple[float, float, list[str]]:
    """Return the shares of the server and of its encoders, and the first encoder's arguments."""
    with Watching(server.port, channel) as viewer:
        argv = server.encoders()[0].cmdline()
        time.sleep(_SETTLE)
        (own, encoders), (media, _) = server.cpu_seconds(), viewer.position()
        time.sleep(SECONDS)
        (own_then, encoders_then), (media_then, _) = server.cpu_seconds(), viewer.position()
        viewer.check()
    passed = media_then - media
    if passed < SECONDS / 2:
        raise NotMeasured(f"the channel gave {passed:.0f} s of media in {SECONDS:.0f} s")
    return (own_then - own) / passed, (encoders_then - encoders) / passed, argv


def _raw(argv: list[str]) -> float:
    """Return raw ffmpeg's CPU seconds for each second of media."""
    with RawFfmpeg(argv) as encoder:
        encoder.run(_SETTLE)
        used, media = encoder.cpu_seconds(), encoder.transport.clock
        encoder.run(SECONDS)
        return (encoder.cpu_seconds() - used) / (encoder.transport.clock - media)


def rows(shares: list[Share]) -> list[Row]:
    """Return what the runs say, each figure as the median of its own."""
    total, floor = median(share.total for share in shares), median(share.floor for share in shares)
    server = median(share.server for share in shares)
    over = median(share.total - share.floor for share in shares)
    return [
        Row(
            "720p25 channel: CPU of a core",
            f"{total:.1%}",
            f"{floor:.1%} raw ffmpeg",
            f"<= floor + {TARGET_MARGIN:.0%}",
            over <= TARGET_MARGIN,
            {"share": total, "floor": floor, "over": over},
        ),
        Row("720p25 channel: the server's own part", f"{server:.1%}", values={"share": server}),
    ]
