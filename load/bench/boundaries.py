"""Three hundred boundaries of unlike items on channels that copy and on channels that encode, judged from outside."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote
from urllib.request import urlopen

from load.bench.media import SETTINGS, enlist
from load.bench.reels import LONGEST, REELS, SHORTEST, make_reels
from load.bench.seen import Published, Seen, judge, of_guide
from load.bench.server import Server
from load.bench.spread import median, milliseconds
from load.bench.table import NotMeasured, Row

CHANNELS = {f"copy-{n}": "copy" for n in range(8)} | {f"small-{n}": "small" for n in range(8)}
SMALL = {
    "small": {
        "width": 320,
        "height": 180,
        "rate": 25,
        "video_kbps": 400,
        "max_kbps": 500,
        "preset": "ultrafast",
    }
}
WANTED = 300
TARGET_DRIFT = 0.1
_SECONDS = (WANTED / len(CHANNELS) + 2) * (SHORTEST + LONGEST) / 2
"""How long to record: two boundaries more on each channel than are wanted."""
_STAGGER = 0.4
_READ_BYTES = 65_536
_WAYS = {reel.clip.title: reel.way for reel in REELS}
_CODES = {reel.clip.title: reel.clip.code for reel in REELS}


class Recorder:
    """Writes a channel's stream into a file for as long as the block lasts."""

    def __init__(self, port: int, channel: str, path: Path) -> None:
        self.path = path
        self._url = f"http://127.0.0.1:{port}/iptv/channel/{channel}.ts"
        self._leaving = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._record, name=f"recorder of {channel}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join()

    @property
    def gone(self) -> bool:
        """Whether the server ended the stream."""
        return self._ended

    def _record(self) -> None:
        try:
            with urlopen(self._url, timeout=20) as answer, self.path.open("wb") as file:
                while not self._leaving.is_set():
                    data = answer.read1(_READ_BYTES)
                    if not data:
                        break
                    file.write(data)
        except (OSError, HTTPException):
            self._ended = True
        self._ended = self._ended or not self._leaving.is_set()


@dataclass(frozen=True, slots=True)
class Judged:
    """One channel's recording."""

    profile: str
    seen: Seen
    gone: bool


def measure(folder: Path) -> list[Row]:
    """Record every channel until there were enough boundaries, then judge each picture."""
    make_reels(folder / "media")
    enlist(folder, CHANNELS, SMALL)
    recordings: dict[str, Recorder] = {}
    with Server(folder, SETTINGS) as server:
        began = time.time()
        with ExitStack() as stack:
            for channel in CHANNELS:
                recorder = Recorder(server.port, channel, folder / f"{channel}.ts")
                recordings[channel] = stack.enter_context(recorder)
                time.sleep(_STAGGER)
            time.sleep(_SECONDS)
        guides = {channel: _guide(server, channel, began) for channel in CHANNELS}
    with ProcessPoolExecutor(2) as pool:
        seen = pool.map(
            judge,
            (recordings[channel].path for channel in CHANNELS),
            (guides[channel] for channel in CHANNELS),
        )
        judged = [
            Judged(CHANNELS[channel], each, recordings[channel].gone)
            for channel, each in zip(CHANNELS, seen, strict=True)
        ]
    for each in judged:
        for words in each.seen.told:
            print(words, file=sys.stderr, flush=True)
    return rows(judged)


def _guide(server: Server, channel: str, began: float) -> list[Published]:
    first = datetime.fromtimestamp(began - 60, UTC)
    last = datetime.fromtimestamp(time.time() + 60, UTC)
    query = f"channel={channel}&from={quote(first.isoformat())}&to={quote(last.isoformat())}"
    status, body = server.get(f"/api/v1/guide?{query}")
    if status != 200:
        raise NotMeasured(f"the guide of {channel} was answered with {status}")
    return of_guide(json.loads(body), _CODES)


def rows(judged: Sequence[Judged]) -> list[Row]:
    """Return what the recordings say."""
    joins: Counter[str] = Counter()
    for each in judged:
        for title, times in each.seen.boundaries.items():
            joins[_WAYS[title] if each.profile == "copy" else "transcode"] += times
    boundaries = joins.total()
    seen = [each.seen for each in judged]
    faults = {
        "priority 1": sum(each.priority_1 for each in seen),
        "at joins": sum(each.joins for each in seen),
        "in decoding": sum(each.decode for each in seen),
        "sent away": sum(each.gone for each in judged),
    }
    ways = ", ".join(f"{joins[way]} {way}" for way in ("copy", "audio", "transcode"))
    return [
        Row(
            f"boundaries: faults ({', '.join(faults)})",
            ", ".join(map(str, faults.values())),
            "",
            f"0 in {WANTED}",
            not any(faults.values()) and boundaries >= WANTED,
            {**faults, "boundaries": boundaries},
        ),
        Row(
            "boundaries: how many, by the way of what begins",
            f"{boundaries}: {ways}",
            "",
            f">= {WANTED}",
            boundaries >= WANTED,
            dict(joins),
        ),
        *_exactness(seen, boundaries),
    ]


def _exactness(seen: Sequence[Seen], boundaries: int) -> list[Row]:
    late, wrong = sum(each.late for each in seen), sum(each.wrong for each in seen)
    pictures, blank = sum(each.pictures for each in seen), sum(each.blank for each in seen)
    drift = sorted(abs(seconds) for each in seen for seconds in each.drift)
    if not drift:
        raise NotMeasured("no picture showed its strip")
    worst = drift[int(len(drift) * 0.99)]
    return [
        Row(
            "boundaries: the new programme not on its very picture",
            f"{late} of {boundaries}",
            "",
            "0",
            not late,
            {"late": late},
        ),
        Row(
            "pictures of another programme; of a card",
            f"{wrong} of {pictures}; {blank / pictures:.2%}",
            "",
            "0",
            not wrong,
            {"wrong": wrong, "blank": blank, "pictures": pictures},
        ),
        Row(
            "received against published: |drift| median, p99",
            f"{milliseconds(median(drift))}, {milliseconds(worst)}",
            "",
            f"p99 <= {milliseconds(TARGET_DRIFT)}",
            worst <= TARGET_DRIFT,
            {"median": median(drift), "p99": worst, "most": drift[-1]},
        ),
    ]
