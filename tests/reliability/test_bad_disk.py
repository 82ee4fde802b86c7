"""A disk that is full while channels are on air: streams go on, and the log recovers when there is space."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exstream.mpegts.conformance import check
from tests.programs import require_program
from tests.referee import decode_faults, examine
from tests.reliability.library import as_run, channel, station
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings
from tests.reliability.server import Server, ask, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHANNELS = {"copied": "copy", "encoded": "small"}
SIZE = "24m"
RECOVERY_SECONDS = 5.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk in memory; only root may, and not everywhere."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid():
        pytest.skip("only root may mount a disk")
    mounted = subprocess.run(
        [require_program("mount"), "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(disk: Path, reel: Path, tmp_path: Path) -> Iterator[Server]:
    """Run a server whose data directory is on that disk."""
    films = Path(shutil.copytree(reel, tmp_path / "films"))
    channels = {
        name: channel(str(number), name.title(), profile=profile)
        for number, (name, profile) in enumerate(CHANNELS.items(), start=1)
    }
    with served(station(disk / "server", films, channels)) as server:
        yield server


def fill(disk: Path) -> Path:
    """Leave no byte free on ``disk``; return the file that takes them."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4_096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


def test_a_full_disk_stops_no_stream(server: Server, disk: Path, tmp_path: Path, ffmpeg: str) -> None:
    """Two boundaries pass without a fault while nothing can be written; then the as-run log is there within seconds."""
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(lambda: len(as_run(server)) > 1, "the log is being written")
        ballast = fill(disk)
        began = time.time()
        passed = [row["starts"] for row in server.guide("copied", began, began + 60)[1:3]]
        eventually(lambda: time.time() > passed[-1] + 2, "two boundaries have passed")
        assert ask(f"{server.iptv}/iptv/xmltv.xml").status == 200
        assert ask(f"{server.tuner}/lineup.json").status == 200
        assert ask(f"{server.iptv}/").status == 200
        known = len(as_run(server))
        ballast.unlink()
        eventually(
            lambda: len(as_run(server)) > known, "the log has what it missed", seconds=RECOVERY_SECONDS + 2
        )
        eventually(
            lambda: passed[0] in {starts for _, _, starts in as_run(server)}, "with what aired meanwhile"
        )
        assert not any(each.ended.is_set() for each in recorded.values())
        data = {name: each.stop() for name, each in recorded.items()}
    for name in CHANNELS:
        assert examine(data[name]).faults == [], name
        assert check(data[name]).told() == [], name
        assert decode_faults(ffmpeg, tmp_path / f"{name}.ts") == "", name
