"""Channels of deliberately unlike items, recorded as any player would: nothing shows where one ends and the next begins."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.referee import decode_faults, examine
from tests.reliability.library import channel, make_clips, station
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings, unix_time
from tests.reliability.server import Server, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BOUNDARIES = 40
PICTURES = {"small": 3_600.0, "cinema": 90_000 * 1_001 / 24_000}
CHANNELS = {"alpha": "small", "beta": "small", "gamma": "small", "delta": "cinema", "epsilon": "cinema"}


@pytest.fixture(scope="module")
def clips(ffmpeg: str, media_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the clips."""
    return make_clips(ffmpeg, tmp_path_factory.mktemp("unlike") / "clips", media_dir)


@pytest.fixture
def server(clips: Path, tmp_path: Path) -> Iterator[Server]:
    """Run a server with three channels of 25 and two of 23.976 pictures a second."""
    definitions = {
        name: channel(str(number), name.title(), profile=profile)
        for number, (name, profile) in enumerate(CHANNELS.items(), start=1)
    }
    with served(station(tmp_path / "server", clips, definitions)) as server:
        yield server


def aired(server: Server) -> set[str]:
    """Return the names of the files that were on air whole, by the as-run log."""
    with sqlite3.connect(server.data_dir / "exstream.db") as log:
        rows = log.execute("SELECT DISTINCT item FROM asrun WHERE outcome = 'aired' AND item IS NOT NULL")
        found = {Path(item).name for (item,) in rows}
    log.close()
    return found


def test_forty_boundaries_of_unlike_items_show_no_fault(
    server: Server, clips: Path, tmp_path: Path, ffmpeg: str
) -> None:
    """Time stamps, clock references and counters go on over every boundary; every sound file was seen whole."""
    names = {path.stem for path in clips.iterdir()}
    began = time.time()

    def passed() -> int:
        now = time.time()
        return sum(
            began + 3 < row["starts"] < now for name in CHANNELS for row in server.guide(name, began, now + 1)
        )

    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(
            lambda: passed() >= BOUNDARIES and len(aired(server)) >= len(names) - 2,
            "forty boundaries were recorded and every whole file was on air",
            seconds=400,
            pause=2,
        )
        data = {name: recording.stop() for name, recording in recorded.items()}

    seen = 0
    for name, profile in CHANNELS.items():
        report = examine(data[name], PICTURES[profile])
        assert report.faults == [], name
        assert decode_faults(ffmpeg, tmp_path / f"{name}.ts") == "", name
        first, last = unix_time(min(report.video)), unix_time(max(report.video))
        seen += sum(first < row["starts"] < last for row in server.guide(name, first, last))
    assert seen >= BOUNDARIES
