"""Collections, playlists and labels: kept as they are told, and found on every item in the catalogue."""

from dataclasses import replace
from pathlib import Path

import pytest

from exstream.model.server import Grouping, GroupingKind
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from tests.store.listings import ALPHA, BETA, STATE, Listed, listed, show

pytestmark = pytest.mark.anyio

NIGHTS = Grouping("alpha:c1", GroupingKind.COLLECTION, "Nights", members=("alpha:2", "alpha:1"))
SPACE = Grouping("alpha:c2", GroupingKind.COLLECTION, "Space", smart=True, digest="d", members=("alpha:s0",))
EVENING = Grouping("alpha:p1", GroupingKind.PLAYLIST, "Evening", members=("alpha:1", "alpha:60", "alpha:1"))


@pytest.fixture
async def store(database: Database, tmp_path: Path) -> PlexStore:
    made = PlexStore(database, Vault(tmp_path))
    await made.keep_server(ALPHA)
    await made.keep_server(BETA)
    return made


@pytest.fixture
async def library(store: PlexStore) -> int:
    found = (await store.take_sections("alpha", [Listed("1")]))[0].library.id
    await store.take_items(found, [listed(1), listed(2), listed(60, detailed=True)], [], STATE)
    return found


async def test_groupings_come_back_in_order(store: PlexStore, library: int) -> None:
    """A grouping keeps the order of its members, twice the same one too; servers and kinds are told apart."""
    taken = await store.take_groupings(library, GroupingKind.COLLECTION, [NIGHTS, SPACE], ())
    assert (taken.added, taken.writes) == (("alpha:c1", "alpha:c2"), 5)
    await store.take_groupings(library, GroupingKind.PLAYLIST, [EVENING], ())
    assert await store.known_groupings("alpha", GroupingKind.COLLECTION) == {
        "alpha:c1": NIGHTS,
        "alpha:c2": SPACE,
    }
    assert await store.known_groupings("alpha", GroupingKind.PLAYLIST) == {"alpha:p1": EVENING}
    assert await store.known_groupings("beta", GroupingKind.COLLECTION) == {}


async def test_only_what_differs_is_written(store: PlexStore, library: int) -> None:
    """Groupings that are as they were cost no row; another order or another title is a change."""
    both = [NIGHTS, SPACE]
    await store.take_groupings(library, GroupingKind.COLLECTION, both, ())
    assert (await store.take_groupings(library, GroupingKind.COLLECTION, both, ())).writes == 0
    turned = replace(NIGHTS, members=NIGHTS.members[::-1])
    taken = await store.take_groupings(
        library, GroupingKind.COLLECTION, [turned, replace(SPACE, title="Void")], ()
    )
    assert (sorted(taken.updated), taken.writes) == (["alpha:c1", "alpha:c2"], 5)
    known = await store.known_groupings("alpha", GroupingKind.COLLECTION)
    assert (known["alpha:c1"].members, known["alpha:c2"].title) == (("alpha:1", "alpha:2"), "Void")


async def test_groupings_that_are_gone(store: PlexStore, library: int, database: Database) -> None:
    """A grouping that is gone is dropped with its members; one of the other kind is not, whatever key is named."""
    await store.take_groupings(library, GroupingKind.COLLECTION, [NIGHTS], ())
    await store.take_groupings(library, GroupingKind.PLAYLIST, [EVENING], ())
    taken = await store.take_groupings(
        library, GroupingKind.COLLECTION, (), ["alpha:c1", "alpha:p1", "alpha:c9"]
    )
    assert taken.removed == ("alpha:c1",)
    item = (await CatalogueStore(database).load()).items["alpha:1"]
    assert (item.collections, item.playlists) == ((), ("Evening",))


async def test_items_tell_what_they_are_in(store: PlexStore, library: int, database: Database) -> None:
    """An item has the collections of its own and of its show, its playlists, and its show's labels after its own."""
    await store.take_shows(
        library, [show(0, labels=("Watched late",)), show(1, labels=("Night", "Kept"))], ()
    )
    await store.take_groupings(library, GroupingKind.COLLECTION, [NIGHTS, SPACE], ())
    await store.take_groupings(library, GroupingKind.PLAYLIST, [EVENING], ())
    items = (await CatalogueStore(database).load()).items
    assert {key: (item.collections, item.playlists, item.labels) for key, item in items.items()} == {
        "alpha:1": (("Nights", "Space"), ("Evening",), ("Watched late",)),
        "alpha:2": (("Nights", "Space"), (), ("Watched late",)),
        "alpha:60": ((), ("Evening",), ("Night", "Kept")),
    }


async def test_memberships_are_of_one_server(store: PlexStore, library: int, database: Database) -> None:
    """An item of another server with the same rating key is in nothing that the first server's item is in."""
    other = (await store.take_sections("beta", [Listed("1")]))[0].library.id
    await store.take_items(other, [listed(1, server="beta")], [], STATE)
    await store.take_groupings(library, GroupingKind.COLLECTION, [NIGHTS], ())
    items = (await CatalogueStore(database).load()).items
    assert (items["alpha:1"].collections, items["beta:1"].collections) == (("Nights",), ())


async def test_the_catalogue_is_another_when_a_grouping_is(
    store: PlexStore, library: int, database: Database
) -> None:
    """The catalogue's version changes with memberships, and with nothing that is not in it."""
    catalogue = CatalogueStore(database)
    before = (await catalogue.load()).version
    await store.keep_state(library, replace(STATE, total=9))
    assert (await catalogue.load()).version == before
    await store.take_groupings(library, GroupingKind.COLLECTION, [NIGHTS], ())
    after = (await catalogue.load()).version
    assert after != before
    assert (await catalogue.load()).version == after
