"""The catalogue on SQLite and on PostgreSQL."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import event, text

from exstream.errors import CatalogueError, StoreError
from exstream.model.catalogue import Catalogue, LibraryKind, Media
from exstream.store.catalogue import CatalogueStore, Changes
from exstream.store.database import Database
from tests.store.samples import episode

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(database: Database) -> CatalogueStore:
    return CatalogueStore(database)


async def library(store: CatalogueStore, name: str = "Series", path: str = "/media") -> int:
    return (await store.add_library(LibraryKind.FOLDER, name, path)).id


async def test_a_folder_is_one_library_however_often_it_is_added(store: CatalogueStore) -> None:
    """Adding a folder again gives the library that is there already."""
    first = await store.add_library(LibraryKind.FOLDER, "Series", "/media/series")
    other = await store.add_library(LibraryKind.DEMO, "Demo", "/data/demo")
    again = await store.add_library(LibraryKind.FOLDER, "Other name", "/media/series")
    assert again == first
    assert await store.libraries() == [first, other]


async def test_items_come_back_as_they_were(store: CatalogueStore) -> None:
    """Every field of an item survives, with what probing found, or with nothing."""
    items = [episode(1), episode(2, media=None), replace(episode(3), season=None, year=None, genres=())]
    bare = replace(episode(4), media=Media(0), path="", missing=True)
    changes = await store.apply(await library(store), [*items, bare])
    assert changes == Changes(added=4)
    loaded = await store.load()
    assert dict(loaded.items) == dict(Catalogue.of([*items, bare]).items)


async def test_two_servers_may_use_the_same_rating_key(store: CatalogueStore) -> None:
    """The identity of an item is per server: equal rating keys of two servers are two items."""
    here, there = episode(7, server="alpha"), episode(7, server="beta", title="Another")
    await store.apply(await library(store), [here])
    await store.apply(await library(store, path="/other"), [there])
    assert {item.title for item in (await store.load()).items.values()} == {"Episode 7", "Another"}


async def test_only_real_changes_are_written(store: CatalogueStore, database: Database) -> None:
    """Applying the same items again sends no statement that writes, and keeps the version."""
    own = await library(store)
    items = [episode(number) for number in range(1_200)]
    await store.apply(own, items)
    version = (await store.load()).version
    written: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    event.listen(database._engine.sync_engine, "before_cursor_execute", note)
    assert not await store.apply(own, items)
    assert written == []
    assert (await store.load()).version == version
    assert await store.apply(own, [*items[:-1], replace(items[-1], title="New")]) == Changes(updated=1)
    assert len(written) == 1
    assert (await store.load()).version != version


async def test_items_that_do_not_change_are_the_same_objects(store: CatalogueStore) -> None:
    """Loading anew makes only the items anew whose rows differ; a catalogue that is read afresh is equal to it."""
    own = await library(store)
    await store.apply(own, [episode(1), episode(2), episode(3)])
    first = await store.load()
    await store.apply(own, [episode(1), episode(2, title="New")], gone=["local:3"])
    second = await store.load()
    assert second.items["local:1"] is first.items["local:1"]
    assert (second.items["local:2"].title, list(second.items)) == ("New", ["local:1", "local:2"])
    afresh = await CatalogueStore(store._database).load()
    assert (dict(afresh.items), afresh.version) == (dict(second.items), second.version)
    assert first.version != second.version


async def test_a_change_in_the_middle_of_a_long_text_is_taken_in(store: CatalogueStore) -> None:
    """An item is made anew, and the version another, whatever single letter of its row has changed."""
    own = await library(store)
    before, after = (replace(episode(1), summary="." * 400 + letter + "." * 400) for letter in "ab")
    await store.apply(own, [before])
    first = await store.load()
    await store.apply(own, [after])
    second = await store.load()
    assert second.items["local:1"].summary == after.summary
    assert first.version != second.version


async def test_missing_and_gone_items(store: CatalogueStore) -> None:
    """A missing item is marked once and comes back when it is seen; a gone one is dropped."""
    own = await library(store)
    items = [episode(number) for number in range(4)]
    await store.apply(own, items)
    assert await store.apply(own, (), missing=["local:0", "local:1"], gone=["local:2"]) == Changes(
        missing=2, removed=1
    )
    assert not await store.apply(own, (), missing=["local:0", "local:1"], gone=["local:2"])
    loaded = (await store.load()).items
    assert [key for key, item in loaded.items() if item.missing] == ["local:0", "local:1"]
    assert "local:2" not in loaded
    assert await store.apply(own, [items[0]]) == Changes(updated=1)
    assert not (await store.load()).items["local:0"].missing


async def test_a_library_touches_only_its_own_items(store: CatalogueStore) -> None:
    """Keys of another library are neither marked nor dropped; removing a library takes its items along."""
    mine, other = await library(store), await library(store, "Films", "/films")
    await store.apply(mine, [episode(1)])
    await store.apply(other, [episode(2)])
    assert not await store.apply(mine, (), missing=["local:2"], gone=["local:2"])
    assert (await store.load()).items["local:2"].library == "Films"
    assert await store.remove_library(mine)
    assert not await store.remove_library(mine)
    assert list((await store.load()).items) == ["local:2"]


async def test_an_item_that_moves_to_another_library(store: CatalogueStore) -> None:
    """An item found in another library belongs to that one from then on."""
    mine, other = await library(store), await library(store, "Films", "/films")
    await store.apply(mine, [episode(1)])
    assert await store.apply(other, [episode(1)]) == Changes(updated=1)
    assert (await store.load()).items["local:1"].library == "Films"


async def test_what_an_item_does_not_know_stays(store: CatalogueStore, database: Database) -> None:
    """Updating an item leaves the columns alone that only a server's synchronisation fills."""
    own = await library(store)
    await store.apply(own, [episode(1)])
    async with database.write() as connection:
        await connection.execute(
            text("UPDATE item SET plex_path = '/raw', external_ids = '{\"imdb\": \"tt1\"}'")
        )
    await store.apply(own, [episode(1, title="New")])
    async with database.read() as connection:
        row = (await connection.execute(text("SELECT plex_path, title FROM item"))).one()
    assert tuple(row) == ("/raw", "New")


async def test_one_bad_item_spoils_the_whole_apply(store: CatalogueStore) -> None:
    """A key without a server is refused and nothing of the same call is kept."""
    own = await library(store)
    items = [episode(number) for number in range(700)]
    with pytest.raises(CatalogueError, match="names no server"):
        await store.apply(own, [*items, replace(episode(1), key="orphan")])
    assert not (await store.load()).items


async def test_a_library_that_is_gone_takes_no_items(store: CatalogueStore) -> None:
    """Items of a library that was removed meanwhile are refused with a sentence."""
    with pytest.raises(StoreError, match="no library 99"):
        await store.apply(99, [episode(1)])


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_twenty_thousand_items_load_quickly(store: CatalogueStore) -> None:
    """A large catalogue is read within a second even on a busy machine, and hardly a tenth of that on the loop."""
    await store.apply(await library(store), [episode(number) for number in range(20_000)])
    spent: list[float] = []
    of_the_loop: list[float] = []
    for _ in range(3):
        afresh = CatalogueStore(store._database)
        begun, began_here = time.process_time(), time.thread_time()
        assert len((await afresh.load()).items) == 20_000
        spent.append(time.process_time() - begun)
        of_the_loop.append(time.thread_time() - began_here)
    assert min(spent) < 1.0, spent
    assert min(of_the_loop) < min(spent) / 4, (of_the_loop, spent)
