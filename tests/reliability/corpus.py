"""Media as nobody should have them: odd but sound formats, and every kind of damage done to them byte by byte."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.reliability.library import run, settle

_SECONDS = 2.4
_MOVING = "-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}"
_TONE = "-f lavfi -i sine=f=440:r=48000:d={seconds}"
_X264 = "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p"


def _clip(
    video: str = _X264,
    audio: str = "-c:a aac -ac 2",
    *,
    size: str = "320x180",
    rate: str = "25",
    seconds: float = _SECONDS,
) -> str:
    return f"{_MOVING} {_TONE} {video} {audio}".format(size=size, rate=rate, seconds=seconds)


SOUND = {
    "plain.mp4": _clip() + " -movflags +faststart",
    "plain.mkv": _clip(),
    "plain.ts": _clip(),
    "plain.avi": _clip("-c:v mpeg4 -q:v 6", "-c:a mp3"),
    "fragments.mp4": _clip() + " -movflags frag_keyframe+empty_moov",
    "pyramid.mkv": _clip("-c:v libx264 -preset veryfast -bf 3 -g 48 -pix_fmt yuv420p", "-c:a ac3"),
}
"""What is harmed: whole files in the containers that people have."""
ODD = {
    "full-chroma.mkv": _clip("-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
    "ten-bit-hdr.mkv": _clip(
        "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none -color_primaries bt2020 "
        "-color_trc smpte2084 -colorspace bt2020nc"
    ),
    "five-a-second.mp4": _clip(rate="5"),
    "hundred-and-twenty.mkv": _clip(rate="120"),
    "odd-rate.mkv": _clip(rate="19.37"),
    "tiny.mkv": _clip(size="16x16"),
    "odd-size.mkv": _clip("-c:v libx264 -preset ultrafast -pix_fmt yuv444p", size="321x181"),
    "tall.mp4": _clip(size="90x320"),
    "one-picture.mp4": _clip(seconds=0.04),
    "seven-one.mkv": _clip(audio="-af pan=7.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0|c6=c0|c7=c0 -c:a flac"),
    "true-hd.mkv": _clip(audio="-c:a truehd -strict -2 -ac 6"),
    "eight-kilohertz.mkv": _clip(audio="-c:a pcm_s16le -ar 8000 -ac 1"),
    "mute.mp4": f"{_MOVING} {_X264}".format(size="320x180", rate="25", seconds=_SECONDS),
    "blind.mkv": f"{_TONE} -c:a libopus".format(seconds=_SECONDS),
    "interlaced.ts": _clip(
        "-vf tinterlace=interleave_top,fieldorder=tff -flags +ildct+ilme -c:v mpeg2video -b:v 2M -pix_fmt yuv420p",
        "-c:a mp2",
        rate="50",
    ),
    "bare-pictures.mp4": _clip(_X264, "-an -f h264"),
    "bare-sound.mkv": f"{_TONE} -c:a aac -f adts".format(seconds=_SECONDS),
    "late-picture.mkv": (
        f"{_TONE} -itsoffset 0.9 {_MOVING} {_X264} -c:a aac".format(
            size="320x180", rate="25", seconds=_SECONDS
        )
    ),
}


def _cut(part: float) -> Callable[[bytes, random.Random], bytes]:
    return lambda whole, _: whole[: int(len(whole) * part)]


def _zeroed(begin: float, end: float) -> Callable[[bytes, random.Random], bytes]:
    def harm(whole: bytes, _: random.Random) -> bytes:
        first, last = int(len(whole) * begin), int(len(whole) * end)
        return whole[:first] + bytes(last - first) + whole[last:]

    return harm


def _scribbled(times: int, size: int, begin: float = 0.02) -> Callable[[bytes, random.Random], bytes]:
    def harm(whole: bytes, luck: random.Random) -> bytes:
        harmed = bytearray(whole)
        for _ in range(times):
            at = luck.randrange(int(len(whole) * begin), len(whole) - size)
            harmed[at : at + size] = luck.randbytes(size)
        return bytes(harmed)

    return harm


def _flipped(times: int) -> Callable[[bytes, random.Random], bytes]:
    def harm(whole: bytes, luck: random.Random) -> bytes:
        harmed = bytearray(whole)
        for _ in range(times):
            harmed[luck.randrange(len(harmed))] ^= 1 << luck.randrange(8)
        return bytes(harmed)

    return harm


def _without(begin: float, end: float) -> Callable[[bytes, random.Random], bytes]:
    return lambda whole, _: whole[: int(len(whole) * begin)] + whole[int(len(whole) * end) :]


HARMS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    **{f"cut-{percent}": _cut(percent / 100) for percent in (3, 20, 50, 80, 98)},
    "head-zeroed": _zeroed(0, 0.01),
    "middle-zeroed": _zeroed(0.4, 0.6),
    "tail-zeroed": _zeroed(0.9, 1),
    "scratched": _scribbled(10, 40),
    "ruined": _scribbled(60, 200),
    "head-scribbled": _scribbled(12, 8, 0.0),
    "one-bit": _flipped(1),
    "some-bits": _flipped(40),
    "many-bits": _flipped(2_000),
    "a-hole": _without(0.45, 0.55),
    "no-head": _without(0, 0.05),
    "garbage-first": lambda whole, luck: luck.randbytes(3_000) + whole,
    "garbage-behind": lambda whole, luck: whole + luck.randbytes(30_000),
    "twice": lambda whole, _: whole + whole,
    "shuffled": lambda whole, _: (
        whole[: len(whole) // 2] + whole[len(whole) * 3 // 4 :] + whole[len(whole) // 2 :]
    ),
}
"""What is done to the bytes of a whole file."""


def _lies(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """Give MP4 files whose headers say something else: no duration, one of years, and other time scales."""
    for box, place in ((b"mvhd", 20), (b"mdhd", 20)):
        at = whole.index(box) + place
        for name, value in (("nothing", 0), ("years", 0x7FFFFFFF)):
            yield f"{box.decode()}-{name}", whole[:at] + value.to_bytes(4, "big") + whole[at + 4 :]
        at -= 4
        yield f"{box.decode()}-no-scale", whole[:at] + bytes(4) + whole[at + 4 :]
    for table in (b"stts", b"stss", b"ctts", b"stco", b"stsz"):
        for match in list(re.finditer(table, whole))[:1]:
            at = match.start() + 8
            yield f"{table.decode()}-empty", whole[:at] + bytes(4) + whole[at + 4 :]


def make_corpus(ffmpeg: str, folder: Path) -> list[Path]:
    """Fill ``folder`` with 150 files and more; return them. The same seed does the same harm."""
    whole = folder / "whole"
    whole.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        recipes = {**SOUND, **ODD}.items()
        list(pool.map(lambda recipe: run(ffmpeg, *recipe[1].split(), str(whole / recipe[0])), recipes))
    _dress(ffmpeg, whole)
    harmed = folder / "harmed"
    harmed.mkdir()
    for name in SOUND:
        data, (stem, suffix) = (whole / name).read_bytes(), name.split(".")
        for harm, do in HARMS.items():
            written = do(data, random.Random(f"{name} {harm}"))
            (harmed / f"{stem}-{suffix} {harm}.{suffix}").write_bytes(written)
    for lie, data in _lies((whole / "plain.mp4").read_bytes()):
        (harmed / f"{lie}.mp4").write_bytes(data)
    settle(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _dress(ffmpeg: str, whole: Path) -> None:
    """Add what comes with pictures and sound: covers, subtitles, a turned picture, a wrong suffix, no stamps."""
    plain = str(whole / "plain.mp4")
    cover, words = whole.parent / "cover.png", whole.parent / "words.srt"
    run(ffmpeg, *["-f", "lavfi", "-i", "color=c=red:s=64x64", "-frames:v", "1"], str(cover))
    words.write_text("1\n00:00:00,100 --> 00:00:02,000\n<b>Words</b>\n")
    copied = ("-map", "0", "-map", "1", "-c", "copy")
    run(
        ffmpeg,
        "-i",
        plain,
        "-i",
        str(cover),
        *copied,
        "-disposition:v:1",
        "attached_pic",
        str(whole / "cover.mp4"),
    )
    run(ffmpeg, "-i", str(cover), "-i", plain, *copied, str(whole / "cover-first.mkv"))
    run(ffmpeg, "-i", plain, "-i", str(words), *copied, "-c:s", "srt", str(whole / "subtitled.mkv"))
    run(ffmpeg, "-display_rotation", "90", "-i", plain, "-c", "copy", str(whole / "turned.mp4"))
    (whole / "really-mkv.mp4").write_bytes((whole / "plain.mkv").read_bytes())
    run(
        ffmpeg,
        "-i",
        plain,
        "-c",
        "copy",
        "-bsf:v",
        "setts=pts=0:dts=0",
        "-f",
        "matroska",
        str(whole / "no-stamps.mkv"),
    )
    run(ffmpeg, "-i", plain, "-c", "copy", "-bsf:v", "setts=ts='TS+20/TB'", str(whole / "far-apart.mkv"))
    (whole / "empty.mp4").touch()
    cover.unlink()
    words.unlink()
