"""What stands in for an item that cannot be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition, Pool, Query
from exstream.model.programme import Segment, SegmentKind
from exstream.sources.resolver import Resolver
from exstream.sources.substitutes import SHORTEST_MS, LibrarySubstitutes, filling
from tests.fakes import SteppedClock

pytestmark = pytest.mark.anyio

MINUTE = 60_000


def item(name: str, kind: ItemKind = ItemKind.FILM, minutes: float = 90, **fields: Any) -> Item:
    """Return an item whose file is called ``name``."""
    made = Item(f"local:{name}", kind, "A Film", round(minutes * MINUTE), "Films", path=f"/films/{name}.mkv")
    return replace(made, **fields)


def library(*items: Item, aside: str = "", filler: Pool | None = None) -> LibrarySubstitutes:
    """Return the substitutes of a library; the file ``aside`` is set aside."""
    definition = ChannelDefinition("one", "1", "One", "480p25", (), filler)
    catalogue = Catalogue.of(items)

    def set_aside(path: str) -> str:
        return "broken" if path == aside else ""

    resolver = Resolver(lambda: catalogue, set_aside, SteppedClock(0))
    return LibrarySubstitutes(
        lambda: catalogue,
        lambda channel: definition if channel == "one" else None,
        set_aside,
        resolver.copies,
    )


async def test_another_file_of_the_same_film_is_a_copy() -> None:
    """Title and year count, not the library nor the case; a remake, a short and a file that is gone do not."""
    wanted = item("a", year=1984)
    found = await library(
        wanted,
        item("b", year=1984, library="Other", title="a film", minutes=91),
        item("c", year=1984, minutes=90),
        item("remake", year=2004),
        item("short", year=1984, minutes=20),
        item("gone", year=1984, missing=True),
        item("elsewhere", year=1984, path=""),
        item("broken", year=1984),
        aside="/films/broken.mkv",
    ).copies(wanted.key)
    assert [source.location for source in found] == ["/films/c.mkv", "/films/b.mkv"]


async def test_another_file_of_the_same_episode_is_a_copy() -> None:
    """Show, season and episode count; what the title says does not. Without numbers the title does."""
    numbered: dict[str, Any] = {
        "kind": ItemKind.EPISODE,
        "minutes": 22,
        "show": "The Show",
        "season": 1,
        "episode": 2,
    }
    wanted = item("a", **numbered)
    other = item("b", **{**numbered, "show": "the  show", "title": "Another Name"})
    next_one = item("c", **{**numbered, "episode": 3})
    loose = item("d", ItemKind.EPISODE, 22, show="The Show", title="Special")
    same_loose = item("e", ItemKind.EPISODE, 22, show="The Show", title="special")
    shelf = library(wanted, other, next_one, loose, same_loose)
    assert [source.location for source in await shelf.copies(wanted.key)] == [other.path]
    assert [source.location for source in await shelf.copies(loose.key)] == [same_loose.path]
    assert await shelf.copies("local:unknown") == ()


async def test_fillers_are_the_channel_s_own_or_else_any() -> None:
    """The pool of the channel comes first; a channel without one takes every filler that the library has."""
    segment = Segment("one", SegmentKind.PROGRAMME, 0, 10 * MINUTE, "local:a")
    own = item("own", ItemKind.FILLER, 1, library="Own")
    other = item("other", ItemKind.FILLER, 1)
    pool = Pool("filler", Query(libraries=("own",)))
    for start in range(0, 10 * MINUTE, MINUTE):
        found = await library(own, other, filler=pool).filler(segment, start)
        assert found is not None
        assert found.source.location == own.path
    shelf = library(own, other)
    every = [await shelf.filler(segment, start) for start in range(0, 10 * MINUTE, MINUTE)]
    assert {found.source.location for found in every if found} == {own.path, other.path}
    without = await shelf.filler(segment, 0, frozenset({own.path}))
    assert without is not None
    assert without.source.location == other.path
    assert await library().filler(segment, 0) is None


@given(
    lengths=st.lists(st.integers(2_000, 200_000), min_size=1, max_size=8, unique=True),
    slot=st.integers(1, 3_600_000),
    starts=st.integers(0, 10**13),
    luck=st.floats(0, 1, exclude_max=True),
)
def test_fillers_follow_each_other_up_to_the_very_end_of_the_slot(
    lengths: list[int], slot: int, starts: int, luck: float
) -> None:
    """From any instant on they join without a gap and end with the slot; every node finds the same."""
    items = [item(str(length), ItemKind.FILLER, length / MINUTE, duration_ms=length) for length in lengths]
    segment = Segment("one", SegmentKind.PROGRAMME, starts, starts + slot, "local:a")
    at = starts + int(luck * slot)
    first = filling(items, segment, at)
    assert first == filling(list(reversed(items)), segment, at)
    if segment.ends - at < SHORTEST_MS:
        assert first is None
        return
    assert first is not None
    assert first.starts <= at or first.starts - at < SHORTEST_MS
    this = first
    while this.ends < segment.ends:
        following = filling(items, segment, this.ends)
        assert following is not None
        assert following.starts == this.ends
        this = following
    assert this.ends == segment.ends
