"""How late the server's event loop wakes, from the histogram that it keeps."""

from __future__ import annotations

import re
from typing import NamedTuple

from load.bench.server import Server

_BUCKET = re.compile(r'^exstream_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


class Wakes(NamedTuple):
    """How often it has woken within each bound, in seconds; the last bound is infinite."""

    within: dict[float, float]

    @classmethod
    def of(cls, server: Server) -> Wakes:
        """Read the server's histogram."""
        text = server.get("/metrics")[1].decode()
        return cls({float(bound): float(count) for bound, count in _BUCKET.findall(text)})

    def since(self, before: Wakes) -> Wakes:
        """Return what has been added."""
        return Wakes({bound: count - before.within[bound] for bound, count in self.within.items()})

    def at_most(self, share: float) -> float:
        """Return the least bound, in seconds, that holds for ``share`` of the wakes."""
        whole = max(self.within.values())
        return min(bound for bound, count in self.within.items() if count >= share * whole)
