"""Writes the as-run log behind the players' backs: a slow or failing database costs the air nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NoReturn, Protocol

import structlog

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.model.programme import AsRunEntry

WAITING = 5_000
"""How many entries wait for a database that does not take them; the oldest go first."""
RETRY_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Ledger(Protocol):
    """Where the log is kept."""

    async def record(self, entry: AsRunEntry) -> None:
        """Keep ``entry``; raises StoreError."""


class AsRunWriter:
    """Takes entries at once and writes them while `run` runs."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._waiting: deque[AsRunEntry] = deque(maxlen=WAITING)
        self._news = asyncio.Event()

    def note(self, entry: AsRunEntry) -> None:
        """Have ``entry`` written soon."""
        self._waiting.append(entry)
        self._news.set()

    async def run(self) -> NoReturn:
        """Write for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; an entry that is refused waits on."""
        while self._waiting:
            entry = self._waiting.popleft()
            try:
                await self._ledger.record(entry)
            except StoreError as fault:
                log.warning(
                    "the as-run log cannot be written", reason=str(fault), waiting=len(self._waiting) + 1
                )
                self._waiting.appendleft(entry)
                await self._clock.sleep(RETRY_SECONDS)
