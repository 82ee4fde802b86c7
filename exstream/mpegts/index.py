"""Random-access points: where in a stream a viewer can begin."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RandomAccessPoint:
    """A byte offset at which tables are followed by a key frame, and that frame's PTS (90 kHz since the epoch)."""

    offset: int
    pts: int


class Index:
    """The random-access points of a ring of bytes, oldest first."""

    def __init__(self) -> None:
        self._points: deque[RandomAccessPoint] = deque()

    def add(self, point: RandomAccessPoint) -> None:
        """Take a point that lies behind all others."""
        self._points.append(point)

    def forget(self, before: int) -> None:
        """Drop the points that lie before byte ``before``."""
        while self._points and self._points[0].offset < before:
            self._points.popleft()

    def from_byte(self, offset: int) -> list[RandomAccessPoint]:
        """Return the points at byte ``offset`` and behind it."""
        return [point for point in self._points if point.offset >= offset]

    def newest(self, pts: int) -> RandomAccessPoint | None:
        """Return the newest point whose PTS is not after ``pts``; the oldest one where all are after it."""
        if not self._points:
            return None
        place = bisect_right(self._points, pts, key=lambda point: point.pts)
        return self._points[max(place - 1, 0)]

    def oldest_from(self, pts: int) -> RandomAccessPoint | None:
        """Return the oldest point whose PTS is not before ``pts``."""
        return next((point for point in self._points if point.pts >= pts), None)
