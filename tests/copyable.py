"""Files as people have them, of one copy class and next to it, for the tests of sending items as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from exstream.ffmpeg.copying import CopyClass
from exstream.ffmpeg.probe_child import look
from exstream.ffmpeg.probe_report import media_of
from exstream.model.catalogue import Media
from exstream.model.channel import Profile
from exstream.model.grid import Rate
from tests import material

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
PYRAMID = ("-bf", "3", "-b_strategy", "0", "-x264-params", "b-pyramid=normal")
AAC = ("-c:a", "aac", "-ac", "2")
RECIPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "pyramid.mp4": (*H264, *PYRAMID, "-g", "250", *AAC),
        "pyramid.mkv": (*H264, *PYRAMID, "-g", "75", *AAC),
        "plain.mkv": (*H264, "-bf", "0", "-g", "30", *AAC),
        "recorded.ts": (*H264, *PYRAMID, "-g", "40", *AAC),
        "surround.mkv": (*H264, *PYRAMID, "-g", "60", "-c:a", "ac3", "-ac", "6"),
        "surround.ts": (*H264, "-bf", "2", "-g", "60", "-c:a", "ac3", "-ac", "2"),
        "mute.mp4": (*H264, *PYRAMID, "-g", "50", "-an"),
        "old.avi": ("-c:v", "mpeg4", "-c:a", "mp2"),
    }
)
"""How the files are encoded: the first are copied, then sound is encoded, the last one is encoded whole."""


def make(folder: Path, name: str, seconds: float = 8, rate: str = "25", recipe: str = "") -> Path:
    """Make the file called ``name`` by its own recipe or another's: a moving picture, 320x180, with a tone."""
    path = folder / name
    if not path.exists():
        tone = 300 + 40 * list(RECIPES).index(recipe or name)
        material.run(
            *("-y", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d={seconds}"),
            *("-f", "lavfi", "-i", f"sine=f={tone}:r=48000:d={seconds}"),
            *(*RECIPES[recipe or name], str(path)),
        )
    return path


def known(path: Path) -> Media:
    """Return what probing finds out."""
    return media_of(look(str(path)))


def profile(rate: Rate | None = None) -> Profile:
    """Return the format of the channels that copy these files."""
    rate = rate or Rate(25)
    return CopyClass(320, 180, rate.num, rate.den).profile
