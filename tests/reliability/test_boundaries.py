"""Channels of unlike items, recorded as a player would: nothing shows where one item ends and another begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.referee import decode_faults, examine
from tests.reliability.library import as_run, channel, make_clips, station
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
    return {Path(item).name for item, outcome, _ in as_run(server) if outcome == "aired"}


def test_forty_boundaries_of_unlike_items_show_no_fault(
    server: Server, clips: Path, tmp_path: Path, ffmpeg: str
) -> None:
    """Time stamps, clock references and counters go on over every boundary; every file fills its time."""
    names = {path.name for path in clips.iterdir()}
    began = time.time()

    def passed() -> int:
        now = time.time()
        return sum(
            began + 3 < row["starts"] < now for name in CHANNELS for row in server.guide(name, began, now + 1)
        )

    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(
            lambda: passed() >= BOUNDARIES and aired(server) == names,
            "forty boundaries were recorded and every file was on air whole",
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
