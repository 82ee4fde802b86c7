"""The full pass: every entry of a library's listing, a transaction for each page, and what is gone in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from exstream.jobs.sync.reading import Reading
from exstream.jobs.sync.shows import drop_shows, read_shows
from exstream.jobs.sync.vanished import judge
from exstream.plex.records import Page, Section

OVERLAP = 100
"""So many entries are read twice when a pass goes on: what was removed meanwhile has moved the others up."""


async def full_pass(reading: Reading, section: Section, *, force: bool = False) -> None:
    """Read the whole library; one that was interrupted goes on at its page.

    Nothing is taken for gone unless every entry came. What is written stays whatever happens then; raises
    OutboundError and StoreError, and goes on from the last page the next time.
    """
    await reading.look_up_all()
    goes_on = reading.state.pass_open and not reading.deep
    if not goes_on:
        _begin(reading)
    listed = await read_shows(reading)
    seen, total = await _read_pages(reading, section, resumed=goes_on)
    again = goes_on and seen != total
    if again:
        # Entries have moved over the gap, or what was seen before it is gone: once more, from the first one on.
        _begin(reading)
        seen, total = await _read_pages(reading, section, resumed=False)
    if seen >= total:
        held_back = await judge(reading, force=force)
        if listed is not None:
            await drop_shows(reading, listed)
    else:
        held_back = 0
        reading.fault("the listing was not complete: nothing is taken for gone")
    if again or not goes_on:
        # Of what came before a gap it is not known what has changed since: it is asked for once more.
        added, stamp = reading.newest_added, reading.newest_stamp
        reading.state = replace(reading.state, newest_added=added, newest_stamp=stamp)
    await _end(reading, section, held_back)


def _begin(reading: Reading) -> None:
    number = reading.state.pass_number + 1
    reading.state = replace(reading.state, pass_number=number, pass_start=0, pass_open=True)


async def _read_pages(reading: Reading, section: Section, *, resumed: bool) -> tuple[int, int]:
    """Read the listing to its end; return how many entries came in this pass, and how many the server has."""
    start = max(0, reading.state.pass_start - OVERLAP) if resumed else 0
    total, faults = 0, 0
    pages = reading.means.asking.pages(section.key, reading.item_kind, start=start)
    async with aclosing(ahead(pages)) as coming:
        async for page in coming:
            start += page.received
            total = page.total
            faults += len(page.faults)
            for fault in page.faults:
                reading.fault(fault)
            await reading.take(page.records, replace(reading.state, pass_start=start), total=total)
    unseen = await reading.means.shelves.unseen(reading.id, reading.state.pass_number)
    seen = reading.present - len(unseen) + faults
    # More than the server has: something went while the pages came, and the next count will not fit.
    reading.state = replace(reading.state, total=max(seen, total))
    return seen, total


async def _end(reading: Reading, section: Section, held_back: int) -> None:
    reading.statistics.total += reading.state.total
    reading.statistics.held_back += held_back
    reading.state = replace(
        reading.state,
        content_changed_at=section.content_changed_at,
        scanned_at=section.scanned_at,
        full_at=reading.means.clock.now_ms(),
        shows=len(reading.shows),
        pass_open=False,
        pass_start=0,
        held_back=held_back,
    )
    await reading.means.shelves.keep_state(reading.id, reading.state)


async def ahead(pages: AsyncIterator[Page]) -> AsyncGenerator[Page]:
    """Yield ``pages``, each while the next one is on its way."""
    upcoming = asyncio.ensure_future(_next(pages))
    try:
        while (page := await upcoming) is not None:
            upcoming = asyncio.ensure_future(_next(pages))
            yield page
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def _next(pages: AsyncIterator[Page]) -> Page | None:
    return await anext(pages, None)
