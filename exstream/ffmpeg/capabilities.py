"""Which ffmpeg is used, and what it can really do."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from exstream.errors import ConfigurationError, FeedError
from exstream.ffmpeg.process import CompletedRun, Processes

SETTING = "EXSTREAM_FFMPEG"
REQUIRED_ENCODERS = ("libx264", "aac")
HARDWARE_ENCODERS = ("h264_nvenc", "h264_vaapi", "h264_qsv", "h264_v4l2m2m", "h264_videotoolbox")
REQUIRED_FILTERS = (
    *(
        "scale",
        "pad",
        "fps",
        "tpad",
        "trim",
        "setsar",
        "setpts",
        "setparams",
        "bwdif",
        "format",
        "loop",
        "color",
    ),
    *("aresample", "aformat", "apad", "atrim", "asetpts", "asetnsamples", "afade", "anullsrc", "loudnorm"),
)
OLDEST = (5, 1)
_SECONDS = 10.0
_VERSION = re.compile(r"^ffmpeg version (\S+)")
_NUMBERS = re.compile(r"^n?(\d+)\.(\d+)(?:\.(\d+))?")
_FIXED = {(5, 1): 10, (6, 1): 5, (7, 1): 6}
"""The first patch release of each branch that holds the fix of CVE-2026-8461; branches from 8.2 on always do."""
_FIXED_SINCE = (8, 1, 2)
_FILTER_LINE = re.compile(r"^ [T.][S.][C.]? (\w+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one ffmpeg can do. ``encoders`` have encoded something; ``warnings`` are sentences for the user."""

    executable: str
    version: str
    encoders: tuple[str, ...]
    missing_filters: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_ffmpeg(setting: str = "") -> str:
    """Return the absolute path of the ffmpeg to use: ``setting``, else the one installed with us, else the system's.

    Raises `ConfigurationError` when there is none.
    """
    if setting:
        found = shutil.which(setting)
        if found is None:
            raise ConfigurationError(
                f"{SETTING} is {setting!r}, which is not an executable program: correct it"
            )
        return str(Path(found).absolute())
    for candidate in (*_installed(), "ffmpeg"):
        if found := shutil.which(candidate):
            return str(Path(found).absolute())
    raise ConfigurationError(f"there is no ffmpeg: install it, or set {SETTING} to its path")


def _installed() -> Sequence[str]:
    """Look into imageio-ffmpeg's folder without importing it, which would cost start-up time."""
    spec = find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return ()
    return sorted(map(str, (Path(spec.origin).parent / "binaries").glob("ffmpeg-*")), reverse=True)


async def ffmpeg_version(processes: Processes) -> str:
    """Return the version of the processes' ffmpeg; raises `ConfigurationError` when it does not answer as one."""
    run = await _run(processes, ("-version",))
    found = _VERSION.match(run.stdout.decode(errors="replace"))
    if run.returncode or found is None:
        words = run.stderr or run.stdout.decode(errors="replace")
        raise ConfigurationError(
            f"{processes.executable} is not a working ffmpeg: set {SETTING} to one: {words[:200]}"
        )
    return found[1]


async def capabilities(processes: Processes) -> Capabilities:
    """Try out what the processes' ffmpeg can do; takes a second. Raises `ConfigurationError` when it is broken."""
    version = await ffmpeg_version(processes)
    names = (*REQUIRED_ENCODERS, *HARDWARE_ENCODERS)
    works = await asyncio.gather(*(_encodes(processes, name) for name in names))
    encoders = tuple(name for name, good in zip(names, works, strict=True) if good)
    listing = (await _run(processes, ("-hide_banner", "-filters"))).stdout.decode(errors="replace")
    filters = set(_FILTER_LINE.findall(listing))
    missing = tuple(name for name in REQUIRED_FILTERS if name not in filters)
    warnings = [*version_warnings(version)]
    lacking = [name for name in REQUIRED_ENCODERS if name not in encoders]
    if lacking:
        warnings.append(f"it cannot encode with {' and '.join(lacking)}: set {SETTING} to an ffmpeg that can")
    if missing:
        warnings.append(
            f"it lacks the filters {', '.join(missing)}: set {SETTING} to an ffmpeg that has them"
        )
    return Capabilities(processes.executable, version, encoders, missing, tuple(warnings))


def version_warnings(version: str) -> tuple[str, ...]:
    """Return what is to be said of ``version``, as ffmpeg prints it; nothing is said of one made from sources."""
    found = _NUMBERS.match(version)
    if found is None:
        return ()
    major, minor, patch = (int(number or 0) for number in found.groups())
    if (major, minor) < OLDEST:
        return (f"version {version} is older than 5.1: set {SETTING} to a newer ffmpeg",)
    fixed = (major, minor, patch) >= _FIXED_SINCE or patch >= _FIXED.get((major, minor), patch + 1)
    if fixed:
        return ()
    advice = f"leave {SETTING} empty to use the one installed with exstream, or update it"
    return (
        f"version {version} has the hole CVE-2026-8461, in a decoder that is never let in here: {advice}",
    )


async def _encodes(processes: Processes, encoder: str) -> bool:
    """Encode a few pictures or a little sound: being listed proves nothing, drivers may be missing."""
    sound = encoder in {"aac", "libfdk_aac"}
    source = "anullsrc=r=48000:cl=stereo" if sound else "color=c=gray:s=320x240:r=25"
    upload = ("-vf", "format=nv12,hwupload", "-vaapi_device", "/dev/dri/renderD128")
    argv = (
        *("-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-t", "0.2"),
        *(upload if encoder.endswith("vaapi") else ()),
        *("-c:a" if sound else "-c:v", encoder, "-f", "null", "-"),
    )
    try:
        return (await _run(processes, argv)).returncode == 0
    except ConfigurationError:
        return False


async def _run(processes: Processes, argv: Sequence[str]) -> CompletedRun:
    try:
        return await processes.run(argv, _SECONDS, name="ffmpeg check")
    except FeedError as fault:
        raise ConfigurationError(f"ffmpeg cannot be started: {fault}") from fault
    except TimeoutError as fault:
        raise ConfigurationError(
            f"{processes.executable} did not answer within {_SECONDS:.0f} s: set {SETTING} to a working ffmpeg"
        ) from fault
