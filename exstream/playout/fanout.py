"""One writer, many viewers: a bounded ring of bytes that never waits for a reader. Belongs to the event loop.

Viewers come in two kinds. A `Line` is written to the moment something is published, as long as its wire has room;
whoever wants to read at its own pace asks with `Fanout.read`. Both have a place in the ring and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.index import RandomAccessPoint
from exstream.mpegts.splice import Spliced
from exstream.playout.ring import PIECE, Cursor, Ring

__all__ = ["PIECE", "Cursor", "Fanout", "Line", "Listener", "Wire"]

STALLED_SECONDS = 30.0
"""A wire that has no room for so long is given up."""
TURN_BYTES = 4 << 20
"""After so many bytes the event loop sees to everything else before the next viewers get theirs."""

Listener = Callable[[Spliced, int], None]
"""Told of what has just been appended, and of the offset of its first byte since the channel went on air."""


class Wire(Protocol):
    """The way to a viewer. It takes whatever it is given, and says when that is enough."""

    @property
    def full(self) -> bool:
        """Whether it should be given nothing more for now."""

    def write(self, data: bytes) -> None:
        """Send ``data`` as soon as the viewer takes it."""

    def on_room(self, call: Callable[[], None]) -> None:
        """Have ``call`` called whenever it is full no longer."""


class Line:
    """A viewer on a wire. ``ended`` is called once, when nothing more will come."""

    def __init__(
        self, cursor: Cursor, wire: Wire, sent: Callable[[int], None], ended: Callable[[], None]
    ) -> None:
        self.cursor = cursor
        self.wire = wire
        self.sent = sent
        self.ended = ended
        self.full_since: int | None = None
        """Since when its wire has been full, in ticks of air time."""
        self.open = True
        self.stalled = False
        """It was given up because its viewer took nothing."""


class Fanout:
    """The last ``keep`` seconds of one channel, and who reads them.

    ``air_ticks`` tells air time in 90 kHz ticks; ``on_skip`` is called when a slow viewer is moved on. ``keep`` is
    in seconds: a viewer that falls behind by more is moved, so it should be two groups of pictures at least.
    Offsets count bytes since the channel went on air; what has been forgotten keeps its place.
    """

    def __init__(self, air_ticks: Callable[[], int], on_skip: Callable[[], None], keep: float = 20.0) -> None:
        self._air_ticks = air_ticks
        self._on_skip = on_skip
        self._keep = keep
        self._retained = 0.0
        self._ring = Ring()
        self._waiting: set[asyncio.Future[None]] = set()
        self._listeners: list[Listener] = []
        self._idle: set[Line] = set()
        """Lines that have everything there is."""
        self._ready: deque[Line] = deque()
        """Lines for which there is something, the one that waits longest first."""
        self._full: set[Line] = set()
        self._serving = False
        self.closed = False

    @property
    def size(self) -> int:
        """The bytes held."""
        return self._ring.size

    @property
    def end(self) -> int:
        """The offset of the next byte to be appended."""
        return self._ring.end

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
        return self._ring.range(begin, end)

    def points_from(self, offset: int) -> list[RandomAccessPoint]:
        """Return the random-access points at ``offset`` and behind it, as far as they are held, oldest first."""
        return self._ring.points_from(offset)

    def publish(self, spliced: Spliced) -> None:
        """Append bytes, forget what is too old, tell the listeners and see to the viewers."""
        begin = self._ring.end
        self._ring.append(spliced)
        if spliced.points:
            self._ring.forget(spliced.points[-1].pts - round(max(self._keep, self._retained) * CLOCK_HZ))
        for listener in tuple(self._listeners):
            listener(spliced, begin)
        self._wake()
        self._ready.extend(self._idle)
        self._idle.clear()
        self._serve_soon()
        if self._full:
            self._give_up()

    def close(self) -> None:
        """End every viewer's stream."""
        self.closed = True
        self._wake()
        for line in (*self._idle, *self._ready, *self._full):
            self._end(line)

    def connect(self, line: Line) -> None:
        """Write to ``line`` from its cursor on until it is disconnected or ended."""
        if self.closed:
            self._end(line)
            return
        line.wire.on_room(lambda: self._room(line))
        self._queue(line)

    def disconnect(self, line: Line) -> None:
        """Write to ``line`` no more."""
        line.open = False
        self._full.discard(line)
        self._idle.discard(line)

    async def read(self, cursor: Cursor) -> bytes:
        """Return the next bytes for ``cursor``, waiting for them; empty when the stream has ended."""
        while not self.closed:
            data = self._next(cursor)
            if data:
                return data
            await self._more()
        return b""

    def _next(self, cursor: Cursor) -> bytes:
        """Return what there is for ``cursor`` now: nothing, or a piece; one that fell behind begins anew."""
        if self._ring.lost(cursor):
            cursor.chunk = None
            cursor.skips += 1
            self._on_skip()
        if cursor.chunk is None:
            self._ring.begin(cursor, self._air_ticks())
        return self._ring.take(cursor) if self._ring.has(cursor) else b""

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    async def _more(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _queue(self, line: Line) -> None:
        """Put ``line`` where it belongs: it has room and wants what there is, or it is full."""
        if line.wire.full:
            line.full_since = self._air_ticks()
            self._full.add(line)
        else:
            self._ready.append(line)
            self._serve_soon()

    def _room(self, line: Line) -> None:
        if line in self._full:
            self._full.discard(line)
            self._queue(line)

    def _serve_soon(self) -> None:
        if self._ready and not self._serving:
            self._serving = True
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        """Give every ready line one piece, as far as the turn goes; the others follow in the next turn."""
        self._serving = False
        left = TURN_BYTES
        for _ in range(len(self._ready)):
            line = self._ready.popleft()
            if line.open:
                left -= self._write(line)
            if left <= 0:
                break
        self._serve_soon()

    def _write(self, line: Line) -> int:
        """Write a piece to ``line`` and put it where it then belongs; return how many bytes it was."""
        if line.wire.full:
            self._queue(line)
            return 0
        data = self._next(line.cursor)
        if data:
            line.wire.write(data)
            line.sent(len(data))
        if self._ring.has(line.cursor):
            self._queue(line)
        else:
            self._idle.add(line)
        return len(data)

    def _give_up(self) -> None:
        """End the lines whose viewers have taken nothing for too long."""
        latest = self._air_ticks() - round(STALLED_SECONDS * CLOCK_HZ)
        for line in [
            line for line in self._full if line.full_since is not None and line.full_since <= latest
        ]:
            line.stalled = True
            self._end(line)

    def _end(self, line: Line) -> None:
        if line.open:
            self.disconnect(line)
            line.ended()
