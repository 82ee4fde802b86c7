"""Programs that the host may not have: tests skip without them, except where a skip would hide a fault."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

STRICT = os.environ.get("TESTS_MUST_RUN") == "1"
"""Set where everything has been installed: what is missing then is a failure, not a skip."""

_PACKAGES = {
    "chromium": "chromium",
    "cvlc": "vlc-bin and vlc-plugin-base",
    "mpv": "mpv",
    "tv_validate_file": "xmltv-util",
    "xmllint": "libxml2-utils",
}


def missing(reason: str) -> NoReturn:
    """Skip the test with ``reason``, or fail it where nothing may be missing."""
    if STRICT:
        pytest.fail(f"{reason}, and TESTS_MUST_RUN=1 allows no skip", pytrace=False)
    pytest.skip(reason)


def require_program(name: str) -> str:
    """Return the path of the program ``name``, or end the test with `missing`."""
    return shutil.which(name) or missing(f"{name} is not installed (Debian: {_PACKAGES.get(name, name)})")


def ordinary_user() -> str | None:
    """Return whom to start programs as that refuse root: ``subprocess``'s ``user=``; None where nobody is root.

    The user owns nothing: give it a folder of its own as HOME.
    """
    return pwd.getpwuid(65534).pw_name if os.geteuid() == 0 else None


def real_footage(root: Path) -> Path:
    """Return the folder of real footage beside the checkout ``root``, or skip: it is nothing that can be installed."""
    folder = Path(os.environ.get("TEST_MEDIA") or root.parent / "shared" / "media")
    if not folder.is_dir():
        pytest.skip("there is no real footage: name its folder in TEST_MEDIA")
    return folder


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _postgres_programs() -> Path:
    def version(folder: Path) -> float:
        return float(folder.parent.name)

    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    if found:
        return max(found, key=version)
    initdb = shutil.which("initdb")
    return (
        Path(initdb).resolve().parent
        if initdb
        else missing("PostgreSQL is not installed (Debian: postgresql)")
    )


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL server of our own; yield the address of an empty database on it, for SQLAlchemy.

    It keeps nothing, listens on the loopback only, and its superuser ``exstream`` may create further databases.
    """
    programs, user, port = _postgres_programs(), ordinary_user(), free_port()
    with tempfile.TemporaryDirectory(prefix="exstream-postgres-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        if user is not None:
            shutil.chown(home, user, pwd.getpwnam(user).pw_gid)
        cluster = str(home / "cluster")
        initdb = f"{programs}/initdb -U exstream -A trust -E UTF8 --locale=C --no-sync -D".split()
        subprocess.run([*initdb, cluster], check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)
        settings = {
            "fsync": "off",
            "full_page_writes": "off",
            "listen_addresses": "127.0.0.1",
            "max_connections": "200",
            "port": str(port),
            "synchronous_commit": "off",
            "unix_socket_directories": "",
        }
        argv = [
            str(programs / "postgres"),
            "-D",
            cluster,
            *(f"--{key}={value}" for key, value in settings.items()),
        ]
        with (
            (home / "log").open("wb") as log,
            subprocess.Popen(argv, user=user, cwd=home, stdout=log, stderr=subprocess.STDOUT) as server,
        ):
            try:
                _until_it_answers(server, port, home / "log")
                yield f"postgresql+asyncpg://exstream@127.0.0.1:{port}/postgres"
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(30)


def _until_it_answers(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < give_up:
        if "ready to accept connections" in log.read_text(errors="replace"):
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                return
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}", pytrace=False)
