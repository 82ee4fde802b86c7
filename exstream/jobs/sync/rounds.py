"""One server kept up to date for as long as the program runs: probes, notices, and details in between."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import structlog

from exstream.clock import Clock
from exstream.errors import Busy, NotAllowed, OutboundError, SignInNeeded, Unreachable
from exstream.jobs.board import Board
from exstream.jobs.sync.debounce import Debounce
from exstream.jobs.sync.plan import Wishes
from exstream.jobs.sync.reloads import Reloads
from exstream.jobs.sync.sync import Order, ServerSync
from exstream.jobs.sync.turns import Alone, Turns
from exstream.plex.records import Happening, Notice

PROBE_SECONDS = 300.0
"""How often a server is asked what has changed, notices or not."""
SIGNED_OUT_SECONDS = 60.0
"""How often a server that does not accept the token is asked again, until there is another token."""
FIRST_PAUSE = 30.0
"""After a fault; it doubles with each one that follows."""

log = structlog.get_logger(__name__)


class Rounds:
    """The rounds of one server. Ends by cancellation only, or by StoreError."""

    def __init__(
        self, sync: ServerSync, reloads: Reloads, board: Board, order: Order, turns: Turns = Alone()
    ) -> None:
        self._sync = sync
        self._reloads = reloads
        self._board = board
        self._order = order
        self._turns = turns
        self._clock: Clock = sync.means.clock
        self._told: Debounce[tuple[Happening, str]] = Debounce()
        self._news = asyncio.Event()
        self._probe_at = 0.0
        self._failures = 0
        self.fault: OutboundError | None = None
        """Why the server could not be read when it was asked last."""
        self._told_of: type[OutboundError] | None = None
        """The kind of fault that the log has told of last."""
        self._probed = False
        self._unfilled = False
        """Whether there may be items that were only listed so far, or groupings that are due."""

    def ask(self) -> None:
        """Have the server asked at once what has changed."""
        self._probe_at = 0.0
        self._news.set()

    async def run(self) -> None:
        """Probe, read what is told, and details while there is nothing else to do."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    await self._next()
                except OutboundError as fault:
                    self.fault = fault
                    await self._pause(fault)
                else:
                    self._failures, self.fault = 0, None
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _next(self) -> None:
        now = self._clock.air()
        if now >= self._probe_at:
            with self._board.job(f"sync {self._server}") as job:
                async with self._turn():
                    job.message = await self._probe()
            self._probe_at = self._clock.air() + PROBE_SECONDS
        elif due := self._told.take(now):
            try:
                async with self._turn():
                    await self._refresh(due)
            except Unreachable:
                # What the server has told of is not told again: it is read when it answers.
                for each in due:
                    self._told.tell(each, self._clock.air())
                raise
        elif self._unfilled:
            async with self._turn():
                self._unfilled = await self._details() > 0
        else:
            await self._wait(min(self._probe_at, self._told.next_due))

    async def _probe(self) -> str:
        statistics = await self._sync.run(Wishes())
        self._unfilled = self._unfilled or statistics.writes > 0 or not self._probed
        self._probed = True
        await self._reloads.catch_up()
        return "; ".join([statistics.summary(), *statistics.faults[:1]])

    async def _details(self) -> int:
        left = await self._sync.details(self._order, interrupted=self._is_interrupted)
        await self._reloads.catch_up()
        return left

    def _is_interrupted(self) -> bool:
        now = self._clock.air()
        elsewhere = self._turns.wanted(self._sync.means.server.id)
        return elsewhere or now >= self._probe_at or now >= self._told.next_due

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._turns.taken(self._sync.means.server.id, gives_way=True)

    async def _refresh(self, due: list[tuple[Happening, str]]) -> None:
        if any(kind in {Happening.CONNECTED, Happening.LOST, Happening.SCANNED} for kind, _ in due):
            self._probe_at = 0.0
        keys = {kind: {key for each, key in due if each is kind and key} for kind in Happening}
        if keys[Happening.CHANGED] or keys[Happening.DELETED]:
            await self._sync.refresh(keys[Happening.CHANGED], keys[Happening.DELETED])
            self._unfilled = True
            await self._reloads.catch_up()

    async def _listen(self) -> None:
        """Take note of what the server tells; one that lets nobody listen is probed all the same."""
        while True:
            try:
                async for notice in self._sync.means.asking.notices():
                    self._take(notice)
            except OutboundError as fault:
                log.info("a server tells nothing by itself", server=self._server, reason=str(fault))
                if self._probed and isinstance(fault, SignInNeeded | NotAllowed):
                    self.ask()  # perhaps the token counts no more for anything
            await self._clock.sleep(PROBE_SECONDS)

    def _take(self, notice: Notice) -> None:
        about = notice.item if notice.kind in {Happening.CHANGED, Happening.DELETED} else notice.section
        self._told.tell((notice.kind, about), self._clock.air())
        self._news.set()

    async def _pause(self, fault: OutboundError) -> None:
        """Leave a server alone for as long as its fault asks for; it is on the board already."""
        self._failures += 1
        pause = min(FIRST_PAUSE * 2 ** min(self._failures - 1, 8), PROBE_SECONDS)
        if isinstance(fault, SignInNeeded | NotAllowed):
            pause = max(pause, SIGNED_OUT_SECONDS)
        elif isinstance(fault, Busy) and fault.retry_after is not None:
            pause = max(fault.retry_after, 1.0)
        another = type(fault) is not self._told_of and not isinstance(fault, Unreachable)
        if self._failures == 1 or another:  # once, however long it lasts
            self._told_of = type(fault)
            log.warning("a server cannot be read now", server=self._server, reason=str(fault), again_s=pause)
        await self._clock.sleep(pause)

    async def _wait(self, until: float) -> None:
        """Wait for an instant of air time, or for news."""
        self._news.clear()
        passing = asyncio.ensure_future(self._clock.sleep(until - self._clock.air()))
        coming = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({passing, coming}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (passing, coming):
                each.cancel()
            await asyncio.gather(passing, coming, return_exceptions=True)

    @property
    def _server(self) -> str:
        return self._sync.means.server.name
