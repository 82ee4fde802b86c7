"""What `exstream doctor` looks at on this machine, one function a line of its answer."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from exstream.errors import ConfigurationError, PortInUse

_MB = 1_000_000
LEAST_FREE = 200 * _MB
"""Bytes below which the database and the cards are in danger."""
ENOUGH_FREE = 2_000 * _MB
"""Bytes that the demo library, cards, logs and backups need with room to spare."""
_PROBE_BYTES = 64 * 1024
_ASK_SECONDS = 2.0


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer; ``remedy`` says what to do where not all is well."""

    name: str
    state: State
    text: str
    remedy: str = ""
    unreachable: bool = False
    """It failed because a system beyond this machine does not answer."""


def passed(name: str, text: str) -> Check:
    """Return that all is well."""
    return Check(name, State.OK, text)


def failed(name: str, error: Exception) -> Check:
    """Return what ``error`` says: what is wrong up to its last colon, what to do after it."""
    text, _, remedy = str(error).rpartition(": ")
    return Check(name, State.FAIL, text or remedy, remedy if text else "")


def data_folder(path: Path, free_bytes: Callable[[Path], int] | None = None) -> Check:
    """Look whether the data directory can be written and has room."""
    name = "data"
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        if existing == path:
            with tempfile.TemporaryFile(dir=path) as file:
                file.write(bytes(_PROBE_BYTES))
                file.flush()
        elif not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
        free = free_bytes(existing) if free_bytes else shutil.disk_usage(existing).free
    except OSError as error:
        remedy = "give this user the right to write it, free some space, or set EXSTREAM_DATA_DIR to another folder"
        return Check(name, State.FAIL, f"{path} cannot be written ({error.strerror})", remedy)
    text = f"{path}, {free / 1_000 / _MB:.1f} GB free"
    if free < ENOUGH_FREE:
        state = State.FAIL if free < LEAST_FREE else State.WARN
        remedy = "free some space, or set EXSTREAM_DATA_DIR to a folder on a larger disk"
        return Check(name, state, f"{text}: too little", remedy)
    return passed(name, text)


def port(name: str, setting: str, host: str, number: int, page: str) -> Check:
    """Look whether a port is free, or held by a running Exstream: known by its process, or by what ``page`` says."""
    from exstream.web.sockets import listen

    if number == 0:
        return passed(name, "any free port")
    try:
        listen(host, number, setting).close()
    except PortInUse as error:
        if _runs_exstream(number) or "exstream" in _answer(_own(host), number, page).lower():
            return passed(name, f"{number} is held by a running Exstream")
        return failed(name, error)
    except ConfigurationError as error:
        return failed(name, error)
    return passed(name, f"{number} is free")


def _runs_exstream(number: int) -> bool:
    """Tell whether the process that listens on a port is an Exstream, as far as this user may see it."""
    import psutil

    try:
        pids = {
            held.pid
            for held in psutil.net_connections(kind="tcp")
            if held.pid and held.status == psutil.CONN_LISTEN and held.laddr and held.laddr.port == number
        }
        return any("exstream" in map(_word, psutil.Process(pid).cmdline()) for pid in pids)
    except psutil.Error:
        return False


def _word(argument: str) -> str:
    return Path(argument).name


def _own(host: str) -> str:
    """Return the address at which this machine reaches what listens on ``host``."""
    if not host or not ip_address(host).is_unspecified:
        return host or "127.0.0.1"
    return "::1" if ":" in host else "127.0.0.1"


def _answer(host: str, number: int, page: str) -> str:
    """Return the beginning of what the holder of a port answers; nothing when that is no HTTP."""
    connection = http.client.HTTPConnection(host, number, timeout=_ASK_SECONDS)
    try:
        connection.request("GET", page)
        return connection.getresponse().read(_PROBE_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def clock(now_ms: int) -> Check:
    """Look whether the machine knows the date: the guide and the air follow its clock."""
    now = datetime.fromtimestamp(now_ms / 1_000, UTC)
    if 2025 <= now.year < 2100:
        return passed("clock", f"{now:%Y-%m-%d %H:%M} UTC")
    return Check(
        "clock", State.FAIL, f"{now:%Y-%m-%d %H:%M} UTC is not now", "set the clock, and switch NTP on"
    )


def guard(command: tuple[str, ...], platform: str = sys.platform) -> Check:
    """Look what makes sure that encoders end when the server is killed; ``command`` is setpriv's guard."""
    if command:
        return passed("guard", f"{command[0]} ends encoders with the server")
    if platform.startswith("linux"):
        return passed(
            "guard", "Python ends encoders with the server; util-linux's setpriv would do it faster"
        )
    return Check(
        "guard",
        State.WARN,
        "encoders may outlive a server that is killed",
        "stop the server with Ctrl-C or a plain kill; Linux has no such limit",
    )


def font(path: Path) -> Check:
    """Look whether the cards' typeface is there."""
    if path.is_file():
        return passed("font", path.name)
    return Check("font", State.FAIL, f"{path} is missing", "install Exstream again")


def folder_readable(path: Path) -> bool:
    """Tell whether the folder is there and may be listed."""
    return path.is_dir() and os.access(path, os.R_OK | os.X_OK)
