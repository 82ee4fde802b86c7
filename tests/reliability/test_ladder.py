"""A file that no encoder can play, on a real server: set aside, told everywhere, and back when it changes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests import material
from tests.referee import decode_faults, examine
from tests.reliability.library import as_run
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording
from tests.reliability.server import Server, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


OPENED_AHEAD = 10.0
"""What was being opened in the moment in which the film was set aside may have failed by itself, in seconds."""


@pytest.fixture
def hurt(prepared: Server) -> Server:
    """Return a server whose ffmpeg fails with every feed of one film, unless a file says that it is mended."""
    program, mended = prepared.home / "ffmpeg", prepared.home / "mended"
    program.write_text(
        f'#!/bin/sh\nif [ ! -e "{mended}" ]; then case "$*" in *birch.mp4*) case "$*" in *mpegts*)'
        f' echo "it hurts" >&2; exit 1;; esac;; esac; fi\nexec "{material.FFMPEG}" "$@"\n'
    )
    program.chmod(0o755)
    return Server(prepared.home, demo="false", horizon_days=2, linger_seconds=1, ffmpeg=program)


def test_a_bad_file_is_set_aside_and_comes_back(
    hurt: Server, films: Path, tmp_path: Path, ffmpeg: str
) -> None:
    """Three failures set it aside, a restart knows it, nothing is started for it, and a changed file airs again."""
    bad, path = films / "birch.mp4", tmp_path / "one.ts"
    with served(hurt), Recording(hurt.stream("one"), path) as recording:
        eventually(lambda: hurt.json("bad-files"), "the film is set aside", seconds=120)
        (told,) = hurt.json("bad-files")
        assert (told["path"], told["failures"]) == (str(bad), 3)
        assert "it hurts" in told["reason"]
        eventually(lambda: hurt.figure("exstream_bad_files") == 1, "the figures say so")
        failures = hurt.figure("exstream_feed_failures_total")
        aside = time.time() + OPENED_AHEAD
        eventually(
            lambda: any("birch" in item and starts > aside for item, _, starts in as_run(hurt)),
            "it had its turn once more",
        )
        data = recording.stop()
        assert examine(data).faults == []
        assert decode_faults(ffmpeg, path) == ""
        # Nothing was opened: the source, another copy and filler were all missed at once.
        assert hurt.figure("exstream_feed_failures_total") > failures
        log = json.loads(command(hurt.data_dir, "asrun", "one", "--json").stdout)
        last = [each for each in log if "birch" in each["item"]][-1]
        assert {each["failure"] for each in last["setbacks"]} == {"missing"}
        assert "set aside" in last["setbacks"][0]["reason"]
        others = [each for each in log[1:-1] if "birch" not in each["item"]]
        assert {each["outcome"] for each in others} == {"aired"}
        hurt.terminate()
    with served(hurt):
        assert hurt.json("bad-files")[0]["path"] == str(bad)
        (hurt.home / "mended").touch()
        os.utime(bad, (1_600_000_000, 1_600_000_000))
        eventually(lambda: not hurt.json("bad-files"), "the file has changed: it may be played again")
        with Recording(hurt.stream("one"), tmp_path / "again.ts"):
            back = time.time()
            eventually(
                lambda: any(
                    "birch" in item and outcome == "aired" and starts > back
                    for item, outcome, starts in as_run(hurt)
                ),
                "it was on air whole",
            )
