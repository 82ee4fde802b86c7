"""A library and channels for the measures, generated."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from exstream.ffmpeg.capabilities import find_ffmpeg
from load.bench.server import environment
from load.bench.table import NotMeasured

PERIOD = 20
"""Every source repeats itself after so many seconds: any whole number of periods is the same work."""
SETTINGS = {"EXSTREAM_DEMO": "false", "EXSTREAM_HORIZON_DAYS": "2", "EXSTREAM_LINGER_SECONDS": "0"}
_SCAN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A source: moving shapes under noise, H.264 and AAC. ``gop`` and ``periods`` in seconds and in `PERIOD`."""

    name: str
    size: str
    rate: str
    gop: float
    periods: int
    noise: int
    quality: tuple[str, ...]


_BROADCAST = ("-preset", "veryfast", "-b:v", "4M", "-maxrate", "5M", "-bufsize", "5M")
FILMS = (
    Clip("five.mp4", "1280x720", "25", 5, 5, 8, _BROADCAST),
    Clip("two.mkv", "1280x720", "25", 2, 6, 8, _BROADCAST),
    Clip("cinema.mkv", "1280x720", "24000/1001", 5, 7, 8, _BROADCAST),
)
"""720p with a key frame every two or five seconds."""
FEATURE = Clip("feature.mp4", "1280x720", "25", 5, 36, 8, _BROADCAST)
"""Twelve minutes without a boundary."""
_CABLE = ("-preset", "superfast", "-b:v", "8M", "-maxrate", "8M", "-bufsize", "8M")
CABLE = Clip("cable.mp4", "1280x720", "25", 2, 36, 12, _CABLE)
"""Twelve minutes at 8 Mbit/s that can be sent as they are."""
READY_FILMS = (
    Clip("two mp4.mp4", "1280x720", "25", 2, 3, 12, _CABLE),
    Clip("ten mp4.mp4", "1280x720", "25", 10, 3, 12, _CABLE),
    Clip("two mkv.mkv", "1280x720", "25", 2, 3, 12, _CABLE),
    Clip("ten mkv.mkv", "1280x720", "25", 10, 3, 12, _CABLE),
)
"""The same as short films: a key frame every two or ten seconds, in the containers that people have."""
SNOW = Clip("snow.mp4", "320x180", "25", 2, 30, 100, ("-preset", "ultrafast", "-crf", "18"))
"""A small picture that is hard to compress: many bits for little work."""


def make(clip: Clip, folder: Path) -> Path:
    """Encode one period of pictures and repeat it without a hole, with sound of the whole length beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    period, path = folder.parent / f"{clip.name}.period.mkv", folder / clip.name
    gop = str(round(clip.gop * (25 if clip.rate == "25" else 24)))
    picture = f"testsrc2=s={clip.size}:r={clip.rate}:d={PERIOD},noise=alls={clip.noise}:allf=t,format=yuv420p"
    run_ffmpeg(
        *("-f", "lavfi", "-i", picture, "-c:v", "libx264", *clip.quality),
        *("-g", gop, "-keyint_min", gop, "-sc_threshold", "0", str(period)),
    )
    tone = f"sine=f=330:r=48000:d={PERIOD * clip.periods}"
    run_ffmpeg(
        *("-stream_loop", str(clip.periods - 1), "-i", str(period), "-f", "lavfi", "-i", tone),
        *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-ac", "2", "-shortest", str(path)),
    )
    period.unlink()
    settle(path)
    return path


def settle(path: Path) -> None:
    """Make a file look old: one this fresh would be taken for one that is still being copied."""
    long_ago = time.time() - 3_600
    os.utime(path, (long_ago, long_ago))


def run_ffmpeg(*arguments: str) -> None:
    """Run ffmpeg to its end; raises `NotMeasured` with its words when it cannot."""
    done = subprocess.run(
        [find_ffmpeg(""), "-y", "-v", "error", "-nostdin", *arguments],
        capture_output=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise NotMeasured(f"ffmpeg cannot make a source: {done.stderr.decode(errors='replace').strip()}")


def furnish(
    home: Path,
    clips: Sequence[Clip],
    channels: Mapping[str, str],
    profiles: Mapping[str, Any] | None = None,
    films: Mapping[str, str] | None = None,
) -> None:
    """Make ``clips`` the library of the data directory ``home``, and publish `channels` of it."""
    for clip in clips:
        make(clip, home / "media")
    enlist(home, channels, profiles, films)


def enlist(
    home: Path,
    channels: Mapping[str, str],
    profiles: Mapping[str, Any] | None = None,
    films: Mapping[str, str] | None = None,
    settings: Mapping[str, str] = SETTINGS,
) -> None:
    """Take what is in ``home/media`` into the library, with ``channels``: profiles by channel id.

    A channel that is named in ``films`` airs nothing but the film of that title, the others air all there is.
    """
    definitions = home / "channels"
    definitions.mkdir()
    for number, (channel, profile) in enumerate(channels.items(), start=1):
        definition = {
            "number": str(number),
            "name": channel,
            "profile": profile,
            "programmes": [
                {"pool": {"title": films[channel]} if films and channel in films else {}, "order": "shuffle"}
            ],
        }
        (definitions / f"{channel}.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    if profiles:
        (home / "exstream.yaml").write_text(yaml.safe_dump({"profiles": profiles}), encoding="utf-8")
    added = subprocess.run(
        [sys.executable, "-m", "exstream", "library", "add", str(home / "media")],
        capture_output=True,
        timeout=_SCAN_SECONDS,
        check=False,
        env=environment(home, settings),
        cwd=home,
    )
    if added.returncode:
        raise NotMeasured(f"the library was not taken: {added.stderr.decode(errors='replace').strip()}")
