"""One writer, many viewers: a bounded ring of bytes that never waits for a reader. Belongs to the event loop."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from itertools import islice

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.index import Index, RandomAccessPoint
from exstream.mpegts.packets import PACKET
from exstream.mpegts.splice import Spliced

PIECE = 700 * PACKET
"""How many bytes a viewer is given at once, at most: what is on its way to a slow one is memory of its own."""

Listener = Callable[[Spliced, int], None]
"""Told of what has just been appended, and of the offset of its first byte since the channel went on air."""


class Fanout:
    """The last ``keep`` seconds of one channel, and who reads them.

    ``air_ticks`` tells air time in 90 kHz ticks; ``on_skip`` is called when a slow viewer is moved on. ``keep`` is
    in seconds: a viewer that falls behind by more is moved, so that it holds two groups of pictures at least.
    Offsets count bytes since the channel went on air; what has been forgotten keeps its place.
    """

    def __init__(self, air_ticks: Callable[[], int], on_skip: Callable[[], None], keep: float = 20.0) -> None:
        self._air_ticks = air_ticks
        self._on_skip = on_skip
        self._keep = keep
        self._retained = 0.0
        self._chunks: deque[bytes] = deque()
        self._offsets: deque[int] = deque()
        self._first = 0
        self._end = 0
        self._index = Index()
        self._waiting: set[asyncio.Future[None]] = set()
        self._listeners: list[Listener] = []
        self.closed = False

    @property
    def size(self) -> int:
        """The bytes held."""
        return self._end - self._offsets[0] if self._offsets else 0

    @property
    def end(self) -> int:
        """The offset of the next byte to be appended."""
        return self._end

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` on the event loop with everything that is appended from now on."""
        self._listeners.append(listener)

    def forget_listener(self, listener: Listener) -> None:
        """Call ``listener`` no more; nothing happens if it is unknown."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def retain(self, seconds: float) -> None:
        """Keep ``seconds`` from now on where that is more than ``keep``; 0 goes back to ``keep``."""
        self._retained = seconds

    def range(self, begin: int, end: int) -> bytes | None:
        """Return the bytes from offset ``begin`` to before ``end``; None unless all of them are held."""
        if not self._offsets or begin < self._offsets[0] or end > self._end:
            return None
        place = self._place(begin)
        pieces: list[bytes] = []
        for at, piece in zip(
            islice(self._offsets, place, None), islice(self._chunks, place, None), strict=True
        ):
            if at >= end:
                break
            pieces.append(piece[max(begin - at, 0) : end - at])
        return b"".join(pieces)

    def points_from(self, offset: int) -> list[RandomAccessPoint]:
        """Return the random-access points at ``offset`` and behind it, as far as they are held, oldest first."""
        return self._index.from_byte(offset)

    def publish(self, spliced: Spliced) -> None:
        """Append bytes, forget what is too old, tell the listeners and wake the viewers."""
        begin = self._end
        for point in spliced.points:
            self._index.add(RandomAccessPoint(self._end + point.offset, point.pts))
        for at in range(0, len(spliced.data), PIECE):
            piece = spliced.data[at : at + PIECE]
            self._chunks.append(piece)
            self._offsets.append(self._end)
            self._end += len(piece)
        if spliced.points:
            self._forget(spliced.points[-1].pts - round(max(self._keep, self._retained) * CLOCK_HZ))
        for listener in tuple(self._listeners):
            listener(spliced, begin)
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
        place = self._place(point.offset)
        return self._first + place, point.offset - self._offsets[place]

    def _place(self, offset: int) -> int:
        """Return which of the held chunks has the byte at ``offset``."""
        return bisect_right(self._offsets, offset) - 1

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
