"""Starting the server as a process of its own, which ends with whoever started it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from load.plex_server.client import PlexServer
from load.plex_server.plans import Plan, sample_library

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 20.0


@contextmanager
def running_plex_server(
    plan: Plan | None = None, *, machine: str = "fake-machine-1", name: str = "Fake", port: int = 0
) -> Iterator[PlexServer]:
    """Run a server with the library of ``plan`` (none: the sample library) for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="plex-server-") as home:
        written = Path(home, "plan.json")
        written.write_text((plan or sample_library()).text, encoding="utf-8")
        command = [sys.executable, "-m", "load.plex_server", "--plan", str(written), "--guard"]
        command += ["--machine", machine, "--name", name, "--port", str(port)]
        with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            try:
                yield _met(process)
            finally:
                process.kill()


def _met(process: subprocess.Popen[bytes]) -> PlexServer:
    line = process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise RuntimeError(f"the server ended at once: {process.wait(_PATIENCE)}")
    return PlexServer(**json.loads(line))


@asynccontextmanager
async def plex_server(
    plan: Plan | None = None, *, machine: str = "fake-machine-1", name: str = "Fake", port: int = 0
) -> AsyncIterator[PlexServer]:
    """Do as `running_plex_server` does, without holding up the loop while it starts and ends."""
    running = running_plex_server(plan, machine=machine, name=name, port=port)
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
