"""How ffmpeg draws a clip of the demo library: its title, a running clock, its position and a strip for machines.

The strip is a row of 20 blocks along the lower edge, each a twentieth of the width and a twelfth of the height, black
for 0 and white for 1, the highest bit first: 5 bits for the clip's code, 14 bits for the position in steps of 1/50 s,
one bit that makes the number of white blocks even. It survives scaling, so a test can read from any recording what is
on and how far it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hls_to_rgb
from dataclasses import dataclass
from pathlib import Path

from exstream.jobs.demo_manifest import Clip
from exstream.model.catalogue import ItemKind
from exstream.model.grid import Rate

STRIP_BLOCKS = 20
CODE_BITS = 5
POSITION_BITS = 14
POSITION_STEPS = 50
"""Steps of the position in a second."""

_GOLDEN = 0.618_034
# The middle of a step: the instant of a picture, a floating-point number, must not fall into the step before.
_INSTANT = f"floor(t*{POSITION_STEPS}+0.02)"


@dataclass(frozen=True, slots=True)
class Lettering:
    """Files that the picture's text comes from: no text passes through ffmpeg's own syntax."""

    font: Path
    heading: Path
    title: Path
    label: Path


def lettering_of(clip: Clip) -> dict[str, str]:
    """Return what is to be written into the files of ``Lettering``, by their names."""
    match clip.kind:
        case ItemKind.EPISODE:
            heading = f"{clip.show} · Episode {clip.episode}"
        case ItemKind.FILM:
            heading = f"A film of {clip.year}"
        case _:
            heading = "Between programmes"
    return {"heading": heading, "title": clip.title, "label": f"{clip.format.label} · {_hertz(clip)}"}


def _hertz(clip: Clip) -> str:
    return " and ".join(f"{tone} Hz" for tone in clip.tones) or "silence"


def clip_arguments(clip: Clip, lettering: Lettering, target: Path) -> list[str]:
    """Return ffmpeg's arguments (without the program) that make ``clip`` at ``target``."""
    form = clip.format
    graph = [_pictures_graph(clip, lettering)]
    maps = ["-map", "[picture]"]
    for track, (language, tone) in enumerate(zip(form.languages, clip.tones, strict=True)):
        graph.append(_sound_graph(tone, form.layout, clip, track))
        maps += ["-map", f"[sound{track}]", f"-metadata:s:a:{track}", f"language={language}"]
    return [
        "-nostdin", "-hide_banner", "-v", "error", "-y",
        "-filter_complex_threads", "1", "-filter_complex", ";".join(graph), *maps,
        "-fps_mode", "vfr" if form.variable else "passthrough",
        *form.video, "-threads", "2", *_field_arguments(clip), *form.audio,
        "-metadata", f"title={clip.title}", "-fflags", "+bitexact", "-f", _MUXERS[form.suffix], str(target),
    ]  # fmt: skip


_MUXERS = {"mp4": "mp4", "mkv": "matroska", "ts": "mpegts"}


def quoted(value: str) -> str:
    """Escape a filter's option value for its two readers: the filter's option list and the graph."""
    for special in ("\\':", "\\'[],;"):
        value = "".join(f"\\{sign}" if sign in special else sign for sign in value)
    return value


def _field_arguments(clip: Clip) -> Sequence[str]:
    return ("-flags", "+ildct+ilme") if clip.format.interlaced else ()


def _sound_graph(tone: int, layout: str, clip: Clip, track: int) -> str:
    length = f"{float(clip.seconds):.6f}"
    fade = f"afade=t=in:d=0.05,afade=t=out:st={float(clip.seconds) - 0.05:.6f}:d=0.05"
    return (
        f"sine=frequency={tone}:sample_rate=48000:duration={length},volume=2,{fade},"
        f"{_LAYOUTS[layout]}[sound{track}]"
    )


_LAYOUTS = {
    "mono": "aformat=channel_layouts=mono",
    "stereo": "pan=stereo|c0=c0|c1=c0",
    "5.1": "pan=5.1|c0=c0|c1=c0|c2=c0|c3=0*c0|c4=0.5*c0|c5=0.5*c0",
}


def _pictures_graph(clip: Clip, lettering: Lettering) -> str:
    """The still parts are drawn once and looped; only clock, bar, disc and strip are drawn for each picture."""
    form = clip.format
    drawn = form.rate if not form.interlaced else Rate(form.rate.num * 2, form.rate.den)
    source = f"s={form.width}x{form.height}:r={drawn}"
    night, day = _palette(clip.code)
    still = (
        f"gradients={source}:c0={night}:c1={day}:nb_colors=2:x0=0:y0=0:x1={form.width}:y1={form.height}:seed=1,"
        f"trim=end_frame=1,format=yuv420p,{_still_text(clip, lettering)},{_looped(drawn)}[still]"
    )
    seconds = float(clip.seconds)
    bar_height = max(4, form.height // 60)
    bar = f"color=c=white:s={form.width}x{bar_height}:r={drawn},trim=end_frame=1,format=yuv420p,{_looped(drawn)}[bar]"
    moving = (
        f"[still][disc]overlay=x='W*0.63+W*0.2*sin(t*0.9)':y='H*0.36+H*0.1*cos(t*1.3)'[scene];"
        f"[scene][bar]overlay=x='-w+w*t/{seconds:.6f}':y={_strip_top(form.height) - bar_height}[barred];[barred]"
    )
    fields = "tinterlace=mode=interleave_top," if form.interlaced else ""
    uneven = "select='not(between(mod(n,7),3,4))'," if form.variable else ""
    return (
        f"{still};{_disc(clip)},{_looped(drawn)}[disc];{bar};{moving}{fields}"
        f"{_clock_text(clip, lettering)},{_strip(clip)},"
        f"trim=end_frame={clip.pictures},{uneven}setsar={form.sar[0]}/{form.sar[1]},format={form.pixel_format}[picture]"
    )


def _disc(clip: Clip) -> str:
    """A disc that is round on the screen, whatever the shape of the pixels."""
    (num, den), height = clip.format.sar, clip.format.height // 10
    width = height * den // num
    return (
        f"color=c=white:s={width * 2}x{height * 2},trim=end_frame=1,format=yuva420p,"
        f"geq=lum=235:cb=118:cr=138:a='200*lt(hypot((X-{width})/{width},(Y-{height})/{height}),0.97)'"
    )


def _looped(rate: Rate) -> str:
    return f"loop=loop=-1:size=1,setpts='round(N/({rate})/TB)'"


def _palette(code: int) -> tuple[str, str]:
    """A dark and a light colour; neighbouring codes lie far apart on the colour wheel."""
    hue = code * _GOLDEN % 1
    shades = (hls_to_rgb(hue, 0.14, 0.55), hls_to_rgb((hue + 0.09) % 1, 0.42, 0.5))
    night, day = ("0x" + "".join(f"{round(part * 255):02x}" for part in shade) for shade in shades)
    return night, day


def _still_text(clip: Clip, lettering: Lettering) -> str:
    height = clip.format.height
    return ",".join(
        f"drawtext=fontfile={quoted(str(lettering.font))}:textfile={quoted(str(file))}:expansion=none"
        f":fontsize={size}:fontcolor={colour}:x={height // 12}:y={top}"
        for file, size, colour, top in (
            (lettering.heading, height // 18, "white@0.75", height // 10),
            (lettering.title, height // 8, "white", height // 6),
            (lettering.label, height // 22, "white@0.75", height * 5 // 6),
        )
    )


def _clock_text(clip: Clip, lettering: Lettering) -> str:
    height = clip.format.height
    return (
        f"drawtext=fontfile={quoted(str(lettering.font))}:text='%{{pts\\:hms}}':fontsize={height // 9}"
        f":fontcolor=white:x={height // 12 - height // 36}:y={height * 2 // 3}"
    )


def _strip_top(height: int) -> int:
    return height - 2 * (height // 24)


def _strip(clip: Clip) -> str:
    """A black ground and a white block for each bit that is set; bits of the position switch with the time."""
    form = clip.format
    top = _strip_top(form.height)
    bits = [str(clip.code >> place & 1) for place in reversed(range(CODE_BITS))]
    bits += [f"mod(floor({_INSTANT}/{1 << place}),2)" for place in reversed(range(POSITION_BITS))]
    bits.append(f"mod({'+'.join(bits)},2)")
    edges = [round(form.width * block / STRIP_BLOCKS) for block in range(STRIP_BLOCKS + 1)]
    blocks = [f"drawbox=x=0:y={top}:w={form.width}:h={form.height - top}:c=black:t=fill"]
    blocks += [
        f"drawbox=x={left}:y={top}:w={right - left}:h={form.height - top}:c=white:t=fill:enable='{bit}'"
        for bit, left, right in zip(bits, edges, edges[1:], strict=False)
        if bit != "0"
    ]
    return ",".join(blocks)
