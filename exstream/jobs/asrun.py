"""Writes the as-run log behind the players' backs: a slow or failing database costs the air nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn, Protocol

import structlog

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.model.asrun import AsRunEntry
from exstream.model.catalogue import Catalogue, ItemKind
from exstream.model.programme import Segment

WAITING = 5_000
"""How many entries wait for a database that does not take them; the oldest go first."""
AT_ONCE = 200
RETRY_SECONDS = 10.0
PRUNE_SECONDS = 6 * 3_600.0
DAY_MS = 24 * 3_600_000

log = structlog.get_logger(__name__)


class Ledger(Protocol):
    """Where the log is kept."""

    async def record(self, entries: Sequence[AsRunEntry]) -> None:
        """Keep ``entries``, all of them or none; raises StoreError."""

    async def prune(self, before_ms: int) -> int:
        """Drop what ended before ``before_ms``; return how many entries went. Raises StoreError."""


class AsRunWriter:
    """Takes entries at once and writes them while `run` runs; entries older than ``kept_days`` are dropped.

    Episodes are named by the present ``catalogue``, so that the log can be read when the item is gone.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, catalogue: Callable[[], Catalogue], *, kept_days: int = 35
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._catalogue = catalogue
        self._kept_ms = kept_days * DAY_MS
        self._waiting: deque[AsRunEntry] = deque(maxlen=WAITING)
        self._news = asyncio.Event()

    def note(self, entry: AsRunEntry) -> None:
        """Have ``entry`` written soon."""
        self._waiting.append(replace(entry, segment=_named(entry.segment, self._catalogue())))
        self._news.set()

    async def run(self) -> NoReturn:
        """Write for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._prune())
            while True:
                await self._news.wait()
                self._news.clear()
                await self.flush()

    async def flush(self) -> None:
        """Write what waits; entries that are refused wait on."""
        while self._waiting:
            entries = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await self._ledger.record(entries)
            except StoreError as fault:
                room = WAITING - len(self._waiting)
                self._waiting.extendleft(reversed(entries[max(0, len(entries) - room) :]))
                log.warning("the as-run log cannot be written", reason=str(fault), waiting=len(self._waiting))
                await self._clock.sleep(RETRY_SECONDS)

    async def _prune(self) -> NoReturn:
        while True:
            try:
                dropped = await self._ledger.prune(self._clock.now_ms() - self._kept_ms)
                log.debug("old entries of the as-run log were dropped", entries=dropped)
            except StoreError as fault:
                log.warning("the as-run log cannot be pruned", reason=str(fault))
            await self._clock.sleep(PRUNE_SECONDS)


def _named(segment: Segment, catalogue: Catalogue) -> Segment:
    """Return ``segment`` with all that the guide says of an episode in its title: "Harbour Road S01E02 The Quay"."""
    item = catalogue.items.get(segment.item) if segment.item is not None else None
    if item is None or item.kind is not ItemKind.EPISODE or not item.show:
        return segment
    season = "" if item.season is None else f"S{item.season:02}"
    number = "" if item.episode is None else f"{season}E{item.episode:02}"
    title = item.title if item.title != item.show else ""
    return replace(segment, title=" ".join(part for part in (item.show, number, title) if part))
