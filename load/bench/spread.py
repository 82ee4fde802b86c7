"""What is told of many measurements of one thing."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from statistics import median

__all__ = ["median", "milliseconds", "p95"]


def p95(values: Sequence[float]) -> float:
    """Return the smallest of ``values`` that at least 95 % of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[ceil(len(values) * 0.95) - 1]


def milliseconds(seconds: float) -> str:
    """Write a duration as people compare them; a tenth counts below ten milliseconds."""
    in_ms = seconds * 1000
    return f"{in_ms:.1f} ms" if in_ms < 10 else f"{in_ms:.0f} ms"
