"""A folder of deliberately unlike short videos, as people own them, and a server that airs nothing else."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from tests.reliability.server import Server, command

OLD = 1_700_000_000
"""Files that were changed long ago: nobody is still copying them."""

PROFILES = """\
profiles:
  small:
    {width: 320, height: 180, rate: 25, video_kbps: 300, max_kbps: 400, audio_kbps: 96, preset: ultrafast}
  cinema:
    {width: 320, height: 180, rate: 24000/1001, video_kbps: 300, max_kbps: 400, audio_kbps: 96, preset: ultrafast}
"""

_H264 = "-c:v libx264 -preset ultrafast -g 50"
_SURROUND = "pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"


def _moving(size: str = "320x180", rate: str = "25", seconds: float = 3) -> str:
    return f"-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}"


def _tone(hertz: int, seconds: float = 3) -> str:
    return f"-f lavfi -i sine=f={hertz}:d={seconds}:r=48000"


_RECIPES = {
    "plain.mp4": f"{_moving()} {_tone(300)} {_H264} -c:a aac -movflags -faststart",
    "surround.mkv": (
        f"{_moving(rate='24000/1001', seconds=2.5)} {_tone(330, 2.5)} -af {_SURROUND} "
        "-c:v libx264 -preset superfast -bf 3 -g 48 -c:a ac3"
    ),
    "deep.mkv": (
        f"{_moving(rate='50')} {_tone(360)} -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast "
        "-x265-params log-level=none -c:a eac3"
    ),
    "interlaced.ts": (
        f"{_moving('352x288', '50')} {_tone(390)} -vf tinterlace=interleave_top,fieldorder=tff,setsar=16/11 "
        "-flags +ildct+ilme -c:v mpeg2video -b:v 2M -pix_fmt yuv420p -c:a mp2"
    ),
    "american.mp4": f"{_moving(rate='30000/1001', seconds=2.2)} {_tone(420, 2.2)} {_H264} -c:a aac",
    "anamorphic.mkv": (
        f"{_moving('320x240', seconds=2.4)} {_tone(450, 2.4)} -vf setsar=16/15 {_H264} -ac 1 -c:a aac"
    ),
    "mute.mp4": f"{_moving(seconds=2)} {_H264}",
    "blind.mkv": f"{_tone(480, 2.3)} -c:a libopus",
    "varying.mkv": (
        f"{_moving(rate='30', seconds=3.3)} {_tone(510, 3.3)} -vf select='not(mod(n\\,7)*lt(mod(n\\,5)\\,2))' "
        f"-fps_mode vfr {_H264} -c:a aac -ar 44100"
    ),
    "short-sound.mkv": f"{_moving(seconds=2.8)} {_tone(540, 1)} {_H264} -c:a aac",
    "late-sound.mkv": f"{_moving()} -itsoffset 0.7 {_tone(570, 2)} {_H264} -c:a aac",
}


def make_clips(ffmpeg: str, folder: Path, footage: Path) -> Path:
    """Fill ``folder`` with unlike clips of 2 to 4 s, some of them damaged, some cut from real ``footage``."""
    folder.mkdir(parents=True)
    for name, recipe in _RECIPES.items():
        words = [word.replace("'", "") for word in recipe.split() if word]
        run(ffmpeg, *words, str(folder / name))
    for place, film in enumerate(sorted(footage.glob("*.mp4"))):
        run(
            *(ffmpeg, "-ss", "4", "-i", str(film), "-t", "3.5", "-map", "0:v:0", "-map", "0:a:0?"),
            *("-c", "copy", str(folder / f"footage-{place}.mkv")),
        )
    _damage(folder)
    settle(folder)
    return folder


def run(ffmpeg: str, *arguments: str) -> None:
    """Run ffmpeg; a complaint fails the test."""
    subprocess.run([ffmpeg, "-nostdin", "-v", "error", "-y", *arguments], check=True)


def _damage(folder: Path) -> None:
    whole = (folder / "late-sound.mkv").read_bytes()
    (folder / "truncated.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    scratched, luck = bytearray((folder / "interlaced.ts").read_bytes()), random.Random(7)
    for _ in range(30):
        at = luck.randrange(5_000, len(scratched) - 40)
        scratched[at : at + 40] = luck.randbytes(40)
    (folder / "scratched.ts").write_bytes(scratched)


def settle(folder: Path) -> None:
    """Make every file below ``folder`` look as if it had been there for long."""
    for path in folder.rglob("*"):
        os.utime(path, (OLD, OLD))


def station(
    home: Path, folder: Path, channels: Mapping[str, str], *, prefix: Sequence[str] = (), **settings: object
) -> Server:
    """Return a server, not yet started, with ``folder`` for a library and ``channels`` (id: definition)."""
    server = Server(home, prefix=prefix, demo="false", horizon_days=2, **settings)
    (server.data_dir / "channels").mkdir(parents=True)
    (server.data_dir / "exstream.yaml").write_text(PROFILES)
    for name, definition in channels.items():
        (server.data_dir / "channels" / f"{name}.yaml").write_text(definition)
    added = command(server.data_dir, "library", "add", str(folder), prefix=prefix)
    assert added.returncode in {0, 2}, added
    return server


def channel(
    number: str, name: str, *, profile: str = "small", order: str = "shuffle", pool: str = "{}"
) -> str:
    """Return the definition of a channel that airs ``pool``."""
    return (
        f'number: "{number}"\nname: {name}\nprofile: {profile}\n'
        f"programmes:\n  - pool: {pool}\n    order: {order}\n"
    )


def as_run(server: Server) -> list[tuple[str, str, float]]:
    """Return what was on air, oldest first: the item, how it went, and its planned start in Unix time."""
    with closing(sqlite3.connect(f"file:{server.data_dir / 'exstream.db'}?mode=ro", uri=True)) as log:
        rows = log.execute(
            "SELECT item, outcome, starts FROM asrun WHERE item IS NOT NULL ORDER BY starts, id"
        )
        return [(item, outcome, starts / 1000) for item, outcome, starts in rows]
