"""Real media and real encodings for the tests of the splice and of playout, made once per run."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from exstream.ffmpeg.command import card, programme, silence
from exstream.model.catalogue import AudioStream, Media, Source, VideoStream
from exstream.model.channel import Profile
from exstream.model.grid import Rate, Span
from exstream.model.programme import Order
from exstream.mpegts.card import Card

FFMPEG = str(imageio_ffmpeg.get_ffmpeg_exe())
SMALL = Profile("small", 320, 180, Rate(25), video_kbps=300, max_kbps=400, audio_kbps=96, preset="ultrafast")
CINEMA = Profile(
    "cinema", 320, 180, Rate(24_000, 1_001), video_kbps=300, max_kbps=400, audio_kbps=96, preset="ultrafast"
)
FAST = Profile("fast", 320, 180, Rate(50), video_kbps=300, max_kbps=400, audio_kbps=96, preset="ultrafast")


def run(*arguments: str, stdin: bytes = b"") -> bytes:
    """Run ffmpeg and return what it wrote; a complaint fails the test."""
    done = subprocess.run([FFMPEG, *arguments], input=stdin, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def clip(folder: Path, name: str = "clip.mp4", seconds: float = 8, tone: int = 440, rate: str = "25") -> Path:
    """Make a moving picture with a tone, 320x180, H.264 and AAC."""
    path = folder / name
    run(
        *("-y", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d={seconds}"),
        *(
            "-f",
            "lavfi",
            "-i",
            f"sine=f={tone}:r=48000:d={seconds}",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ),
        *("-pix_fmt", "yuv420p", "-g", "50", "-c:a", "aac", "-shortest", str(path)),
    )
    return path


def media(seconds: float = 8, rate: Rate | None = None) -> Media:
    """Describe what `clip` makes."""
    return Media(
        round(seconds * 1000),
        video=VideoStream(0, "h264", 320, 180, rate or Rate(25)),
        audio=(AudioStream(0, "aac", 2, 48_000),),
    )


def encoding(path: Path, profile: Profile, span: Span, offset_ms: int = 0, seconds: float = 8) -> bytes:
    """Return the feed of an order, whole."""
    return run(*programme(Order(Source(str(path), media(seconds)), span, offset_ms, profile)))


@cache
def plain_card(profile: Profile) -> Card:
    """Return a grey card of the profile."""
    size = f"{profile.width}x{profile.height}"
    png = run(
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        f"color=c=0x404858:s={size}",
        "-frames:v",
        "1",
        "-f",
        "image2pipe",
        "-c:v",
        "png",
        "-",
    )
    return Card.of(run(*card(profile), stdin=png), run(*silence(profile)))
