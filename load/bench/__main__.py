"""``python -m load.bench [NAMES...] [--json]``: take the measures and show them in one table.

Exit code 0 when everything could be measured, whether or not the targets are met; else 1.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from exstream.ffmpeg.capabilities import find_ffmpeg
from load.bench import (
    boundaries,
    copycpu,
    copytune,
    cpu,
    fanout,
    guide,
    hls,
    lineup,
    machine,
    memory,
    plextune,
    recovery,
    second,
    start,
    sync,
    tune,
)
from load.bench.table import Measured, NotMeasured, Row, as_json, as_table

MEASURES: Mapping[str, Callable[[Path], list[Row]]] = {
    "start": start.measure,
    "memory": memory.measure,
    "tune": tune.measure,
    "copytune": copytune.measure,
    "plextune": plextune.measure,
    "second": second.measure,
    "cpu": cpu.measure,
    "copycpu": copycpu.measure,
    "lineup": lineup.measure,
    "hls": hls.measure,
    "recovery": recovery.measure,
    "boundaries": boundaries.measure,
    "guide": guide.measure,
    "fanout": fanout.measure,
    "sync": sync.measure,
}
SETTLE_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line names, everything by default."""
    options = argparse.ArgumentParser(prog="python -m load.bench", description="Measure Exstream.")
    options.add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(MEASURES)}; all by default"
    )
    options.add_argument("--json", action="store_true", help="write JSON instead of a table")
    options.add_argument(
        "--settle",
        type=float,
        default=SETTLE_SECONDS,
        metavar="SECONDS",
        help=f"wait so long at most for a load average below {machine.QUIET} before each measure",
    )
    chosen = options.parse_args(arguments)
    for name in chosen.names:
        if name not in MEASURES:
            options.error(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
    line = machine.describe(machine.load_average(), _ffmpeg_version())
    with tempfile.TemporaryDirectory(prefix="exstream-bench-") as bytecode:
        _keep_bytecode(bytecode)
        taken = [take(name, MEASURES[name], chosen.settle) for name in chosen.names or MEASURES]
    print((as_json if chosen.json else as_table)(line, taken))
    return 1 if any(measured.fault for measured in taken) else 0


def take(name: str, measure: Callable[[Path], list[Row]], settle: float) -> Measured:
    """Take one measure in a folder of its own; the others are taken though it goes wrong."""
    _say(f"{name}: waiting for a quiet machine")
    machine.wait_until_quiet(settle)
    watch = machine.Watch.begin()
    _say(f"{name}: measuring")
    with tempfile.TemporaryDirectory(prefix="exstream-bench-") as folder:
        try:
            rows, fault = measure(Path(folder)), ""
        except NotMeasured as error:
            rows, fault = [], str(error)
    return Measured(name, rows, watch.load, watch.warning(), fault)


def _keep_bytecode(folder: str) -> None:
    """Let Python keep compiled modules, as it does for users, where this shell forbids it beside the sources."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = folder


def _ffmpeg_version() -> str:
    said = subprocess.run([find_ffmpeg(""), "-version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"ffmpeg version (\S+)", said)
    return found[1] if found else "unknown"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Told to end, it ends its servers first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
