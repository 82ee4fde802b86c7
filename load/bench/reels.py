"""Short items of unlike formats, each with the strip that tells what is on and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from exstream.ffmpeg.font import font_file
from exstream.jobs import demo_manifest as demo
from exstream.jobs.demo_manifest import Clip, Format
from exstream.jobs.demo_recipe import Lettering, clip_arguments
from load.bench.media import run_ffmpeg, settle

_WORDS = (
    "Alfa",
    "Bravo",
    "Charlie",
    "Delta",
    "Echo",
    "Foxtrot",
    "Golf",
    "Hotel",
    "India",
    "Juliett",
    "Kilo",
    "Lima",
    "Mike",
    "November",
    "Oscar",
    "Papa",
    "Quebec",
    "Romeo",
    "Sierra",
    "Tango",
    "Uniform",
    "Victor",
    "Whiskey",
    "Xray",
)
SHORTEST, LONGEST = 6.0, 12.0
_DEEP = replace(demo.HEVC10, label="HEVC 10 bit", width=640, height=360)
_BIPYRAMID = replace(demo.MP4, label="H.264 with B-frames · AAC", suffix="mkv", video=demo.MKV_CINEMA.video)
_TS = replace(demo.MP4, label="H.264 · AAC · MPEG-TS", suffix="ts")
_AC3 = replace(_BIPYRAMID, label="H.264 · AC-3", audio=("-c:a", "ac3", "-b:a", "256k"))
_SURROUND = replace(_AC3, label="H.264 · AC-3 5.1", layout="5.1")
_MONO = replace(demo.MP4, label="H.264 · mono", layout="mono")


@dataclass(frozen=True, slots=True)
class Reel:
    """One item; ``way`` is the cheapest clean one on a channel that copies most of them: copy, audio or transcode."""

    clip: Clip
    way: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.clip.title}.{self.clip.format.suffix}"


_FORMATS: Sequence[tuple[Format, str]] = (
    (demo.MP4, "copy"),
    (_AC3, "audio"),
    (demo.MKV_CINEMA, "transcode"),
    (_BIPYRAMID, "copy"),
    (demo.MP4_VFR, "transcode"),
    (demo.MP4, "copy"),
    (_SURROUND, "audio"),
    (_TS, "copy"),
    (_DEEP, "transcode"),
    (demo.MP4, "copy"),
    (_MONO, "audio"),
    (demo.MKV_SILENT, "copy"),
)


def _reel(code: int, title: str) -> Reel:
    form, way = _FORMATS[(code - 1) % len(_FORMATS)]
    seconds = SHORTEST + (LONGEST - SHORTEST) * (code - 1) / (len(_WORDS) - 1)
    return Reel(Clip(code, title, form, round(seconds / form.rate.seconds)), way)


REELS = tuple(_reel(code, title) for code, title in enumerate(_WORDS, start=1))


def make_reels(folder: Path) -> None:
    """Make all of them in ``folder``, two at a time."""
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda reel: _make(reel, folder), REELS):
            pass


def _make(reel: Reel, folder: Path) -> None:
    written = {name: folder.parent / f"{reel.clip.code}-{name}.txt" for name in ("heading", "title", "label")}
    words = {"heading": "Bench", "title": reel.clip.title, "label": reel.clip.format.label}
    for name, path in written.items():
        path.write_text(words[name], encoding="utf-8")
    path = folder / reel.name
    run_ffmpeg(*clip_arguments(reel.clip, Lettering(font_file(), **written), path))
    settle(path)
