"""Encoders that are killed or hang: how long a viewer receives nothing, and how long nothing of the programme."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from load.bench.media import CABLE, SETTINGS, enlist, make, settle
from load.bench.server import Server
from load.bench.spread import milliseconds, p95
from load.bench.table import NotMeasured, Row
from load.bench.viewer import Viewer

ROUNDS = 5
HARMS = {signal.SIGKILL: ("ffmpeg killed", 8.0, 2.0), signal.SIGSTOP: ("ffmpeg hangs", 14.0, 6.0)}
"""What is done to an encoder: what it is called, how long it is watched, and the longest silence that is allowed."""
CHANNELS = {"copy-1": "copy", "copy-2": "copy", "copy-3": "copy", "small-1": "small", "small-2": "small"}
SMALL = {
    "small": {
        "width": 640,
        "height": 360,
        "rate": 25,
        "video_kbps": 1_500,
        "max_kbps": 2_000,
        "preset": "ultrafast",
    }
}
PROGRAMME_BYTES = 1_000
"""Two pictures in a row that are larger are the programme's, which is full of noise: a card stands still."""
_SETTLE = 8.0


@dataclass(frozen=True, slots=True)
class Outage:
    """The longest times without a packet and without a picture of the programme after one harm, in seconds."""

    channel: str
    packet: float
    programme: float


class Witness:
    """A viewer in a thread of its own, who notes when packets and pictures of the programme arrive."""

    def __init__(self, port: int, channel: str) -> None:
        self.channel = channel
        self._viewer = Viewer(port, channel)
        self._packets: list[float] = []
        self._programme: list[float] = []
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"witness of {channel}", daemon=True)
        self._fault: NotMeasured | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join()

    def outage(self, since: float) -> Outage:
        """Return the longest times without anything from ``since`` until now; raises `NotMeasured` if cut off."""
        if self._fault is not None:
            raise self._fault
        now = time.perf_counter()
        return Outage(
            self.channel, _longest(self._packets, since, now), _longest(self._programme, since, now)
        )

    def _watch(self) -> None:
        large = 0
        try:
            with self._viewer as viewer:
                while not self._leaving.is_set():
                    viewer.read()
                    self._packets.append(time.perf_counter())
                    for picture in viewer.transport.pictures:
                        large = large + 1 if picture.size > PROGRAMME_BYTES else 0
                        if large > 1:
                            self._programme.append(self._packets[-1])
                    viewer.transport.pictures.clear()
        except NotMeasured as fault:
            self._fault = fault


def _longest(arrivals: Sequence[float], since: float, until: float) -> float:
    """Return the longest time without an arrival that ends in the stretch, also the one that it ends with."""
    seen = [since, *(arrival for arrival in arrivals if since < arrival < until), until]
    return max(later - earlier for earlier, later in pairwise(seen))


def measure(folder: Path) -> list[Row]:
    """Harm the encoder of every channel at an instant left to chance, again and again, and look what viewers get."""
    media = folder / "media"
    film = make(CABLE, media)
    for channel in CHANNELS:
        os.link(film, media / f"{channel}.mp4")
    film.unlink()
    for path in media.iterdir():
        settle(path)
    enlist(folder, CHANNELS, SMALL, {channel: channel for channel in CHANNELS})
    found: list[Row] = []
    with Server(folder, SETTINGS) as server, ExitStack() as stack:
        witnesses = [stack.enter_context(Witness(server.port, channel)) for channel in CHANNELS]
        time.sleep(_SETTLE)
        chance = random.Random(6)
        with ThreadPoolExecutor(len(witnesses)) as pool:
            for harm, (_, watch, _) in HARMS.items():
                outages: list[Outage] = []
                for _ in range(ROUNDS):
                    waits = [chance.uniform(0, _SETTLE / 2) for _ in witnesses]
                    outages += pool.map(partial(_story, server, harm, watch), witnesses, waits)
                found += rows(harm, outages)
    return found


def _story(server: Server, harm: signal.Signals, watch: float, witness: Witness, wait: float) -> Outage:
    """Harm a channel's encoder after a while and say what its viewer lacked."""
    time.sleep(wait)
    victims = [victim for victim in server.encoders() if _encodes(victim, witness.channel)]
    if not victims:
        raise NotMeasured(f"nothing encodes {witness.channel}, though it is on air")
    since = time.perf_counter()
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.send_signal(harm)
    time.sleep(watch)
    return witness.outage(since)


def _encodes(process: psutil.Process, channel: str) -> bool:
    try:
        return any(word.endswith(f"/{channel}.mp4") for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def rows(harm: signal.Signals, outages: Sequence[Outage]) -> list[Row]:
    """Return what viewers lacked after ``harm``."""
    what, _, target = HARMS[harm]
    packets = [outage.packet for outage in outages]
    found = [
        Row(
            f"{what}: next packet, p95 (longest)",
            f"{milliseconds(p95(packets))} ({milliseconds(max(packets))})",
            "",
            f"<= {target:.0f} s",
            p95(packets) <= target,
            {"seconds": p95(packets), "longest": max(packets), "times": len(packets)},
        )
    ]
    for way in sorted(set(CHANNELS.values())):
        lacked = [outage.programme for outage in outages if CHANNELS[outage.channel] == way]
        called = "copy" if way == "copy" else "transcode"
        found.append(
            Row(
                f"{what}: next picture of the programme, {called}: p95 (longest)",
                f"{milliseconds(p95(lacked))} ({milliseconds(max(lacked))})",
                values={"seconds": p95(lacked), "longest": max(lacked)},
            )
        )
    return found
