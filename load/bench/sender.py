"""The floor of the fan-out: a bare asyncio server that writes a recording to everybody who asks, ten times a second.

``python -m load.bench.sender PORT RECORDING BYTES_PER_SECOND`` writes a line when it listens, and ends when its
standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import cast

from exstream.web.sockets import admit_many

LISTENING = "listening"
_TICK = 0.1


class Sending(asyncio.Protocol):
    """One viewer's connection."""

    def __init__(self, transports: set[asyncio.Transport]) -> None:
        self._transports = transports
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """They have asked; what they ask for does not matter."""
        if data and self._transport is not None:
            self._transport.write(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
            self._transports.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """They have gone."""
        if self._transport is not None:
            self._transports.discard(self._transport)


async def send(port: int, recording: bytes, bytes_per_second: float) -> None:
    """Send until standard input ends."""
    loop = asyncio.get_running_loop()
    transports: set[asyncio.Transport] = set()
    server = await loop.create_server(lambda: Sending(transports), "127.0.0.1", port, backlog=512)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    print(LISTENING, flush=True)
    size = round(bytes_per_second * _TICK)
    pieces = cycle([recording[at : at + size] for at in range(0, len(recording) - size, size)])
    due = loop.time()
    while not ended.is_set():
        piece = next(pieces)
        for transport in transports:
            transport.write(piece)
        due += _TICK
        await asyncio.sleep(max(0.0, due - loop.time()))
    server.close()


def main() -> None:
    """Send as the command line says."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("port", type=int)
    options.add_argument("recording", type=Path)
    options.add_argument("bytes_per_second", type=float)
    chosen = options.parse_args()
    admit_many()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(send(chosen.port, chosen.recording.read_bytes(), chosen.bytes_per_second))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the event loop that the server uses too."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
