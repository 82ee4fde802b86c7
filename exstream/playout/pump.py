"""One thread for all channels: reads, splices and hands on what is due, every 200 ms.

A channel that lacks something has its turn every 100 ms, and one that needs its next bytes at once is woken by its
pipe. Between rounds the thread sleeps, for as long as nothing is on the air if need be. Channels share what a round may
read: those that want more, because they start, go on in further rounds until the next one is due. Everything else about
a channel is decided on the event loop.
"""

from __future__ import annotations

import asyncio
import math
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple, Self

import structlog

from exstream.clock import Clock
from exstream.mpegts.splice import Spliced
from exstream.playout.air import Air

log = structlog.get_logger(__name__)

TICK = 0.2
"""How often a channel has its turn that has all it should have, in seconds: a pipe full of 8 Mbit/s lasts longer."""
SHORT_TICK = 0.1
"""How often one that lacks something has its turn."""
MOST_FAULTS = 20
"""After so many ticks in a row that fail, a channel is given up."""
HURRY = 0.005
"""The shortest time between two looks at a pipe that is being watched, in seconds."""
ROUND_BYTES = 32 << 20
"""How much all channels together may read before every one of them has its turn again."""
LEAST_SHARE = 262_144
"""How much a channel may read in a round however many there are: a tick at 10 Mbit/s."""
MOST_SHARE = 4 << 20
"""How much a channel may read in a round though it is alone."""
LOAD_BYTES = 4 << 20
"""After so many bytes the event loop is given what there is, before the round is over."""


Outlet = Callable[[list[Spliced] | None], None]
"""Takes what goes on the air; None says that the channel cannot go on."""


class Delivery(NamedTuple):
    """What a tick gave for one channel."""

    air: Air
    spliced: list[Spliced]


class Pump:
    """Moves bytes for every channel on air. ``on_tick`` gets the seconds that a tick took."""

    def __init__(self, clock: Clock, on_tick: Callable[[float], None]) -> None:
        self._clock = clock
        self._on_tick = on_tick
        self._orders: deque[Callable[[], None]] = deque()
        self._outlets: dict[Air, Outlet] = {}
        self._airs: deque[Air] = deque()
        self._faults: dict[Air, int] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        self.wake()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def add(self, air: Air, outlet: Outlet) -> None:
        """Put ``air`` on the pump; ``outlet`` is called on the event loop with what goes on air, and when slots end."""
        self._outlets[air] = outlet
        self._orders.append(lambda: self._airs.append(air))
        self.wake()

    async def remove(self, air: Air) -> None:
        """Take ``air`` off the pump; when this returns, the pump touches none of its pipes any more."""
        self._outlets.pop(air, None)
        gone = asyncio.get_running_loop().create_future()
        self._orders.append(lambda: self._remove(air, gone))
        self.wake()
        await gone

    def wake(self) -> None:
        """Begin the next tick now. Safe from any thread."""
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            return  # it is awake already

    def _remove(self, air: Air, gone: asyncio.Future[None]) -> None:
        self._faults.pop(air, None)
        if air in self._airs:
            self._airs.remove(air)
        self._post(lambda: _resolve(gone))

    def _post(self, call: Callable[[], object]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call)

    def _run(self) -> None:
        due = soon = self._clock.air()
        while not self._stopping:
            ready = self._sleep(min(due, soon))
            now = self._clock.air()
            if ready is None or now >= due:
                self._round(now, None)
                self._on_tick(self._clock.air() - now)
                due = now + TICK if self._airs else math.inf
            else:
                self._round(
                    now, [air for air in self._airs if self._in_need(air, now, ready, behind=now >= soon)]
                )
                if now < soon:
                    continue
            soon = now + SHORT_TICK if any(air.behind for air in self._airs) else math.inf

    @staticmethod
    def _in_need(air: Air, now: float, ready: Collection[int], *, behind: bool) -> bool:
        """Tell whether ``air`` has a turn of its own between two rounds of all."""
        return air.stinted or (behind and air.behind) or air.hungry(now) in ready

    def _round(self, now: float, only: Sequence[Air] | None) -> None:
        """Give all channels their turn, or some of them; whoever was first is last the next time."""
        while self._orders:
            self._orders.popleft()()
        airs = tuple(self._airs if only is None else dict.fromkeys(air for air in only if air in self._airs))
        share = min(MOST_SHARE, max(LEAST_SHARE, ROUND_BYTES // max(len(airs), 1)))
        load: list[Delivery] = []
        size = 0
        for air in airs:
            air.share = share
            spliced = self._turn(air, now)
            if spliced or air.over:
                load.append(Delivery(air, spliced))
                size += sum(len(piece.data) for piece in spliced)
            if size >= LOAD_BYTES:
                self._post(partial(self._deliver, load))
                load, size = [], 0
        if load:
            self._post(partial(self._deliver, load))
        self._airs.rotate(-1)

    def _turn(self, air: Air, now: float) -> list[Spliced]:
        try:
            spliced = air.tick(now)
        except Exception:
            # One channel's fault must not take the others off the air: this thread serves them all.
            self._faults[air] = self._faults.get(air, 0) + 1
            log.exception("a channel stumbled over a fault of ours", times=self._faults[air])
            air.fail("a fault of ours")
            if self._faults[air] >= MOST_FAULTS:
                self._airs.remove(air)
                self._post(lambda: self._lose(air))
            return []
        self._faults.pop(air, None)
        return spliced

    def _lose(self, air: Air) -> None:
        outlet = self._outlets.pop(air, None)
        if outlet is not None:
            outlet(None)

    def _deliver(self, deliveries: list[Delivery]) -> None:
        for air, spliced in deliveries:
            outlet = self._outlets.get(air)
            if outlet is not None:
                outlet(spliced)

    def _sleep(self, due: float) -> set[int] | None:
        """Wait until ``due`` or bytes on an urgent pipe; return the urgent pipes that have some, None at an order.

        While channels want to go on, it only looks.
        """
        now = self._clock.air()
        if any(air.stinted for air in self._airs):
            due = now
        pipes = {fd for air in self._airs if (fd := air.hungry(now)) is not None}
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        for fd in pipes:
            poll.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(None if due == math.inf else max(0.0, due - now) * 1000)}
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
            return None
        if ready and due > now:
            # Let a little more than one write of the encoder gather.
            threading.Event().wait(HURRY)
        return ready


def _resolve(gone: asyncio.Future[None]) -> None:
    if not gone.done():
        gone.set_result(None)
