"""What `exstream doctor` looks at in ffmpeg: which one, its version, and whether it really encodes here."""

from __future__ import annotations

from collections.abc import AsyncIterator

from exstream.cli.checks import Check, State, failed, passed
from exstream.config import Settings
from exstream.errors import ConfigurationError
from exstream.ffmpeg.capabilities import (
    REQUIRED_ENCODERS,
    SETTING,
    Capabilities,
    capabilities,
    find_ffmpeg,
    version_warnings,
)
from exstream.ffmpeg.process import Processes

_REMEDY = f"leave {SETTING} empty to use the one that came with Exstream, or set it to another ffmpeg"


async def ffmpeg(settings: Settings) -> AsyncIterator[Check]:
    """Look at ffmpeg, and let it encode a little with every encoder that channels can use."""
    try:
        executable = find_ffmpeg(str(settings.ffmpeg or ""))
        async with Processes(executable) as processes:
            found = await capabilities(processes)
    except ConfigurationError as error:
        yield failed("ffmpeg", error)
        return
    for check in judged(found):
        yield check


def judged(found: Capabilities) -> tuple[Check, ...]:
    """Return what is to be said of an ffmpeg."""
    return _version(found), _encoders(found)


def _version(found: Capabilities) -> Check:
    warnings = version_warnings(found.version)
    if warnings:
        return Check("ffmpeg", State.WARN, f"{found.executable}: {warnings[0].partition(': ')[0]}", _REMEDY)
    return passed("ffmpeg", f"{found.version}, {found.executable}")


def _encoders(found: Capabilities) -> Check:
    lacking = [name for name in REQUIRED_ENCODERS if name not in found.encoders]
    faults = [f"{' and '.join(lacking)} cannot encode"] if lacking else []
    if found.missing_filters:
        faults.append(f"the filters {', '.join(found.missing_filters)} are missing")
    if faults:
        return Check("encoders", State.FAIL, f"{found.executable}: {'; '.join(faults)}", _REMEDY)
    return passed("encoders", f"{', '.join(found.encoders)} encode here")
