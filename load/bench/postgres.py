"""A PostgreSQL server of our own, ended with the block: on the loopback, without anything to lose."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from load.bench.server import free_port
from load.bench.table import NotMeasured

_PATIENCE = 60.0


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, of the newest version; None where it is not installed."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server from ``folder``; give the address of an empty database on it, as a setting has it."""
    port, user = free_port(), _user()
    with tempfile.TemporaryDirectory(prefix="exstream-postgres-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        if user:
            shutil.chown(home, user, pwd.getpwnam(user).pw_gid)
        cluster = str(home / "cluster")
        initdb = [
            str(folder / "initdb"),
            *["-U", "exstream", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"],
            cluster,
        ]
        subprocess.run(initdb, check=True, user=user, cwd=home, stdout=subprocess.DEVNULL)
        sockets = ("--listen_addresses=127.0.0.1", "--unix_socket_directories=", f"--port={port}")
        argv = [str(folder / "postgres"), "-D", cluster, *sockets]
        with (
            (home / "log").open("wb") as log,
            subprocess.Popen(argv, user=user, cwd=home, stdout=log, stderr=subprocess.STDOUT) as server,
        ):
            try:
                _wait(server, port, home / "log")
                yield f"postgresql+asyncpg://exstream@127.0.0.1:{port}/postgres"
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(_PATIENCE)


def _user() -> str | None:
    """Return as whom it runs: it refuses to be run by root."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NotMeasured("there is no user but root, as whom PostgreSQL does not run")


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while "ready to accept connections" not in log.read_text(errors="replace"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise NotMeasured(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.05)
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
