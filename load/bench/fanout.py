"""A thousand viewers of one channel at 8 Mbit/s, beside a bare sender of the same bytes to the same viewers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from exstream.ffmpeg.guard import setpriv_guard
from load.bench.media import SETTINGS, SNOW, furnish
from load.bench.sender import LISTENING
from load.bench.server import Server, free_port
from load.bench.spread import median
from load.bench.swarm import BEGUN, Counted
from load.bench.table import NotMeasured, Row
from load.bench.viewer import Watching

VIEWERS = 1_000
SECONDS = 30.0
TARGET_RATE = 0.98
TARGET_MBPS = 8.0
TARGET_CPU = 0.40
"""Of a core, by the server."""
PROFILE: dict[str, dict[str, Any]] = {
    "eight": {
        "width": 320,
        "height": 180,
        "rate": 25,
        "video_kbps": 7_700,
        "max_kbps": 8_000,
        "preset": "ultrafast",
    }
}
_JOIN = 20.0
_SETTLE = 8.0
_RECORD = 10.0


class Crowd(NamedTuple):
    """How a crowd of viewers was served."""

    rates: list[float]
    """Each viewer's bytes per second."""
    gone: int
    cpu: float
    """Of a core, by the process that sends."""


class Troubles(NamedTuple):
    """What viewers would notice, counted by the server."""

    skips: float
    """Slow viewers moved on."""
    cards: float
    """Seconds of card."""
    late: float
    """How often the event loop woke more than a quarter of a second late."""

    @classmethod
    def of(cls, server: Server) -> Troubles:
        """Read the server's figures."""
        woken = "exstream_event_loop_lag_seconds"
        return cls(
            server.figure("exstream_viewer_skips_total"),
            server.figure("exstream_card_seconds_total"),
            server.figure(f"{woken}_count") - server.figure(f'{woken}_bucket{{le="0.25"}}'),
        )

    def since(self, before: Troubles) -> Troubles:
        """Return what has been added."""
        return Troubles(*(now - was for now, was in zip(self, before, strict=True)))


class Aired(NamedTuple):
    """What the channel did meanwhile."""

    rate: float
    """Its bytes for each second of media."""
    encoder: float
    """Its encoder's share of a core."""
    media: float
    """Seconds of media that went by for each second of the clock."""
    troubles: Troubles


def measure(folder: Path) -> list[Row]:
    """Serve a crowd by the server, then the same crowd by the bare sender."""
    furnish(folder, (SNOW,), {"snow": "eight"}, PROFILE)
    recording = folder / "recording.ts"
    with Server(folder, SETTINGS) as server:
        crowd, aired = _served(server, recording)
    return rows(crowd, aired, _bare(recording, aired.rate))


def _served(server: Server, recording: Path) -> tuple[Crowd, Aired]:
    before: list[tuple[float, float, float, int]] = []
    with Watching(server.port, "snow", recording, _RECORD) as reference:
        time.sleep(_RECORD)

        def now() -> tuple[float, float, float, int]:
            return (*server.cpu_seconds(), *reference.position())

        troubles = Troubles.of(server)
        counted = _crowd(server.port, lambda: before.append(now()))
        own, encoder, media, position = (then - was for then, was in zip(now(), before[0], strict=True))
        reference.check()
        troubles = Troubles.of(server).since(troubles)
    rates = [received / counted.seconds for received in counted.received]
    aired = Aired(position / media, encoder / counted.seconds, media / counted.seconds, troubles)
    return Crowd(rates, counted.gone, own / counted.seconds), aired


def _bare(recording: Path, rate: float) -> Crowd:
    port = free_port()
    argv = [*setpriv_guard(), sys.executable, "-m", "load.bench.sender", str(port), str(recording), str(rate)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        try:
            _expect(sender, LISTENING)
            process = psutil.Process(sender.pid)
            before: list[float] = []
            counted = _crowd(port, lambda: before.append(sum(process.cpu_times()[:2])))
            cpu = (sum(process.cpu_times()[:2]) - before[0]) / counted.seconds
        finally:
            sender.terminate()
    return Crowd([received / counted.seconds for received in counted.received], counted.gone, cpu)


def _crowd(port: int, begun: Callable[[], object]) -> Counted:
    """Send the swarm to ``port``; ``begun`` is called when it begins to count."""
    argv = [*setpriv_guard(), sys.executable, "-m", "load.bench.swarm", str(port), "/iptv/channel/snow.ts"]
    argv += [
        "--viewers",
        str(VIEWERS),
        "--join",
        str(_JOIN),
        "--settle",
        str(_SETTLE),
        "--count",
        str(SECONDS),
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as swarm:
        try:
            _expect(swarm, BEGUN)
            begun()
            words = swarm.stdout.readline() if swarm.stdout else ""
            if not words:
                raise NotMeasured("the viewers ended early")
            return Counted(**json.loads(words))
        finally:
            swarm.terminate()


def _expect(program: subprocess.Popen[str], word: str) -> None:
    said = program.stdout.readline().strip() if program.stdout else ""
    if said != word:
        raise NotMeasured(f"a process of the measure said {said!r}, not {word!r}")


def rows(crowd: Crowd, aired: Aired, bare: Crowd) -> list[Row]:
    """Return what the two crowds say; the channel's rate is what its own clock says."""
    shares: Sequence[float] = [rate / aired.rate for rate in crowd.rates]
    floor = [rate / aired.rate for rate in bare.rates]
    mbps = aired.rate * 8 / 1e6
    what = f"{len(shares)} viewers"
    troubles = aired.troubles
    return [
        Row(
            f"{what} of a channel: its rate",
            f"{mbps:.2f} Mbit/s",
            "",
            f">= {TARGET_MBPS:.0f} Mbit/s",
            mbps >= TARGET_MBPS,
            {"mbps": mbps},
        ),
        Row(
            f"{what}: slowest (median), share of the rate",
            f"{min(shares):.1%} ({median(shares):.1%})",
            f"{min(floor):.1%} ({median(floor):.1%}) bare sender",
            f">= {TARGET_RATE:.0%}",
            min(shares) >= TARGET_RATE,
            {"slowest": min(shares), "median": median(shares), "floor": min(floor)},
        ),
        Row(
            f"{what}: sent away, moved on, seconds of card",
            f"{crowd.gone}, {troubles.skips:.0f}, {troubles.cards:.1f}",
            "",
            "0, 0, 0",
            not (crowd.gone or troubles.skips or troubles.cards),
            {"gone": crowd.gone, **troubles._asdict(), "media": aired.media},
        ),
        Row(
            f"{what}: the server's CPU of a core",
            f"{crowd.cpu:.0%}",
            f"{bare.cpu:.0%} bare sender",
            f"<= {TARGET_CPU:.0%}",
            crowd.cpu <= TARGET_CPU,
            values={"share": crowd.cpu, "floor": bare.cpu},
        ),
        Row(f"{what}: the encoder's CPU", f"{aired.encoder:.0%}", values={"share": aired.encoder}),
    ]
