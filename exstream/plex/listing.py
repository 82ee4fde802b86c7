"""A listing read whole, in portions that fit what the server can bear."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Protocol

from exstream.errors import Misunderstood, TooMuch
from exstream.plex.records import Page

MOST_BROKEN = 10
"""So many entries in a row that the server stumbles over, and it is the listing that is broken, not an entry."""


@dataclass(frozen=True, slots=True)
class Portion:
    """A page, and whether its total is the server's word. ``offset`` is where it says that the page begins."""

    page: Page
    counted: bool
    offset: int | None = None


class Asked(Protocol):
    """Asks for a portion; raises `TooMuch` where it is too large, at once if ``hurried``."""

    def __call__(self, start: int, size: int, *, hurried: bool) -> Awaitable[Portion]: ...


async def listing(ask: Asked, most: int, start: int = 0) -> AsyncIterator[Page]:
    """Yield the pages from entry ``start`` on, of up to ``most`` entries, fewer while the server cannot bear them.

    The next page begins where the entries that came end, however few they were. An entry that the server stumbles over
    even alone is a fault of a page of its own. An empty listing is one empty page. Raises `OutboundError`, and
    `Misunderstood` where the pages do not come to what the server says they are.
    """
    size = max(1, most)
    total: int | None = None
    broken = 0
    before = ""
    while total is None or start < total:
        try:
            portion = await ask(start, size, hurried=size > 1)
        except TooMuch as fault:
            if size > 1:
                size //= 2
                continue
            broken += 1
            if total is None:
                total = (await ask(start, 0, hurried=False)).page.total
            if broken > MOST_BROKEN or start >= total:
                raise
            yield Page((), received=1, total=total, faults=(f"entry {start} was left out: {fault}",))
            start += 1
            continue
        page = portion.page
        before = _plausible(portion, start, size, before)
        broken = 0
        yield page
        start += page.received
        if not portion.counted and page.received < size:
            return
        total = page.total if portion.counted else None
        size = min(max(1, most), size * 2)


def _plausible(portion: Portion, start: int, size: int, before: str) -> str:
    """Return the first key of a portion; raises `Misunderstood` where it cannot be what was asked for."""
    page = portion.page
    if portion.offset is not None and portion.offset != start:
        raise Misunderstood(
            f"the server gave entries from {portion.offset} on where those from {start} were asked"
        )
    if portion.counted and not page.received and start < page.total:
        raise Misunderstood(
            f"the server says that there are {page.total} entries, and gives none after the first {start}"
        )
    if not portion.counted and start and page.received > size:
        raise Misunderstood("the server does not give its entries in portions")
    first = page.records[0].key if page.records else ""
    if first and first == before and not portion.counted:
        raise Misunderstood("the server gives the same entries again and again")
    return first
