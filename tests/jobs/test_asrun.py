"""The as-run log is written behind the players' backs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from exstream.errors import StoreError
from exstream.jobs.asrun import DAY_MS, WAITING, AsRunWriter
from exstream.model.asrun import AsRunEntry, Outcome
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.programme import Segment, SegmentKind
from tests.fakes import SteppedClock

pytestmark = pytest.mark.anyio


class Ledger:
    """A ledger that refuses for a while."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.entries: list[AsRunEntry] = []
        self.pruned: list[int] = []

    async def record(self, entries: Sequence[AsRunEntry]) -> None:
        """Keep the entries, or refuse them."""
        if self.refusals:
            self.refusals -= 1
            raise StoreError("the disk is full: free some space")
        self.entries += entries

    async def prune(self, before_ms: int) -> int:
        """Keep when it was asked to prune; the first time it fails."""
        self.pruned.append(before_ms)
        if len(self.pruned) == 1:
            raise StoreError("the database is locked: wait")
        return 0


def entry(number: int) -> AsRunEntry:
    """Return an entry."""
    segment = Segment("one", SegmentKind.PROGRAMME, number, number + 1, "item")
    return AsRunEntry(segment, number, number + 1, Outcome.AIRED)


async def test_entries_are_written_in_order_once_the_database_takes_them() -> None:
    """A database that refuses for a while loses no entry and no order, and nobody waits for it."""
    ledger, clock = Ledger(refusals=3), SteppedClock(0)
    writer = AsRunWriter(ledger, clock, Catalogue)
    running = asyncio.create_task(writer.run())
    noted = [entry(number) for number in range(500)]
    for each in noted:
        writer.note(each)
    for _ in range(3):
        await clock.step(0)
        assert ledger.entries == []
        await clock.step(10)
    running.cancel()

    assert ledger.entries == noted


@pytest.mark.parametrize(
    ("item", "title"),
    [
        (Item("item", ItemKind.EPISODE, "Second", 1, "mine", "My Show", 1, 2), "My Show S01E02 Second"),
        (Item("item", ItemKind.EPISODE, "Special", 1, "mine", "My Show", None, 3), "My Show E03 Special"),
        (Item("item", ItemKind.EPISODE, "Pilot", 1, "mine", "My Show"), "My Show Pilot"),
        (Item("item", ItemKind.EPISODE, "My Show", 1, "mine", "My Show", 1, 2), "My Show S01E02"),
        (Item("item", ItemKind.EPISODE, "Lonely", 1, "mine"), "as published"),
        (Item("item", ItemKind.FILM, "Renamed", 1, "mine"), "as published"),
        (Item("gone", ItemKind.EPISODE, "Second", 1, "mine", "My Show", 1, 2), "as published"),
    ],
)
async def test_episodes_are_kept_by_all_that_the_guide_says_of_them(item: Item, title: str) -> None:
    """An entry names show, season, episode and title as they are when it aired; others keep the row's title."""
    ledger = Ledger()
    writer = AsRunWriter(ledger, SteppedClock(0), lambda: Catalogue.of([item]))
    published = entry(1)
    writer.note(replace(published, segment=replace(published.segment, title="as published")))
    await writer.flush()

    assert [each.segment.title for each in ledger.entries] == [title]


async def test_while_nothing_can_be_written_the_oldest_go_first() -> None:
    """What waits is bounded: the newest entries are kept, in order."""
    ledger, clock = Ledger(refusals=1), SteppedClock(0)
    writer = AsRunWriter(ledger, clock, Catalogue)
    running = asyncio.create_task(writer.run())
    writer.note(entry(0))
    await clock.step(1)
    noted = [entry(number) for number in range(1, WAITING + 2)]
    for each in noted:
        writer.note(each)
    await clock.step(60)
    running.cancel()

    assert ledger.entries == noted[-WAITING:]


async def test_old_entries_are_dropped_now_and_then() -> None:
    """Four times a day what is older than the days to keep goes, also after a database that failed once."""
    now = 40 * DAY_MS
    ledger, clock = Ledger(), SteppedClock(now)
    writer = AsRunWriter(ledger, clock, Catalogue, kept_days=30)
    running = asyncio.create_task(writer.run())
    for hours in (0, 6, 6):
        await clock.step(hours * 3_600)
    running.cancel()

    assert ledger.pruned == [10 * DAY_MS + quarter * DAY_MS // 4 for quarter in range(3)]
