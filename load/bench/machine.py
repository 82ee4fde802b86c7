"""The machine that is measured, and whether it was left alone meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

QUIET = 1.5
"""Above this load average figures are doubtful."""
OTHERS = 0.15
"""How much of a core other programs may take before figures are doubtful."""


def load_average() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def describe(load: float, ffmpeg: str) -> str:
    """Return the machine in a line, the load average at the start first."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"load average {load:.2f} · {os.cpu_count()} x {_cpu_model()} · {memory:.0f} GiB · "
        f"{platform.system()} {platform.release()} · Python {platform.python_version()} · ffmpeg {ffmpeg}"
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


@dataclass(frozen=True, slots=True)
class Watch:
    """The state of the machine when a measure began."""

    load: float
    began: float
    busy: float
    ours: float

    @classmethod
    def begin(cls) -> Watch:
        """Look at the machine now."""
        return cls(load_average(), time.monotonic(), _busy(), _ours())

    def warning(self) -> str:
        """Return why what was measured since is doubtful, or nothing. All processes of ours have ended by now."""
        seconds = time.monotonic() - self.began
        others = max(0.0, (_busy() - self.busy - _ours() + self.ours) / seconds)
        reasons = []
        if self.load > QUIET:
            reasons.append(f"the load average was {self.load:.2f} at its start")
        if others > OTHERS:
            reasons.append(f"other programs took {others:.0%} of a core meanwhile")
        return " and ".join(reasons)


def _busy() -> float:
    """Return the CPU seconds that all programs, and other machines on this hardware, have taken."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # What guests take is part of user time already.
    return float(sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0))


def _ours() -> float:
    """Return the CPU seconds of this process and of all that it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def wait_until_quiet(seconds: float) -> None:
    """Wait for the load to fall below `QUIET`, at most ``seconds``: our own last measure counts in it for a while."""
    deadline = time.monotonic() + seconds
    while load_average() > QUIET and time.monotonic() < deadline:
        time.sleep(2)
