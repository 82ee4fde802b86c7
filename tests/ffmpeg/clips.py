"""Short sources of every kind that people own, and of some that nobody wants to."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

from exstream.model.catalogue import AudioStream, Media, Source, VideoStream
from exstream.model.channel import Profile
from exstream.model.grid import Rate, Span
from exstream.model.programme import Order

PAL = Rate(25)
FILM = Rate(24_000, 1_001)
NTSC = Rate(30_000, 1_001)
SMALL = Profile("small", 320, 180, PAL, video_kbps=300, max_kbps=400, audio_kbps=96)
NOON = 1_790_000_000
"""Seconds since the epoch at which test orders start."""

_H264 = "-c:v libx264 -preset ultrafast -g 50"
_PICTURE = "-f lavfi -i testsrc2=s=320x180:r=25:d=4"
_TONE = "-f lavfi -i sine=f=440:d=4:r=48000"
_SURROUND = "pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"
_RECIPES = {
    "plain.mkv": f"{_PICTURE} {_TONE} {_H264} -c:a aac",
    "plain.mp4": f"{_PICTURE} {_TONE} {_H264} -c:a aac -movflags -faststart",
    "mute.mp4": f"{_PICTURE} {_H264}",
    "blind.m4a": f"{_TONE} -c:a aac",
    "short-sound.mkv": f"{_PICTURE} -f lavfi -i sine=d=1.5 {_H264} -c:a aac",
    "short-picture.mkv": f"-f lavfi -i testsrc2=s=320x180:r=25:d=1.5 {_TONE} {_H264} -c:a aac",
    "late-sound.mkv": f"{_PICTURE} -itsoffset 0.7 {_TONE} {_H264} -c:a aac",
    "sound-ends.mkv": f"-f lavfi -i testsrc2=s=320x180:r=25:d=40 -f lavfi -i sine=d=3 {_H264} -c:a aac",
    "sound-begins.mp4": (
        f"-f lavfi -i testsrc2=s=320x180:r=25:d=40 -itsoffset 30 -f lavfi -i sine=d=3 {_H264} -c:a aac"
    ),
    "picture-ends.mkv": f"-f lavfi -i testsrc2=s=320x180:r=25:d=3 -f lavfi -i sine=d=40 {_H264} -c:a aac",
    "interlaced.ts": (
        f"-f lavfi -i testsrc2=s=352x288:r=50:d=4 {_TONE} -vf tinterlace=interleave_top,fieldorder=tff,setsar=16/11 "
        "-flags +ildct+ilme -c:v mpeg2video -b:v 2M -pix_fmt yuv420p -c:a mp2"
    ),
    "surround.mkv": (
        f"-f lavfi -i testsrc2=s=320x180:r=24000/1001:d=4 {_TONE} -af {_SURROUND} {_H264} -bf 2 -c:a ac3"
    ),
    "varying.mkv": (
        f"-f lavfi -i testsrc2=s=320x180:r=30:d=4 {_TONE} -vf select='not(mod(n\\,7)*lt(mod(n\\,5)\\,2))' "
        f"-fps_mode vfr {_H264} -c:a aac -ar 44100"
    ),
    "broadcast.ts": f"{_PICTURE} {_TONE} -c:v mpeg2video -c:a ac3 -ac 2",
    "larger.ts": f"-f lavfi -i testsrc2=s=640x360:r=25:d=4 {_TONE} -c:v mpeg2video -c:a ac3 -ac 2",
    "jpeg.avi": (
        "-f lavfi -i testsrc2=s=1280x720:r=25:d=2 -f lavfi -i sine=d=2:r=22050 -pix_fmt yuvj420p "
        "-c:v mjpeg -c:a pcm_s16le"
    ),
    "deep.mkv": (
        f"-f lavfi -i testsrc2=s=320x180:r=50:d=4 {_TONE} -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast "
        "-x265-params log-level=none -c:a eac3"
    ),
    "tracks.mkv": (
        f"{_PICTURE} {_TONE} -f lavfi -i sine=f=880:d=4 -map 0 -map 1 -map 2 {_H264} -c:a aac "
        "-metadata:s:a:0 language=ger -metadata:s:a:1 language=eng -metadata:s:a:1 title=Original "
        "-disposition:a:0 0 -disposition:a:1 default"
    ),
    "flash.mkv": (
        "-f lavfi -i color=black:s=320x180:r=25:d=4,drawbox=t=fill:c=white:enable='between(t\\,1.999\\,2.03)' "
        "-f lavfi -i aevalsrc='0.5*sin(2*PI*1000*t)*between(t\\,2\\,2.04)':s=48000:d=4 "
        f"{_H264} -c:a pcm_s16le"
    ),
    "flash.ts": "-i flash.mkv -c:v libx264 -preset ultrafast -g 45 -keyint_min 45 -c:a mp2 -b:a 256k",
    "cover.png": "-f lavfi -i testsrc2=s=64x64 -frames:v 1",
}


def make_clips(ffmpeg: str, folder: Path) -> Path:
    """Fill ``folder`` with the clips; returns it."""

    def run(arguments: Sequence[str]) -> None:
        subprocess.run([ffmpeg, "-nostdin", "-v", "error", "-y", *arguments], check=True, cwd=folder)

    for name, recipe in _RECIPES.items():
        run([*_words(recipe), name])
    run(["-display_rotation", "90", "-i", "plain.mp4", "-c", "copy", "turned.mp4"])
    cover = "-i blind.m4a -i cover.png -map 0 -map 1 -c copy -disposition:v:0 attached_pic cover.m4a"
    run(cover.split())
    _damage(folder)
    return folder


def _words(recipe: str) -> list[str]:
    return [word.replace("'", "") for word in recipe.split(" ") if word]


def _damage(folder: Path) -> None:
    """Cut, scratch and glue what was made."""
    whole = (folder / "plain.mkv").read_bytes()
    (folder / "truncated.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    whole = (folder / "plain.mp4").read_bytes()
    (folder / "no-index.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    (folder / "growing.ts").write_bytes(
        (folder / "broadcast.ts").read_bytes() + (folder / "larger.ts").read_bytes()
    )
    scratched, luck = bytearray((folder / "broadcast.ts").read_bytes()), random.Random(4)
    for _ in range(40):
        at = luck.randrange(5_000, len(scratched) - 20)
        scratched[at : at + 20] = luck.randbytes(20)
    (folder / "scratched.ts").write_bytes(scratched)
    (folder / "text.mp4").write_text("Not a film.\n" * 400, encoding="utf-8")
    (folder / "empty.mkv").write_bytes(b"")


def picture(rate: Rate | None = PAL, *, interlaced: bool = False) -> VideoStream:
    """Return a picture track as probing finds it."""
    return VideoStream(0, "h264", 320, 180, rate, interlaced=interlaced)


SOUND = (AudioStream(0, "aac", 2, 48_000),)


_KNOWN = {
    "flash.ts": Media(4_000, "mpegts", video=picture(), audio=SOUND),
    "mute.mp4": Media(4_000, video=picture()),
    "blind.m4a": Media(4_000, audio=SOUND),
    "cover.m4a": Media(4_000, audio=SOUND),
    "surround.mkv": Media(4_000, video=picture(FILM), audio=SOUND),
    "interlaced.ts": Media(4_000, video=picture(interlaced=True), audio=SOUND),
    "varying.mkv": Media(4_000, video=picture(None), audio=SOUND),
    "deep.mkv": Media(4_000, video=picture(Rate(50)), audio=SOUND),
}


def known(name: str) -> Media:
    """Return what is known of the clip ``name``."""
    return _KNOWN.get(name, Media(4_000, video=picture(), audio=SOUND))


def order_of(
    folder: Path,
    name: str,
    *,
    pictures: int = 163,
    offset_ms: int = 0,
    profile: Profile = SMALL,
    after: int = 7,
) -> Order:
    """Order ``pictures`` from the clip ``name``, starting ``after`` pictures past `NOON`."""
    first = NOON * profile.rate.num // profile.rate.den + after
    return Order(Source(str(folder / name), known(name)), Span(first, first + pictures), offset_ms, profile)
