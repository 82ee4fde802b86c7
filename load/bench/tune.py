"""Cold tune: from the request to the programme's first whole key frame, beside raw ffmpeg at the same seek."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from load.bench.encoder import RawFfmpeg
from load.bench.media import FILMS, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median, milliseconds, p95
from load.bench.table import NotMeasured, Row
from load.bench.transport import CLOCK_HZ
from load.bench.viewer import Viewer

TIMES = 20
CHANNELS = {"hd": "720p25", "sd": "480p25"}
TARGET_RATIO = 1.5
TARGET_SECONDS = 0.7
_PAUSE = 2.5
"""The longest pause between two tunes: chance decides how far behind the source's key frame a tune falls."""
_CARDS = "exstream_card_seconds_total"


class Tune(NamedTuple):
    """One tune and raw ffmpeg at the same place, in seconds."""

    seconds: float
    floor: float
    carded: bool
    """A card was seen before the programme."""


def measure(folder: Path) -> list[Row]:
    """Tune in at places left to chance, one profile after the other, each time on a cold channel."""
    furnish(folder, FILMS, CHANNELS)
    chance = random.Random(1984)
    tunes: dict[str, list[Tune]] = {channel: [] for channel in CHANNELS}
    with Server(folder, SETTINGS) as server:
        tune(server, next(iter(CHANNELS)))  # the disk's and the loader's caches are warm from here on
        for _ in range(TIMES):
            for channel, done in tunes.items():
                time.sleep(chance.uniform(0, _PAUSE))
                done.append(tune(server, channel))
    return [row for channel, done in tunes.items() for row in rows(CHANNELS[channel], done)]


def tune(server: Server, channel: str) -> Tune:
    """Tune into a cold ``channel``, and time raw ffmpeg at the same place. Raises `NotMeasured` when it fails."""
    seen = first_picture(server, channel)
    server.wait_until_cold()
    with RawFfmpeg(seen.argv) as encoder:
        return Tune(seen.seconds, encoder.first_key_frame(), seen.carded)


class Seen(NamedTuple):
    """A tune: how many seconds it took to the programme's first key frame, and with which encoder."""

    seconds: float
    carded: bool
    argv: list[str]


def first_picture(server: Server, channel: str) -> Seen:
    """Tune into a cold ``channel``. Raises `NotMeasured` when it fails."""
    server.wait_until_cold()
    cards = server.figure(_CARDS)
    with Viewer(server.port, channel) as viewer:
        first = key = viewer.key_frame()
        seconds = time.perf_counter() - viewer.asked
        carded = False
        # A card is no programme: it begins where as many seconds have gone by as cards were sent.
        while (key.pts - first.pts) / CLOCK_HZ < server.figure(_CARDS) - cards:
            carded = True
            key = viewer.key_frame()
            seconds = time.perf_counter() - viewer.asked
        encoders = server.encoders()
        if not encoders:
            raise NotMeasured(f"nothing encodes {channel}, though it is on air")
        return Seen(seconds, carded, encoders[0].cmdline())


def rows(profile: str, tunes: Sequence[Tune]) -> list[Row]:
    """Return what the tunes into channels of ``profile`` say."""
    took, floor = [tune.seconds for tune in tunes], [tune.floor for tune in tunes]
    carded = sum(tune.carded for tune in tunes)
    middle, late = median(took) / median(floor), p95(took) / p95(floor)
    what = f"cold tune, {profile}"
    return [
        Row(
            f"{what}: median",
            f"{milliseconds(median(took))} = {middle:.2f} x floor",
            f"{milliseconds(median(floor))} raw ffmpeg",
            values={"seconds": median(took), "floor": median(floor), "ratio": middle},
        ),
        Row(
            f"{what}: p95",
            milliseconds(p95(took)),
            f"{milliseconds(p95(floor))} raw ffmpeg",
            f"<= {milliseconds(TARGET_SECONDS)}",
            p95(took) <= TARGET_SECONDS,
            {"seconds": p95(took), "floor": p95(floor)},
        ),
        Row(
            f"{what}: p95 by p95",
            f"{late:.2f} x floor",
            "",
            f"<= {TARGET_RATIO} x floor",
            late <= TARGET_RATIO,
            {"ratio": late},
        ),
        Row(f"{what}: card first", f"{carded} of {len(tunes)}", "", "0", not carded, {"carded": carded}),
    ]
