"""What every child process starts with: it dies with the server, gains no privileges and sees a clean environment."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

_PASSED_ON = (
    *("PATH", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH"),
    *("LIBVA_DRIVER_NAME", "LIBVA_DRIVERS_PATH", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"),
    *("CUDA_VISIBLE_DEVICES", "ONEVPL_SEARCH_PATH"),
)
"""What a program needs to be found and hardware encoders need to find their drivers; no secret has such a name."""
_FRUGAL = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "MALLOC_MMAP_THRESHOLD_": "131072",
}
"""What is freed goes back to the machine at once: many children wait at their pipes for hours, with little to hold."""

_PRCTL = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(1, 9)
libc.prctl(38, 1, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""PR_SET_PDEATHSIG with SIGKILL, PR_SET_NO_NEW_PRIVS; gives up when the server has died meanwhile."""


def setpriv_guard() -> tuple[str, ...]:
    """Return the cheapest guard (about a millisecond), or nothing where ``setpriv`` is not installed."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--") if setpriv else ()


def prctl_guard(server: int) -> tuple[str, ...]:
    """Return a guard that needs nothing but this interpreter; ``server`` is the process id that must be alive."""
    if not sys.platform.startswith("linux"):
        return ()  # elsewhere an encoder ends when its pipe does
    return (sys.executable, "-I", "-S", "-c", _PRCTL, str(server))


def clean_environment(environment: Mapping[str, str], directory: str) -> dict[str, str]:
    """Return what a child may know of ``environment``; its home and temporary folder are ``directory``."""
    return {
        **{name: environment[name] for name in _PASSED_ON if name in environment},
        "LC_ALL": "C.UTF-8",
        "HOME": directory,
        "TMPDIR": directory,
        "AV_LOG_FORCE_NOCOLOR": "1",
        **_FRUGAL,
    }
