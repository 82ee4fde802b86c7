"""What a viewer receives against what was published, and what the as-run log says of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.playout.shown import Shown, shown, strip_clip
from tests.referee import decode_faults, examine
from tests.reliability.library import channel, settle, station
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings
from tests.reliability.server import Server, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SECONDS = {"amber": 2, "birch": 3, "cedar": 4, "dogwood": 2, "elder": 3}
CODES = {name: code for code, name in enumerate(SECONDS, start=1)}
CHANNELS = {"alpha": "small", "beta": "small", "gamma": "cinema"}
PICTURE = {"small": 0.04, "cinema": 1_001 / 24_000}
BOUNDARIES = 60
ALLOWED = 0.1
"""Seconds; 99 of 100 boundaries drift less."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with three channels of clips that tell what they are and where."""
    home = tmp_path_factory.mktemp("drift")
    folder = home / "clips"
    folder.mkdir()
    for name, seconds in SECONDS.items():
        strip_clip(folder, f"{name}.mp4", CODES[name], seconds)
    settle(folder)
    definitions = {
        name: channel(str(number), name.title(), profile=profile)
        for number, (name, profile) in enumerate(CHANNELS.items(), start=1)
    }
    with served(station(home, folder, definitions)) as running:
        yield running


def drifts(seen: list[Shown], rows: list[dict[str, Any]]) -> dict[float, float]:
    """Return how late the first own picture of each row is for its position, by the row's start; in seconds."""
    found: dict[float, float] = {}
    for row in rows:
        code = CODES[row["title"]]
        own = (each for each in seen if row["starts"] <= each.at + 1e-4 < row["ends"] and each.code == code)
        first = next(own, None)
        if first is not None:
            found[row["starts"]] = first.at - row["starts"] - first.position
    return found


def test_what_is_received_is_where_it_was_published(server: Server, tmp_path: Path, ffmpeg: str) -> None:
    """Over many boundaries p99 of the drift is below 100 ms, and the as-run log says the same of each of them."""
    began = time.time()

    def passed() -> int:
        now = time.time()
        return sum(len(server.guide(name, began + 3, now)) - 1 for name in CHANNELS if now > began + 4)

    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(lambda: passed() > BOUNDARIES, "many boundaries were recorded", pause=1)
        for recording in recorded.values():
            recording.stop()
    eventually(lambda: not server.children(), "the channels are off air")
    received: list[float] = []
    for name, profile in CHANNELS.items():
        path = tmp_path / f"{name}.ts"
        assert examine(path.read_bytes(), PICTURE[profile] * 90_000).faults == [], name
        assert decode_faults(ffmpeg, path) == "", name
        seen = list(shown(path, began))
        rows = [row for row in server.guide(name, began, time.time() + 5) if row["ends"] < seen[-1].at]
        late = drifts(seen, rows)
        received += late.values()
        said = json.loads(command(server.data_dir, "asrun", name, "--json").stdout)
        logged = {_unix(each["planned_start"]): each["drift_ms"] / 1000 for each in said}
        for starts, drift in late.items():
            # A position is told in fiftieths of a second, and shown by the picture that is nearest.
            assert abs(logged[starts] - drift) < PICTURE[profile] + 0.02, (name, starts)
    received.sort(key=abs)
    print(
        f"{len(received)} boundaries: p50 {abs(received[len(received) // 2]) * 1000:.0f} ms,"
        f" p99 {abs(received[-1 - len(received) // 100]) * 1000:.0f} ms, worst {received[-1] * 1000:.0f} ms"
    )

    assert len(received) >= BOUNDARIES
    assert abs(received[-1 - len(received) // 100]) <= ALLOWED
    assert server.figure("exstream_asrun_drift_seconds_count") >= len(received)


def _unix(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()
