"""One writer, many viewers: a bounded ring of bytes that never waits for a reader. Belongs to the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.index import Index, RandomAccessPoint
from exstream.mpegts.packets import PACKET
from exstream.mpegts.splice import Spliced

PIECE = 700 * PACKET
"""How many bytes a viewer is given at once, at most: what is on its way to a slow one is memory of its own."""


class Fanout:
    """The last ``keep`` seconds of one channel, and who reads them.

    ``air_ticks`` tells air time in 90 kHz ticks; ``on_skip`` is called when a slow viewer is moved on.
    """

    def __init__(self, air_ticks: Callable[[], int], on_skip: Callable[[], None], keep: float = 20.0) -> None:
        self._air_ticks = air_ticks
        self._on_skip = on_skip
        self._keep = round(keep * CLOCK_HZ)
        self._chunks: deque[bytes] = deque()
        self._offsets: deque[int] = deque()
        self._first = 0
        self._end = 0
        self._index = Index()
        self._waiting: set[asyncio.Future[None]] = set()
        self.closed = False

    @property
    def size(self) -> int:
        """The bytes held."""
        return self._end - self._offsets[0] if self._offsets else 0

    def publish(self, spliced: Spliced) -> None:
        """Append bytes, forget what is too old, and wake the viewers."""
        for point in spliced.points:
            self._index.add(RandomAccessPoint(self._end + point.offset, point.pts))
        for at in range(0, len(spliced.data), PIECE):
            piece = spliced.data[at : at + PIECE]
            self._chunks.append(piece)
            self._offsets.append(self._end)
            self._end += len(piece)
        if spliced.points:
            self._forget(spliced.points[-1].pts - self._keep)
        self._wake()

    def close(self) -> None:
        """End every viewer's stream."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def _forget(self, before: int) -> None:
        oldest = self._index.oldest_from(before)
        if oldest is None:
            return
        while len(self._offsets) > 1 and self._offsets[1] <= oldest.offset:
            self._offsets.popleft()
            self._chunks.popleft()
            self._first += 1
        self._index.forget(self._offsets[0])

    async def _more(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _entry(self) -> tuple[int, int] | None:
        """Return the chunk and the offset in it where a viewer begins now, or None where there is nothing yet."""
        point = self._index.newest(self._air_ticks())
        if point is None:
            return None
        place = len(self._offsets) - 1
        while self._offsets[place] > point.offset:
            place -= 1
        return self._first + place, point.offset - self._offsets[place]

    async def read(self, cursor: Cursor) -> bytes:
        """Return the next bytes for ``cursor``, waiting for them; empty when the stream has ended."""
        while not self.closed:
            if cursor.chunk is not None and cursor.chunk < self._first:
                cursor.chunk = None
                cursor.skips += 1
                self._on_skip()
            if cursor.chunk is None:
                entry = self._entry()
                if entry is not None:
                    cursor.chunk, cursor.skip = entry
            if cursor.chunk is not None and cursor.chunk < self._first + len(self._chunks):
                return self._take(cursor, cursor.chunk)
            await self._more()
        return b""

    def _take(self, cursor: Cursor, chunk: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in islice(self._chunks, chunk - self._first, None):
            size += len(piece)
            if pieces and size > PIECE:
                break
            pieces.append(piece)
        cursor.chunk = chunk + len(pieces)
        if cursor.skip:
            pieces[0] = pieces[0][cursor.skip :]
            cursor.skip = 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Cursor:
    """Where a viewer is in the ring."""

    def __init__(self) -> None:
        self.chunk: int | None = None
        self.skip = 0
        self.skips = 0
