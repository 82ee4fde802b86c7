"""``python -m load.plex_server``: a media server with a made-up library; tells its addresses as one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from load.plex_server.assembly import Assembly
from load.plex_server.plans import Plan, big_library, empty_library, sample_library


def _plan(arguments: argparse.Namespace) -> Plan:
    if arguments.plan is not None:
        return Plan.read(Path(arguments.plan).read_text(encoding="utf-8"))
    if arguments.library == "big":
        return big_library(arguments.episodes, arguments.films, seed=arguments.seed)
    return {"empty": empty_library, "sample": sample_library}[arguments.library]()


async def _run(arguments: argparse.Namespace) -> None:
    assembly = Assembly(_plan(arguments), arguments.machine, arguments.name, arguments.host)
    await assembly.open(arguments.port, arguments.plex_tv_port)
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, over.set)
    if arguments.guard:
        loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 1) else over.set())
    print(json.dumps(assembly.addresses | {"pid": os.getpid()}), flush=True)
    await over.wait()
    await assembly.close()


def main() -> None:
    """Serve until told to end, or with ``--guard`` until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m load.plex_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the server (default: a free one)")
    parser.add_argument(
        "--plex-tv-port", type=int, default=0, help="of what stands for plex.tv (default: a free one)"
    )
    parser.add_argument("--machine", default="fake-machine-1", help="its machine identifier")
    parser.add_argument("--name", default="Fake", help="its friendly name")
    parser.add_argument("--library", choices=("empty", "sample", "big"), default="sample")
    parser.add_argument("--episodes", type=int, default=17_000, help="of the big library")
    parser.add_argument("--films", type=int, default=1_000, help="of the big library")
    parser.add_argument("--seed", type=int, default=1, help="of the big library")
    parser.add_argument("--plan", help="a file that says what the library is made of, in place of --library")
    parser.add_argument("--guard", action="store_true", help="end when standard input ends")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
