"""Clips that tell on every picture what it is, and what a recording of them shows."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from load.strip import BLOCKS, read_strip
from tests import material
from tests.reliability.recording import unix_time

WIDTH, HEIGHT, RATE = 320, 180, 25


def strip_clip(folder: Path, name: str, code: int, seconds: int = 8) -> Path:
    """Make a moving picture with a tone and a strip that tells ``code`` (1 to 31) and the position."""
    path = folder / name
    video = f"-f rawvideo -pix_fmt gray -s {WIDTH}x{HEIGHT} -r {RATE} -i pipe:0".split()
    sound = f"-f lavfi -i sine=f={300 + 20 * code}:r=48000:d={seconds}".split()
    coding = "-c:v libx264 -preset ultrafast -qp 20 -pix_fmt yuv420p -g 50 -c:a aac"
    argv = [material.FFMPEG, "-y", "-v", "error", *video, *sound, *coding.split(), str(path)]
    frames = b"".join(_picture(code, number) for number in range(seconds * RATE))
    subprocess.run(argv, input=frames, check=True, timeout=60)
    return path


def _picture(code: int, number: int) -> bytes:
    columns = np.arange(WIDTH)[None, :] + 3 * number
    rows = np.arange(HEIGHT)[:, None]
    gray = (40 + (columns + 2 * rows) % 160).astype(np.uint8)
    bits = f"{code:05b}{number * 50 // RATE:014b}"
    bits += str(bits.count("1") % 2)
    for block, bit in enumerate(bits):
        place = slice(WIDTH * block // BLOCKS, WIDTH * (block + 1) // BLOCKS)
        gray[HEIGHT - HEIGHT // 12 :, place] = 235 if bit == "1" else 16
    return gray.tobytes()


@dataclass(frozen=True)
class Shown:
    """One picture of a recording: when it is due in Unix time, and what it shows; code 0 is a card or black."""

    at: float
    code: int
    position: float


def shown(path: Path, near: float) -> Iterator[Shown]:
    """Decode the recording ``path``, made around Unix time ``near``, and read every picture."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            luma = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            found = read_strip(luma) or (0, 0.0)
            yield Shown(unix_time(frame.pts, near), *found)
