"""The orders of a pool, and the cursors that name places in them."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.catalogue import Item
from exstream.model.channel import Order, Pool, Query
from exstream.model.programme import Cursor
from exstream.schedule.rotation import Rotation, take
from tests.schedule.libraries import episode, libraries

CHRONOLOGICAL = Pool("p", Query(), Order.CHRONOLOGICAL)
SHUFFLE = Pool("p", Query(), Order.SHUFFLE)
orders = st.sampled_from([CHRONOLOGICAL, SHUFFLE])
some = libraries().filter(bool)


def first(
    pool: Pool, items: Sequence[Item], count: int, cursor: Cursor | None = None
) -> list[tuple[Item, Cursor]]:
    return list(islice(take(pool, items, "seed", cursor or Cursor()), count))


def keys(taken: Sequence[tuple[Item, Cursor]]) -> list[str]:
    return [item.key for item, _ in taken]


def test_chronological_is_by_show_season_and_episode() -> None:
    """Seasons and episodes run as numbers, and so do the numbers in names."""
    library = [
        episode(1, "Show 10"),
        episode(10),
        episode(2),
        episode(1, season=2),
        episode(1, "Show 2"),
        episode(1),
    ]
    assert [(item.show, item.season, item.episode) for item, _ in first(CHRONOLOGICAL, library, 6)] == [
        ("Robot Harbour", 1, 1),
        ("Robot Harbour", 1, 2),
        ("Robot Harbour", 1, 10),
        ("Robot Harbour", 2, 1),
        ("Show 2", 1, 1),
        ("Show 10", 1, 1),
    ]


@given(orders, some, st.integers(1, 4))
def test_each_cycle_gives_every_item_once(pool: Pool, library: tuple[Item, ...], cycles: int) -> None:
    """Before an item comes again, all the others have been on."""
    taken = keys(first(pool, library, cycles * len(library)))
    for start in range(0, len(taken), len(library)):
        assert sorted(taken[start : start + len(library)]) == sorted(item.key for item in library)


@given(orders, some)
def test_nothing_follows_itself(pool: Pool, library: tuple[Item, ...]) -> None:
    """Across the border of two cycles an item does not repeat at once while there is another."""
    taken = keys(first(pool, library, 20 * len(library)))
    if len(library) >= 2:
        assert all(before != after for before, after in pairwise(taken))


@pytest.mark.parametrize("size", [2, 3, 4])
def test_small_shuffles_keep_both_promises(size: int) -> None:
    """Where a border would often repeat an item, each cycle still has every item once and none twice in a row."""
    for number in range(60):
        library = [episode(10 * number + part) for part in range(size)]
        taken = keys(first(SHUFFLE, library, 6 * size))
        assert all(len(set(taken[start : start + size])) == size for start in range(0, 6 * size, size))
        assert all(before != after for before, after in pairwise(taken))


@given(orders, some, st.integers(0, 40))
def test_a_cursor_goes_on_as_if_never_stopped(pool: Pool, library: tuple[Item, ...], stop: int) -> None:
    """What follows a cursor is what would have followed anyway."""
    whole = first(pool, library, stop + 15)
    cursor = whole[stop - 1][1] if stop else Cursor()
    assert first(pool, library, 15, cursor) == whole[stop:]


@given(libraries(), libraries(), st.integers(0, 50))
def test_a_new_item_moves_no_other_in_a_shuffle(
    library: tuple[Item, ...], added: tuple[Item, ...], cycle: int
) -> None:
    """New items only come in between: where two are in the library, the same one comes first as before.

    The border rule may swap the first two of a cycle, so these are left out of the comparison.
    """
    known = {item.key for item in library}
    both = [*library, *(item for item in added if item.key not in known)]
    before = Rotation(SHUFFLE, library, "seed")
    after = Rotation(SHUFFLE, both, "seed")
    if len(library) > 2:
        places = [item.key for item in after.ordered(cycle) if item.key in known]
        unmoved = [item.key for item in before.ordered(cycle)]
        edge = {*places[:2], *unmoved[:2]}
        assert [key for key in places if key not in edge] == [key for key in unmoved if key not in edge]


def test_shuffles_differ_by_cycle_pool_and_seed() -> None:
    """Another cycle, pool name or seed is another order, and none of them is the chronological one."""
    library = [episode(number) for number in range(1, 21)]
    orders_seen = [
        [item.key for item in Rotation(pool, library, seed).ordered(cycle)]
        for pool, seed, cycle in [
            (SHUFFLE, "seed", 0),
            (SHUFFLE, "seed", 1),
            (SHUFFLE, "other", 0),
            (replace(SHUFFLE, name="q"), "seed", 0),
            (CHRONOLOGICAL, "seed", 0),
        ]
    ]
    assert len({tuple(order) for order in orders_seen}) == 5


@given(orders, libraries().filter(lambda library: len(library) >= 4), st.data())
def test_a_vanished_item_leaves_its_place(pool: Pool, library: tuple[Item, ...], data: st.DataObject) -> None:
    """When the item a cursor names is gone, the order goes on with the one that would have followed it."""
    stop = data.draw(st.integers(3, len(library) - 1))
    whole = first(pool, library, len(library))
    vanished, cursor = whole[stop - 1]
    rest = [item for item in library if item.key != vanished.key]
    if len(rest) > 2:
        assert keys(first(pool, rest, len(library) - stop, cursor)) == keys(whole[stop:])


def test_an_item_that_is_renumbered_is_known_by_its_key() -> None:
    """A cursor follows its item to the place it has today."""
    library = [episode(number) for number in (1, 2, 3, 4)]
    cursor = first(CHRONOLOGICAL, library, 1)[0][1]
    moved = [replace(library[0], episode=9), *library[1:]]
    assert keys(first(CHRONOLOGICAL, [*moved, episode(10)], 1, cursor)) == [episode(10).key]


def test_a_pool_that_shrank_to_the_last_item_and_another_does_not_repeat() -> None:
    """The border rule holds against the cursor's item even when the cycle before has changed."""
    library = [episode(number) for number in (1, 2, 3)]
    cursor = Cursor(0, first(SHUFFLE, library, 1)[0][0].key)
    others = [item for item in library if item.key != cursor.after]
    for other in others:
        pair = [item for item in library if item.key in {cursor.after, other.key}]
        assert keys(first(SHUFFLE, pair, 1, cursor)) == [other.key]


@pytest.mark.parametrize(
    "mark", ["", "no list", "[]", '["x",1,1,1,["y"],"k"]', "[[1],1,1,1,[],3]", "null", "[" * 50]
)
def test_a_mark_that_says_nothing_begins_the_cycle(mark: str) -> None:
    """A cursor of another order, or of nothing, starts at the beginning of its cycle."""
    library = [episode(1), episode(2)]
    assert keys(first(CHRONOLOGICAL, library, 2, Cursor(3, mark))) == [item.key for item in library]


def test_an_empty_pool_gives_nothing() -> None:
    """Taking from nothing ends at once."""
    assert list(take(SHUFFLE, [], "seed", Cursor())) == []


@given(libraries(), st.text(max_size=20))
def test_any_text_can_be_ordered(library: tuple[Item, ...], text: str) -> None:
    """Names and keys of any characters sort and can be continued from."""
    odd = Item(f"local:{text}", library[0].kind if library else episode(1).kind, text, 1_000, "", show=text)
    both = [*library, odd]
    taken = first(CHRONOLOGICAL, both, len(both) + 1)
    assert taken[-1][0] == taken[0][0]
    assert keys(first(SHUFFLE, both, len(both), taken[0][1]))
