"""Listings read in portions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.errors import Misunderstood, TooMuch, Unreachable
from exstream.plex.listing import MOST_BROKEN, Portion, listing
from exstream.plex.records import Kind, Page, Record

pytestmark = pytest.mark.anyio


class Shelf:
    """A server with so many entries: it stumbles over the ``broken`` ones, and over more than it can ``bear``."""

    def __init__(
        self,
        entries: int,
        *,
        broken: frozenset[int] = frozenset(),
        bear: int = 1000,
        gives: int = 1000,
        counted: bool = True,
    ) -> None:
        self.entries = entries
        self.broken = broken
        self.bear = bear
        self.gives = gives
        self.counted = counted
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, start: int, size: int, *, hurried: bool) -> Portion:
        self.asked.append((start, size))
        here = range(start, min(start + min(size, self.gives), self.entries))
        if size > self.bear or self.broken & set(here):
            raise TooMuch("it stumbles")
        records = tuple(Record(str(number), Kind.MOVIE, "") for number in here)
        return Portion(
            Page(records, len(records), self.entries if self.counted else start + len(records)),
            self.counted,
            start if self.counted else None,
        )


async def read(shelf: Shelf, most: int = 10, start: int = 0) -> tuple[list[int], list[str]]:
    """Return the keys and the faults of a listing."""
    keys: list[int] = []
    faults: list[str] = []
    async for page in listing(shelf, most, start):
        keys += [int(record.key) for record in page.records]
        faults += page.faults
    return keys, faults


@given(
    st.integers(0, 60),
    st.integers(1, 20),
    st.integers(1, 25),
    st.integers(1, 25),
    st.frozensets(st.integers(0, 59), max_size=4),
    st.integers(0, 60),
)
async def test_every_entry_comes_once_in_order(
    entries: int, most: int, bear: int, gives: int, broken: frozenset[int], start: int
) -> None:
    """However little the server bears and gives at once, all comes from where it begins but what is broken, once."""
    shelf = Shelf(entries, broken=broken, bear=bear, gives=gives)
    keys, faults = await read(shelf, most, start)
    assert keys == [number for number in range(start, entries) if number not in broken]
    assert len(faults) == len([number for number in broken if start <= number < entries])


async def test_pages_shrink_and_grow_back() -> None:
    """Around one broken entry of a thousand the pages become small, and large again after it."""
    shelf = Shelf(1000, broken=frozenset({300}))
    keys, faults = await read(shelf, 100)
    assert len(keys) == 999
    assert [fault[:9] for fault in faults] == ["entry 300"]
    assert shelf.asked[-1][1] == 100
    assert len(shelf.asked) < 40


async def test_a_short_page_is_not_the_end() -> None:
    """A server that gives three at a time, whatever is asked for, is read to its total."""
    shelf = Shelf(8, gives=3)
    assert (await read(shelf))[0] == list(range(8))
    assert [start for start, _ in shelf.asked] == [0, 3, 6]


async def test_an_empty_listing_is_one_empty_page() -> None:
    """So that whoever reads it learns that the server says so."""
    pages = [page async for page in listing(Shelf(0), 10)]
    assert [(page.received, page.total) for page in pages] == [(0, 0)]


async def test_an_empty_page_before_the_end_is_no_end() -> None:
    """A server that promises more than it gives is not believed."""

    async def ask(start: int, size: int, *, hurried: bool) -> Portion:
        portion = await Shelf(8, gives=3)(start, size, hurried=hurried)
        return portion if start == 0 else Portion(Page((), 0, 8), counted=True)

    with pytest.raises(Misunderstood, match="there are 8 entries, and gives none after the first 3"):
        async for _ in listing(ask, 10):
            pass


async def test_a_server_that_does_not_count_is_read_until_it_has_no_more() -> None:
    """Without a total the first page that is not full is the last; one that repeats itself is found out."""
    assert (await read(Shelf(25, counted=False)))[0] == list(range(25))
    assert (await read(Shelf(20, counted=False)))[0] == list(range(20))

    async def same(start: int, size: int, *, hurried: bool) -> Portion:
        return await Shelf(10, counted=False)(0, 10, hurried=hurried)

    with pytest.raises(Misunderstood, match="again and again"):
        async for _ in listing(same, 10):
            pass


async def test_a_page_from_elsewhere_is_refused() -> None:
    """A server that begins where it likes would have entries left out or doubled."""

    async def ask(start: int, size: int, *, hurried: bool) -> Portion:
        return Portion(Page((Record("1", Kind.MOVIE, ""),), 1, 9), counted=True, offset=0)

    with pytest.raises(Misunderstood, match="from 0 on where those from 1"):
        async for _ in listing(ask, 10):
            pass


async def test_a_listing_that_is_broken_throughout_ends() -> None:
    """Where every entry fails it is the listing that fails: it does not look like an empty one."""
    with pytest.raises(TooMuch):
        await read(Shelf(500, broken=frozenset(range(100, 500))))
    with pytest.raises(TooMuch):
        await read(Shelf(500, bear=-1))
    keys, faults = await read(Shelf(60, broken=frozenset(range(20, 20 + MOST_BROKEN))))
    assert (len(keys), len(faults)) == (60 - MOST_BROKEN, MOST_BROKEN)


async def test_a_server_that_goes_away_ends_the_listing() -> None:
    """Nobody answering is no reason to ask for less."""

    async def gone(start: int, size: int, *, hurried: bool) -> Portion:
        raise Unreachable("gone")

    with pytest.raises(Unreachable, match="gone"):
        async for _ in listing(gone, 10):
            pass
