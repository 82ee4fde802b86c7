"""The catalogue in memory: who hears of another one, and that it holds the loop no longer than it must."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from exstream.errors import StoreError
from exstream.jobs.catalogue import MANY, CatalogueHolder
from exstream.model.catalogue import Catalogue, Item, ItemKind

pytestmark = pytest.mark.anyio


def clips(start: int, end: int) -> list[Item]:
    return [
        Item(f"local:{number}", ItemKind.OTHER, f"{number}", 1_000, "mine") for number in range(start, end)
    ]


class Shelf:
    """Keeps what it is given; tells whether garbage was looked for while it was read."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.collected: list[bool] = []
        self.broken = False

    async def load(self) -> Catalogue:
        """Return it, or fail."""
        self.collected.append(gc.isenabled())
        if self.broken:
            raise StoreError("the disk is full: free some space")
        return Catalogue.of(self.items)


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Leave no other test with what these have set aside."""
    yield
    gc.unfreeze()


async def test_listeners_hear_of_another_catalogue_only() -> None:
    """What differs is told to each listener in turn; what is as it was is told to nobody."""
    shelf = Shelf()
    holder, heard = CatalogueHolder(shelf), list[tuple[str, int]]()

    for name in ("first", "second"):

        async def listener(catalogue: Catalogue, name: str = name) -> None:
            heard.append((name, len(catalogue.items)))

        holder.listen(listener)
    shelf.items = clips(0, 2)
    await holder.reload()
    await holder.reload()
    assert heard == [("first", 2), ("second", 2)]


async def test_many_items_that_stay_are_set_aside() -> None:
    """Collections of garbage pass by a large catalogue, not each item that changes; meanwhile none takes place."""
    shelf = Shelf()
    holder = CatalogueHolder(shelf)
    gc.unfreeze()
    shelf.items = clips(0, MANY)
    await holder.reload()
    aside = gc.get_freeze_count()
    assert aside > MANY
    shelf.items += clips(MANY, MANY + 10)
    await holder.reload()
    assert gc.get_freeze_count() <= aside
    for start in range(MANY + 10, 2 * MANY + 10, 10):
        shelf.items += clips(start, start + 10)
        await holder.reload()
    assert gc.get_freeze_count() > aside
    assert (set(shelf.collected), gc.isenabled()) == ({False}, True)


async def test_a_catalogue_that_cannot_be_read_changes_nothing() -> None:
    """What there was stays, and garbage is collected as ever."""
    shelf = Shelf()
    holder = CatalogueHolder(shelf)
    shelf.items = clips(0, 1)
    await holder.reload()
    shelf.broken = True
    with pytest.raises(StoreError):
        await holder.reload()
    assert (len(holder.current.items), gc.isenabled()) == (1, True)
