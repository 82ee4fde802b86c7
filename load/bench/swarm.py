"""Many viewers in a process of their own: they read, count and throw away, and look at nothing.

``python -m load.bench.swarm`` writes a line when the count begins, and one of JSON when it is over.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import sys
import time
from dataclasses import dataclass
from typing import NamedTuple

from exstream.web.sockets import admit_many

BUFFER_BYTES = 1 << 20
SOCKET_BYTES = 1 << 20
"""A player's modest buffer: the kernel's own choice can hide half a minute."""
BEGUN = "counting"
_GATHER = 0.01
"""Seconds between two looks at the sockets: fewer, larger reads leave the machine to the server."""
_DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else 0
"""Linux can drop what has arrived without copying it."""


@dataclass(slots=True, eq=False)
class Taker:
    """One viewer."""

    socket: socket.socket
    received: int = 0
    answered: bool = False
    gone: bool = False


class Counted(NamedTuple):
    """What the swarm saw: bytes of each viewer within ``seconds``, and how many were sent away before the end."""

    seconds: float
    received: list[int]
    gone: int


class Swarm:
    """Viewers of ``path`` on ``port`` of this machine."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._buffer = bytearray(BUFFER_BYTES)
        self._selector = selectors.DefaultSelector()
        self._takers: list[Taker] = []

    def join(self, viewers: int, seconds: float) -> None:
        """Let so many viewers come, evenly over ``seconds``."""
        began = time.perf_counter()
        for number in range(viewers):
            self.take(began + seconds * number / viewers)
            joining = socket.socket()
            joining.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)
            joining.settimeout(10)
            joining.connect(("127.0.0.1", self._port))
            joining.sendall(self._request)
            joining.setblocking(False)
            taker = Taker(joining)
            self._takers.append(taker)
            self._selector.register(joining, selectors.EVENT_READ, taker)

    def take(self, until: float) -> None:
        """Receive until the clock says ``until``."""
        while (left := until - time.perf_counter()) > 0:
            time.sleep(min(_GATHER, left))
            for key, _ in self._selector.select(0):
                self._receive(key.data)

    def count(self, seconds: float) -> Counted:
        """Receive for ``seconds`` and return what came."""
        before, began = [taker.received for taker in self._takers], time.perf_counter()
        self.take(began + seconds)
        passed = time.perf_counter() - began
        received = [taker.received - was for taker, was in zip(self._takers, before, strict=True)]
        return Counted(passed, received, sum(taker.gone for taker in self._takers))

    def close(self) -> None:
        """Leave."""
        for taker in self._takers:
            taker.socket.close()
        self._selector.close()

    def _receive(self, taker: Taker) -> None:
        try:
            if taker.answered:
                size = taker.socket.recv_into(self._buffer, BUFFER_BYTES, _DISCARD)
            else:
                size = taker.socket.recv_into(self._buffer, BUFFER_BYTES)
                taker.answered = b" 200 " in self._buffer[:64]
        except BlockingIOError:
            return
        except OSError:
            size = 0
        taker.received += size
        if not size or not taker.answered:
            taker.gone = True
            self._selector.unregister(taker.socket)


def main() -> None:
    """Watch as the command line says."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("port", type=int)
    options.add_argument("path")
    options.add_argument("--viewers", type=int, required=True)
    options.add_argument("--join", type=float, required=True, help="seconds over which they come")
    options.add_argument("--settle", type=float, required=True, help="seconds before the count begins")
    options.add_argument("--count", type=float, required=True, help="seconds to count")
    chosen = options.parse_args()
    admit_many()
    swarm = Swarm(chosen.port, chosen.path)
    swarm.join(chosen.viewers, chosen.join)
    swarm.take(time.perf_counter() + chosen.settle)
    print(BEGUN, flush=True)
    print(json.dumps(swarm.count(chosen.count)._asdict()), flush=True)
    swarm.close()


if __name__ == "__main__":
    main()
