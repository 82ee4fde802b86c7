"""``python -m load.endurance``: the demo's channels, watched and checked while their encoders are harmed at random.

Exit code 0 when `exstream check-stream` found every stream clean, else 1.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from load.bench.memory import wait_until_furnished
from load.bench.server import Server

HARMS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGSTOP)
PAUSE = 0.5, 4.0
"""Seconds between two harms."""
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Endured:
    """What the check said of every stream, by name, and how many encoders were harmed meanwhile."""

    verdicts: Mapping[str, Mapping[str, Any]]
    clean: frozenset[str]
    harmed: int


def endure(
    streams: Mapping[str, str],
    seconds: float,
    encoders: Callable[[], Sequence[psutil.Process]],
    chance: random.Random,
) -> Endured:
    """Check every one of ``streams`` (addresses by name) for ``seconds`` while ``encoders()`` are harmed at random."""
    with ExitStack() as stack:
        checks = {name: stack.enter_context(_check(url, seconds)) for name, url in streams.items()}
        harmed, ends = 0, time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(chance.uniform(*PAUSE))
            harmed += _harm(encoders(), chance)
        told = {name: check.communicate(timeout=_PATIENCE)[0] for name, check in checks.items()}
    clean = frozenset(name for name, check in checks.items() if check.returncode == 0)
    return Endured({name: json.loads(words or "{}") for name, words in told.items()}, clean, harmed)


def _check(url: str, seconds: float) -> subprocess.Popen[str]:
    argv = [
        sys.executable,
        "-m",
        "exstream",
        "check-stream",
        url,
        "--seconds",
        str(seconds),
        "--decode",
        "--json",
    ]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def _harm(encoders: Sequence[psutil.Process], chance: random.Random) -> int:
    if not encoders:
        return 0
    with suppress(psutil.NoSuchProcess):
        chance.choice(encoders).send_signal(chance.choice(HARMS))
        return 1
    return 0


def main() -> int:
    """Run the demo, harm it, and say how each channel was."""
    options = argparse.ArgumentParser(
        prog="python -m load.endurance", description="Check the demo under harm."
    )
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--seed", type=int, default=1984, help="the same seed harms in the same way")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="exstream-endurance-") as folder, Server(Path(folder)) as server:
        print("waiting for the demo library", file=sys.stderr, flush=True)
        wait_until_furnished(server)
        channels = [channel["id"] for channel in json.loads(server.get("/api/v1/channels")[1])]
        streams = {name: f"http://127.0.0.1:{server.port}/iptv/channel/{name}.ts" for name in channels}
        print(f"checking {len(streams)} channels for {chosen.minutes:g} minutes", file=sys.stderr, flush=True)
        endured = endure(streams, chosen.minutes * 60, server.encoders, random.Random(chosen.seed))
    for name, verdict in endured.verdicts.items():
        print(f"{name:<24}  {'clean' if name in endured.clean else json.dumps(verdict)}")
    print(f"{endured.harmed} encoders were harmed")
    return 0 if endured.clean == frozenset(endured.verdicts) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
