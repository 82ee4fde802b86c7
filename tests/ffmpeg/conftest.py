"""Sources and encoders for the tests of command lines, processes and probing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.ffmpeg.clips import make_clips

ENCODERS = tuple(dict.fromkeys(filter(None, (imageio_ffmpeg.get_ffmpeg_exe(), shutil.which("ffmpeg")))))
"""The pinned ffmpeg, and the system's where there is one."""

Encode = Callable[[Sequence[str]], bytes]


@pytest.fixture(scope="session")
def clips(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of short clips."""
    return make_clips(ffmpeg, tmp_path_factory.mktemp("clips"))


@pytest.fixture(params=ENCODERS, ids=lambda path: "pinned" if "imageio" in path else "system")
def encode(request: pytest.FixtureRequest) -> Encode:
    """Return a function that runs arguments and returns what came out, whatever the return code."""

    def run(argv: Sequence[str]) -> bytes:
        done = subprocess.run([request.param, *argv], capture_output=True, check=False, timeout=60)
        return done.stdout

    return run
