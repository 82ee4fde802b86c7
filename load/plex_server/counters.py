"""What was asked: how often and how long by kind of path, and the latest requests one by one."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from load.plex_server.asking import Ask

_KEPT = 20_000


@dataclass(slots=True)
class Count:
    """All requests of one kind. ``seconds``: what it took to make the answers, without sending them."""

    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Counters:
    """Counts requests."""

    def __init__(self) -> None:
        self._kinds: dict[str, Count] = {}
        self._asked: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.open = 0
        """How many requests are being answered."""
        self.most_open = 0

    def begin(self) -> None:
        """Note that a request came."""
        self.open += 1
        self.most_open = max(self.most_open, self.open)

    def end(self) -> None:
        """Note that an answer has gone out, or that nobody waits for it any more."""
        self.open -= 1

    def count(self, kind: str, ask: Ask, raw_query: str, status: int, size: int, seconds: float) -> None:
        """Note an answer."""
        count = self._kinds.setdefault(kind, Count())
        count.requests += 1
        count.bytes += size
        count.seconds += seconds
        self._asked.append(
            {
                "kind": kind,
                "method": ask.method,
                "path": ask.path,
                "query": raw_query,
                "headers": dict(ask.headers),
                "status": status,
                "bytes": size,
            }
        )

    def told(self) -> dict[str, Any]:
        """Return the counts by kind, and their sum as ``all``."""
        whole = Count()
        for count in self._kinds.values():
            whole.requests += count.requests
            whole.bytes += count.bytes
            whole.seconds += count.seconds
        kinds = {name: asdict(count) for name, count in {**self._kinds, "all": whole}.items()}
        return {"kinds": kinds, "open": self.open, "most_open": self.most_open}

    def asked(self) -> list[dict[str, Any]]:
        """Return the latest requests, oldest first; none of them of the control."""
        return list(self._asked)

    def reset(self) -> None:
        """Begin anew."""
        self._kinds.clear()
        self._asked.clear()
        self.most_open = self.open
