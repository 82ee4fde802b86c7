"""What a recording shows, beside what was published: its faults, its boundaries, and how far it drifts."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from exstream.ffmpeg.capabilities import find_ffmpeg
from exstream.mpegts.conformance import Priority, check
from load.bench.table import NotMeasured
from load.bench.transport import PACKET, VIDEO_PID
from load.strip import read_strip

CLOCK_HZ = 90_000
TICK = 1 / CLOCK_HZ
SOUND_PID = 0x101
_WRAP = 1 << 33


@dataclass(frozen=True, slots=True)
class Published:
    """One programme of the guide. Times in Unix seconds; ``code`` is what its pictures tell."""

    starts: float
    ends: float
    title: str
    code: int


@dataclass(slots=True)
class Seen:
    """What one recording showed."""

    boundaries: Counter[str] = field(default_factory=Counter)
    """Joins by the title of what begins there."""
    late: int = 0
    """Boundaries whose own picture does not show the new programme."""
    wrong: int = 0
    """Pictures of a programme that was not published for their time."""
    blank: int = 0
    """Pictures in a programme's time that show none, as a card does."""
    pictures: int = 0
    drift: list[float] = field(default_factory=list)
    """Seconds by which a picture shows an earlier position than was published, of every picture of a programme."""
    priority_1: int = 0
    joins: int = 0
    """Gaps and overlaps of pictures and sound, and whatever else a splice can do wrong."""
    decode: int = 0
    told: list[str] = field(default_factory=list)
    """The first faults in sentences."""


def judge(path: Path, published: Sequence[Published]) -> Seen:
    """Check and decode the recording ``path`` of what was ``published``."""
    seen = Seen()
    path.write_bytes(trimmed(path.read_bytes()))
    report = check(path.read_bytes())
    for kind, count in report.errors.items():
        if kind.priority is Priority.FIRST:
            seen.priority_1 += count
        else:
            seen.joins += count
    complaints = decode_complaints(path)
    seen.decode = len(complaints)
    seen.told = [f"{path.name}: {words}" for words in (*report.told(), *complaints)][:10]
    compare(seen, list(_shown(path)), published)
    return seen


def trimmed(data: bytes) -> bytes:
    """Return a recording without its last picture and sound packet, which may not be whole."""
    table = np.frombuffer(data[: len(data) // PACKET * PACKET], np.uint8).reshape(-1, PACKET)
    pids = (table[:, 1].astype(int) & 0x1F) << 8 | table[:, 2]
    starts = table[:, 1] & 0x40 > 0
    pictures = np.flatnonzero((pids == VIDEO_PID) & starts)
    if not pictures.size:
        raise NotMeasured("a recording holds no picture")
    last = pictures[-1]
    table, pids, starts = table[:last], pids[:last], starts[:last]
    sounds = np.flatnonzero((pids == SOUND_PID) & starts)
    kept = np.ones(len(table), dtype=np.bool_)
    if sounds.size:
        kept[sounds[-1] :] = pids[sounds[-1] :] != SOUND_PID
    return table[kept].tobytes()


def decode_complaints(path: Path) -> list[str]:
    """Return what ffmpeg complains about when it decodes ``path``, line by line."""
    argv = f"-hide_banner -nostdin -v warning -i {path} -fps_mode passthrough -f null -".split()
    done = subprocess.run([find_ffmpeg(""), *argv], capture_output=True, text=True, timeout=300, check=False)
    return [line for line in done.stderr.splitlines() if line.strip()]


def _shown(path: Path) -> Iterator[tuple[float, tuple[int, float] | None]]:
    """Give the time of every picture and what its strip tells."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.pts is None:
                continue
            plane = frame.planes[0]
            luma = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)[
                : frame.height, : frame.width
            ]
            told = read_strip(luma)
            # Black reads as a strip of zeros, and no reel has that code.
            yield unix_time(frame.pts), told if told and told[0] else None


def unix_time(ticks: int) -> float:
    """Return the Unix time that a 33-bit time stamp of a channel is: the one closest to now."""
    around = round(time.time() * CLOCK_HZ)
    away = (ticks - around) % _WRAP
    return (around + (away - _WRAP if away >= _WRAP // 2 else away)) / CLOCK_HZ


def compare(
    seen: Seen, shown: Sequence[tuple[float, tuple[int, float] | None]], published: Sequence[Published]
) -> None:
    """Compare every picture with the programme of its time; the first one of a programme is its boundary."""
    on_now: list[Published] = []
    rows = iter(published)
    row = next(rows)
    for at, told in shown:
        while at + TICK >= row.ends:
            row = next(rows)
        on_now.append(row)
        seen.pictures += 1
        if told is None:
            seen.blank += 1
        elif told[0] != row.code:
            seen.wrong += 1
            if seen.wrong == 1:
                seen.told.append(f"{row.title} is on at {at:.3f}, and the picture tells {told}")
        else:
            seen.drift.append(at - row.starts - told[1])
    for (before, after), (_, told) in zip(pairwise(on_now), shown[1:], strict=True):
        if before is not after:
            seen.boundaries[after.title] += 1
            seen.late += told is None or told[0] != after.code


def of_guide(rows: Sequence[Mapping[str, str]], codes: Mapping[str, int]) -> list[Published]:
    """Return what ``/api/v1/guide`` says, with the codes of its titles."""
    return [
        Published(_seconds(row["starts"]), _seconds(row["ends"]), row["title"], codes[row["title"]])
        for row in rows
    ]


def _seconds(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
