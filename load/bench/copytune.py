"""Cold tune into copy channels: from the request to the first whole key frame of the programme, beside raw ffmpeg."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from load.bench.media import READY_FILMS, SETTINGS, furnish
from load.bench.server import Server
from load.bench.spread import median, milliseconds, p95
from load.bench.table import NotMeasured, Row
from load.bench.tune import Tune, tune

TIMES = 15
"""Tunes into each film."""
TARGET_SECONDS = 0.25
_PAUSE = 1.0
CHANNELS = {Path(clip.name).stem.replace(" ", "-"): Path(clip.name).stem for clip in READY_FILMS}
"""The film of each channel."""


def measure(folder: Path) -> list[Row]:
    """Tune in at places left to chance, one kind of film after the other, each time on a cold channel."""
    furnish(folder, READY_FILMS, dict.fromkeys(CHANNELS, "copy"), films=CHANNELS)
    chance = random.Random(1984)
    tunes: dict[str, list[Tune]] = {channel: [] for channel in CHANNELS}
    failures: list[str] = []
    with Server(folder, SETTINGS) as server:
        tune(server, next(iter(CHANNELS)))  # the disk's and the loader's caches are warm from here on
        for _ in range(TIMES):
            for channel, done in tunes.items():
                time.sleep(chance.uniform(0, _PAUSE))
                try:
                    done.append(tune(server, channel))
                except NotMeasured as fault:
                    failures.append(f"{channel}: {fault}")
                    print(f"copytune: {failures[-1]}", file=sys.stderr)
    if not all(tunes.values()):
        raise NotMeasured("; ".join(failures))
    return rows(tunes, failures)


def rows(tunes: Mapping[str, Sequence[Tune]], failures: Sequence[str]) -> list[Row]:
    """Return what the tunes into each channel say."""
    found = []
    for channel, done in tunes.items():
        took, floor = [each.seconds for each in done], [each.floor for each in done]
        gop, container = channel.split("-")
        found.append(
            Row(
                f"cold tune, copy of {container}, key frames {gop} s apart: median, p95",
                f"{milliseconds(median(took))}, {milliseconds(p95(took))}",
                f"{milliseconds(median(floor))}, {milliseconds(p95(floor))} raw ffmpeg",
                f"p95 <= {milliseconds(TARGET_SECONDS)}",
                p95(took) <= TARGET_SECONDS,
                {"seconds": median(took), "p95": p95(took), "floor": median(floor)},
            )
        )
    carded = sum(each.carded for done in tunes.values() for each in done)
    number = len(failures) + sum(map(len, tunes.values()))
    return [
        *found,
        Row(
            "cold tune, copy: failed, card first",
            f"{len(failures)}, {carded} of {number}",
            "",
            "0, 0",
            not failures and not carded,
            {"failed": len(failures), "carded": carded},
        ),
    ]
