"""The last seconds of a channel: bytes by their offset, and where in them a viewer can begin."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import islice
from typing import NamedTuple

from exstream.mpegts.index import Index, RandomAccessPoint
from exstream.mpegts.packets import PACKET
from exstream.mpegts.splice import Spliced

PIECE = 700 * PACKET
"""How many bytes a viewer is given at once, at most: what is on its way to a slow one is memory of its own."""


class Cursor:
    """Where a viewer is in the ring."""

    def __init__(self) -> None:
        self.chunk: int | None = None
        """The next chunk it gets; None where it has to begin."""
        self.skip = 0
        """How many bytes of that chunk it does not get."""
        self.skips = 0
        """How often it was moved on."""


class _Taken(NamedTuple):
    """What was last given to a viewer, for those that follow."""

    chunk: int
    until: int
    data: bytes


class Ring:
    """Bytes and their random-access points; what is forgotten keeps its offset.

    Offsets count bytes since the channel went on air, all of them whole packets apart.
    """

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._offsets: deque[int] = deque()
        self._first = 0
        self._index = Index()
        self._taken = _Taken(-1, -1, b"")
        self.end = 0
        """The offset of the next byte."""

    @property
    def size(self) -> int:
        """The bytes held."""
        return self.end - self._offsets[0] if self._offsets else 0

    def append(self, spliced: Spliced) -> None:
        """Take bytes and their points."""
        for point in spliced.points:
            self._index.add(RandomAccessPoint(self.end + point.offset, point.pts))
        for at in range(0, len(spliced.data), PIECE):
            piece = spliced.data[at : at + PIECE]
            self._chunks.append(piece)
            self._offsets.append(self.end)
            self.end += len(piece)

    def forget(self, before: int) -> None:
        """Drop what lies before the oldest point whose PTS is not before ``before``."""
        oldest = self._index.oldest_from(before)
        if oldest is None:
            return
        while len(self._offsets) > 1 and self._offsets[1] <= oldest.offset:
            self._offsets.popleft()
            self._chunks.popleft()
            self._first += 1
        self._index.forget(self._offsets[0])

    def range(self, begin: int, end: int) -> bytes | None:
        """Return the bytes from offset ``begin`` to before ``end``; None unless all of them are held."""
        if not self._offsets or begin < self._offsets[0] or end > self.end:
            return None
        place = self._place(begin)
        held = zip(islice(self._offsets, place, None), islice(self._chunks, place, None), strict=True)
        pieces: list[bytes] = []
        for at, piece in held:
            if at >= end:
                break
            pieces.append(piece[max(begin - at, 0) : end - at])
        return b"".join(pieces)

    def points_from(self, offset: int) -> list[RandomAccessPoint]:
        """Return the random-access points at ``offset`` and behind it, oldest first."""
        return self._index.from_byte(offset)

    def begin(self, cursor: Cursor, pts: int) -> None:
        """Put ``cursor`` on the newest point whose PTS is not after ``pts``; it stays where there is none."""
        point = self._index.newest(pts)
        if point is not None:
            place = self._place(point.offset)
            cursor.chunk, cursor.skip = self._first + place, point.offset - self._offsets[place]

    def lost(self, cursor: Cursor) -> bool:
        """Tell whether what ``cursor`` would get is forgotten."""
        return cursor.chunk is not None and cursor.chunk < self._first

    def has(self, cursor: Cursor) -> bool:
        """Tell whether there is something for ``cursor`` now."""
        return cursor.chunk is not None and cursor.chunk < self._first + len(self._chunks)

    def take(self, cursor: Cursor) -> bytes:
        """Return what ``cursor``, for which there is something, gets next: the same bytes for all who are there."""
        chunk = cursor.chunk or 0
        if chunk != self._taken.chunk:
            self._taken = self._joined(chunk)
        cursor.chunk = self._taken.until
        skip, cursor.skip = cursor.skip, 0
        return self._taken.data[skip:] if skip else self._taken.data

    def _joined(self, chunk: int) -> _Taken:
        """Join as many chunks as fit into a piece, one at least."""
        pieces: list[bytes] = []
        size = 0
        for piece in islice(self._chunks, chunk - self._first, None):
            size += len(piece)
            if pieces and size > PIECE:
                break
            pieces.append(piece)
        return _Taken(chunk, chunk + len(pieces), pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _place(self, offset: int) -> int:
        """Return which of the held chunks has the byte at ``offset``."""
        return bisect_right(self._offsets, offset) - 1
