"""Memory of an idle server with the demo channels published."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from load.bench.server import Server
from load.bench.table import NotMeasured, Row

TARGET_BYTES = 150 * 2**20
_FURNISHED_SECONDS = 300.0
_CALM = 5
"""For how many looks in turn, a second apart, it has to be so."""
_WEEK = 6 * 86_400
"""Seven broadcast days reach at least six times 24 hours ahead."""
_IDLE_SECONDS = 15.0
_IMPORTED = "import exstream.app, psutil; print(psutil.Process().memory_full_info().pss)"


def measure(folder: Path) -> list[Row]:
    """Let the server make its demo library and publish the week, then weigh it while nobody watches."""
    with Server(folder) as server:
        wait_until_furnished(server)
        time.sleep(_IDLE_SECONDS)
        used = server.process.memory_full_info()
    floor = int(subprocess.run([sys.executable, "-c", _IMPORTED], capture_output=True, check=True).stdout)
    return [
        Row(
            "idle server: memory (PSS)",
            _mib(used.pss),
            f"{_mib(floor)} imports alone",
            f"<= {_mib(TARGET_BYTES)}",
            used.pss <= TARGET_BYTES,
            {"bytes": used.pss, "floor": floor},
        ),
        Row("idle server: memory (RSS)", _mib(used.rss), values={"bytes": used.rss}),
    ]


def wait_until_furnished(server: Server) -> None:
    """Wait until the week is published, no job runs and no process works for the server."""
    deadline = time.monotonic() + _FURNISHED_SECONDS
    calm = 0
    while calm < _CALM:
        if time.monotonic() > deadline:
            raise NotMeasured(f"the demo library was not there after {_FURNISHED_SECONDS:.0f} s")
        calm = calm + 1 if _is_furnished(server) else 0
        time.sleep(1)


def _is_furnished(server: Server) -> bool:
    jobs = json.loads(server.get("/api/v1/jobs")[1])
    published = min(server.figures("exstream_published_until_seconds"), default=0.0)
    working = server.encoders() or any(job["state"] == "running" for job in jobs)
    return not working and published > time.time() + _WEEK


def _mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"
