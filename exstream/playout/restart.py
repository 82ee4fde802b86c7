"""How long to wait before a failed feed is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """At once after the first failure of a segment, then ever later, up to ``longest`` seconds."""

    second: float = 1.0
    longest: float = 30.0

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after the ``failures``-th failure in a row (1 or more)."""
        if failures <= 1:
            return 0.0
        return float(min(self.longest, self.second * 2 ** min(failures - 2, 16)))
