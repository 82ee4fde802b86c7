"""Encoders harmed at instants left to chance, on a channel that encodes and on one that copies; viewers stay."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from exstream.mpegts.conformance import check
from tests.referee import decode_faults, examine
from tests.reliability.library import channel, run, settle, station
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings
from tests.reliability.server import Server, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHANNELS = {"copied": "copy", "encoded": "small"}
SECONDS = 20.0
PATIENCE = 200.0
"""Seconds within which a film has come that a process copies."""
PAUSE = 0.2, 3.0
"""Far enough apart for the stream to recover now and then."""
LONG = (
    "-f lavfi -i testsrc2=s=640x360:r=25:d=60,noise=alls=30:allf=t -f lavfi -i sine=f=500:r=48000:d=60 "
    "-c:v libx264 -preset ultrafast -b:v 5M -pix_fmt yuv420p -g 50 -c:a aac -ac 2"
)
"""A film that no pipe holds: its encoder runs for as long as it is on."""


@pytest.fixture(scope="module")
def station_home(ffmpeg: str, reel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish a channel that copies the clips and one that encodes them."""
    home = tmp_path_factory.mktemp("harmed")
    shutil.copytree(reel, home / "films")
    for name in ("long.mp4", "longer.mkv"):
        run(ffmpeg, *LONG.split(), str(home / "films" / name))
    settle(home / "films")
    channels = {
        name: channel(str(number), name.title(), profile=profile)
        for number, (name, profile) in enumerate(CHANNELS.items(), start=1)
    }
    with served(station(home, home / "films", channels)) as made:
        made.terminate()
    return home


@pytest.fixture
def server(station_home: Path, tmp_path: Path) -> Iterator[Server]:
    """Run such a server on a data directory of its own."""
    shutil.copytree(station_home / "data", tmp_path / "server" / "data")
    with served(Server(tmp_path / "server", demo="false", horizon_days=2, linger_seconds=1)) as server:
        yield server


def killed(victim: psutil.Process) -> None:
    """Die at once, as the kernel's out-of-memory killer has it."""
    victim.kill()


def crashed(victim: psutil.Process) -> None:
    """Die of a fault of its own."""
    victim.send_signal(signal.SIGSEGV)


def stopped(victim: psutil.Process) -> None:
    """Live, and do nothing any more."""
    victim.suspend()


def starved(victim: psutil.Process) -> None:
    """Get no more memory from now on."""
    resource.prlimit(victim.pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))


def way_of(encoder: psutil.Process) -> str:
    """Return what an encoder does."""
    return "copy" if "copy" in encoder.cmdline() else "encode"


@pytest.mark.parametrize("harm", [killed, crashed, stopped, starved])
def test_viewers_see_no_fault_whatever_happens_to_encoders(
    server: Server, tmp_path: Path, ffmpeg: str, harm: Callable[[psutil.Process], None]
) -> None:
    """Both streams go on without a fault, the programme comes back, and the as-run log tells what happened."""
    chance = random.Random(harm.__name__)
    harmed = {"copy": 0, "encode": 0}
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(lambda: all(each.received for each in recorded.values()), "both are on air")
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends or not all(harmed.values()):
            assert time.monotonic() < ends + PATIENCE, harmed
            time.sleep(chance.uniform(*PAUSE))
            victims = server.encoders()
            chance.shuffle(victims)
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                if victims:
                    victim = min(victims, key=lambda each: harmed[way_of(each)])
                    way = way_of(victim)
                    harm(victim)
                    harmed[way] += 1
        received = {name: each.received for name, each in recorded.items()}
        eventually(
            lambda: all(each.received > received[name] + 200_000 for name, each in recorded.items()),
            "both programmes go on",
        )
        assert not any(each.ended.is_set() for each in recorded.values())
        data = {name: each.stop() for name, each in recorded.items()}
    assert server.figure("exstream_feed_failures_total") > 0 or harm is starved
    for name in CHANNELS:
        assert examine(data[name]).faults == [], name
        assert check(data[name]).told() == [], name
        assert decode_faults(ffmpeg, tmp_path / f"{name}.ts") == "", name
