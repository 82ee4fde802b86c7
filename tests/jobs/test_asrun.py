"""The as-run log is written behind the players' backs."""

from __future__ import annotations

import asyncio

import pytest

from exstream.errors import StoreError
from exstream.jobs.asrun import AsRunWriter
from exstream.model.programme import AsRunEntry, Outcome, Segment, SegmentKind

pytestmark = pytest.mark.anyio


class Moments:
    """A clock whose waits pass at once."""

    shift_ms = 0

    def __init__(self) -> None:
        self.waited = 0.0

    def air(self) -> float:
        """Return air time."""
        return self.waited

    def now_ms(self) -> int:
        """Return schedule time."""
        return round(self.waited * 1000)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.waited += seconds
        await asyncio.sleep(0)


class Ledger:
    """A ledger that refuses for a while."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.entries: list[AsRunEntry] = []

    async def record(self, entry: AsRunEntry) -> None:
        """Keep the entry, or refuse it."""
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the disk is full: free some space")
        self.entries.append(entry)


def entry(number: int) -> AsRunEntry:
    """Return an entry."""
    segment = Segment("one", SegmentKind.PROGRAMME, number, number + 1, "item")
    return AsRunEntry(segment, number, number + 1, Outcome.AIRED)


async def test_entries_are_written_in_order_once_the_database_takes_them() -> None:
    """A database that refuses for a while loses no entry and no order, and nobody waits for it."""
    ledger, clock = Ledger(refusals=3), Moments()
    writer = AsRunWriter(ledger, clock)
    running = asyncio.create_task(writer.run())
    noted = [entry(number) for number in range(5)]
    for each in noted:
        writer.note(each)
    async with asyncio.timeout(2):
        while len(ledger.entries) < len(noted):
            await asyncio.sleep(0)
    running.cancel()

    assert ledger.entries == noted
    assert clock.waited == pytest.approx(30)
