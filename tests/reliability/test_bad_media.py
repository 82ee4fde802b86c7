"""Media that change under a running channel, and folders that cannot be read."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.programs import require_program
from tests.referee import decode_faults, examine
from tests.reliability.library import as_run, settle, station
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording
from tests.reliability.server import Server, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def on_now(server: Server) -> str:
    """Return the title of what is on channel one."""
    title: str = server.json("channels/one/now")["now"]["title"]
    return title


def failed(server: Server) -> set[str]:
    """Return the films that the server says it could not play, without their suffix."""
    return set(re.findall(r"feed failed .* item=local:\d+/(\w+)\.mp4", server.console()))


def test_files_that_change_while_they_are_on_air_break_nothing(
    server: Server, films: Path, tmp_path: Path, ffmpeg: str
) -> None:
    """One film is truncated while it plays, one deleted, one replaced by text: the stream goes on, the fourth airs."""
    path = tmp_path / "one.ts"
    with Recording(server.stream("one"), path) as recording:
        eventually(lambda: on_now(server) == "dogwood" and recording.received, "the fourth film is on")
        eventually(lambda: on_now(server) == "amber", "the first film is on")
        with (films / "amber.mp4").open("r+b") as playing:
            playing.truncate(20_000)
        (films / "birch.mp4").unlink()
        (films / "other.txt").write_text("Not a film.\n" * 1_000)
        (films / "other.txt").replace(films / "cedar.mp4")
        harmed = time.time()
        eventually(lambda: failed(server) == {"amber", "birch", "cedar"}, "all three had their turn")
        eventually(
            lambda: any(
                Path(item).stem == "dogwood" and outcome == "aired" and starts > harmed
                for item, outcome, starts in as_run(server)
            ),
            "the fourth film was on air whole",
        )
        assert not recording.ended.is_set()
        data = recording.stop()
    assert examine(data).faults == []
    assert decode_faults(ffmpeg, path) == ""
    assert server.figure("exstream_card_seconds_total") > 2


def test_a_film_that_comes_back_is_on_air_again(server: Server, films: Path, tmp_path: Path) -> None:
    """A library folder that vanishes, as an unmounted disk does, is told, and forgotten by nobody; it plays on."""
    before = server.guide("one", time.time(), time.time() + 3_600)
    away = films.with_name("away")
    films.rename(away)
    with Recording(server.stream("one"), tmp_path / "one.ts") as recording:
        eventually(lambda: recording.received > 100_000, "there is a stream of cards")
        eventually(lambda: server.figure("exstream_card_seconds_total") > 1, "they are cards")
        after = server.guide("one", before[0]["starts"] + 0.5, before[-1]["ends"] - 0.5)
        assert after == before
        away.rename(films)
        back = time.time()
        eventually(
            lambda: any(outcome == "aired" and starts > back for _, outcome, starts in as_run(server)),
            "a film was on air whole",
        )
        data = recording.stop()
    assert examine(data).faults == []


def bound_by_permissions() -> list[str]:
    """Return how to start programs to which files' permissions mean something, for root as for anyone else."""
    if os.geteuid():
        return []
    setpriv = require_program("setpriv")
    return [setpriv, "--bounding-set=-dac_override,-dac_read_search", "--"]


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_airs(reel: Path, tmp_path: Path) -> None:
    """A locked folder below a library is named with its reason; what can be read goes on air."""
    films = Path(shutil.copytree(reel, tmp_path / "films"))
    locked = films / "locked"
    locked.mkdir()
    (films / "amber.mp4").rename(locked / "amber.mp4")
    settle(films)
    locked.chmod(0)
    prefix = bound_by_permissions()
    definition = f'number: "1"\nname: One\nprofile: small\nprogrammes:\n  - pool: {{library: {films.name}}}\n'
    try:
        added = command(tmp_path / "data", "library", "add", str(films), prefix=prefix)
        assert f"{locked} cannot be read (Permission denied)" in added.stdout + added.stderr
        assert "Traceback" not in added.stderr
        made = station(tmp_path / "server", films, {"one": definition}, prefix=prefix)
        with served(made), Recording(made.stream("one"), tmp_path / "one.ts") as recording:
            assert on_now(made) in {"birch", "cedar", "dogwood"}
            eventually(lambda: f"{locked} cannot be read" in made.console(), "the server says so as well")
            eventually(lambda: recording.received > 300_000, "the rest is on air")
            assert examine(recording.stop()).faults == []
    finally:
        locked.chmod(0o755)
