"""mpv plays a channel that copies and one that encodes over their boundaries, without a complaint."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import material
from tests.programs import require_program
from tests.reliability.library import channel, settle, station
from tests.reliability.server import Server, served

pytestmark = [pytest.mark.slow, pytest.mark.programs, pytest.mark.timeout(300)]

CHANNELS = {"copied": "copy", "encoded": "small"}
SECONDS = 18
"""Two boundaries at least."""
COMPLAINTS = re.compile(
    r"error|corrupt|invalid|discontinuity|jump|desync|non-monot|non monot|missing|out of range",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Air three films of eight seconds."""
    home = tmp_path_factory.mktemp("mpv")
    films = home / "films"
    films.mkdir()
    for place, name in enumerate(("amber", "birch", "cedar")):
        material.clip(films, f"{name}.mp4", seconds=8, tone=300 + 60 * place)
    settle(films)
    channels = {
        name: channel(str(number), name.title(), profile=profile)
        for number, (name, profile) in enumerate(CHANNELS.items(), start=1)
    }
    with served(station(home, films, channels, linger_seconds=1)) as server:
        yield server


@pytest.mark.parametrize("name", CHANNELS)
def test_mpv_plays_over_boundaries(server: Server, name: str, tmp_path: Path) -> None:
    """Picture and sound are played at the pace of the clock for so long, and mpv has nothing to complain of."""
    mpv = require_program("mpv")
    log = tmp_path / "mpv.txt"
    options = [
        "--no-config",
        "--vo=null",
        "--ao=null",
        "--no-terminal",
        "--msg-level=all=v",
        f"--log-file={log}",
    ]
    began, started = time.time(), time.monotonic()
    done = subprocess.run(
        [mpv, *options, f"--length={SECONDS}", server.stream(name)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )
    said = log.read_text(errors="replace")
    assert done.returncode == 0, said
    assert time.monotonic() - started > SECONDS - 1
    boundaries = [row for row in server.guide(name, began, time.time()) if row["starts"] > began + 1]
    assert len(boundaries) >= 2
    assert re.search(r"Video --vid=1.*h264", said), said
    assert re.search(r"Audio --aid=1.*aac", said), said
    assert "VO: [null]" in said
    assert "AO: [null]" in said
    # A machine that is busy elsewhere may starve mpv's sound device; what the stream is to blame for is told apart.
    lines = [line for line in said.splitlines() if "underrun" not in line]
    complaints = [line for line in lines if re.search(r"\]\[[wef]\]\[", line) or _complains(line)]
    assert complaints == []


def _complains(line: str) -> bool:
    return bool(re.search(r"\]\[v\]\[(demux|lavf|ffmpeg|ad|vd|cplayer)", line)) and bool(
        COMPLAINTS.search(line)
    )
