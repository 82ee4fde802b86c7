"""What synchronisation keeps: libraries of servers, items, shows; on SQLite and on PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from exstream.errors import StoreError
from exstream.jobs.sync.ports import PlexShelves
from exstream.model.catalogue import Item, LibraryKind
from exstream.model.server import Known, SyncState
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from tests.store.listings import ALPHA, BETA, STATE, Listed, listed, part, show
from tests.store.samples import MEDIA

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: Database, tmp_path: Path) -> PlexStore:
    """Return a store that knows two servers."""
    made = PlexStore(database, Vault(tmp_path))
    await made.keep_server(ALPHA)
    await made.keep_server(BETA)
    return made


@pytest.fixture
async def library(store: PlexStore) -> int:
    return (await store.take_sections("alpha", [Listed("1")]))[0].library.id


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Note the statements that write."""
    written: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield written
    event.remove(engine, "before_cursor_execute", note)


async def loaded(database: Database) -> dict[str, Item]:
    return dict((await CatalogueStore(database).load()).items)


async def test_the_store_is_what_synchronisation_asks_for(store: PlexStore) -> None:
    """The store has every method that synchronisation calls, with the very types."""
    shelves: PlexShelves = store
    assert [server.id for server in await shelves.servers()] == ["alpha", "beta"]


async def test_libraries_come_go_and_come_back(store: PlexStore, database: Database) -> None:
    """New libraries are enabled; one that is not listed is gone, keeps its items, and is back when it is listed."""
    both = await store.take_sections("alpha", [Listed("10", "Films", "movie", ("/a", "/b")), Listed("2")])
    assert [(each.section, each.enabled, each.gone) for each in both] == [
        ("2", True, False),
        ("10", True, False),
    ]
    films = both[1]
    assert (films.library.name, films.kind, films.roots) == ("Films", "movie", ("/a", "/b"))
    assert (films.library.path, films.library.server) == ("/library/sections/10", "alpha")
    await store.take_items(films.library.id, [listed(1)], ["alpha:1"], STATE)
    with statements(database) as written:
        await store.take_sections("alpha", [Listed("10", "Films", "movie", ("/a", "/b")), Listed("2")])
    assert written == []
    gone = await store.take_sections("alpha", [Listed("2")])
    assert [each.gone for each in gone] == [False, True]
    assert list(await loaded(database)) == ["alpha:1"]  # until they were looked for twice
    back = await store.take_sections("alpha", [Listed("2"), Listed("10", "Cinema", "movie")])
    assert (back[1].library.id, back[1].library.name, back[1].gone) == (films.library.id, "Cinema", False)
    assert back[1].state == STATE
    assert (await loaded(database))["alpha:1"].library == "Cinema"
    assert await store.libraries("beta") == []


async def test_a_library_that_is_switched_off(store: PlexStore, library: int, database: Database) -> None:
    """Items of a library that is switched off are out of the catalogue, and the library stays off when it is listed."""
    await store.take_items(library, [listed(1)], ["alpha:1"], STATE)
    assert await store.enable_library(library, enabled=False)
    assert not await store.enable_library(99, enabled=False)
    assert await loaded(database) == {}
    assert [each.enabled for each in await store.take_sections("alpha", [Listed("1", "New name")])] == [False]
    assert await CatalogueStore(database).switched_on() == []
    assert await store.enable_library(library, enabled=True)
    assert list(await loaded(database)) == ["alpha:1"]


async def test_what_channels_may_select_from(store: PlexStore, library: int, database: Database) -> None:
    """A server's library is there to select from while it is empty; folders are there beside it."""
    kept = CatalogueStore(database)
    films = await kept.add_library(LibraryKind.FOLDER, "Films", "/films")
    assert [each.name for each in await kept.switched_on()] == ["Series", "Films"]
    assert await kept.libraries() == [films]


async def test_items_come_back_as_they_were(store: PlexStore, library: int, database: Database) -> None:
    """Every field survives: versions with their files, markers, people, ratings, ids in their order."""
    plain, detailed = listed(1), listed(2, detailed=True)
    two_files = replace(
        plain.item.versions[0],
        parts=(part(3, media=MEDIA), replace(part(4, media=MEDIA), file="/here/4.mkv")),
    )
    several = replace(listed(3).item, versions=(two_files,))
    taken = await store.take_items(library, [plain, detailed, replace(listed(3), item=several)], [], STATE)
    assert taken.added == ("alpha:1", "alpha:2", "alpha:3")
    assert taken.writes == 4
    found = await loaded(database)
    assert found["alpha:1"] == replace(plain.item, server="Attic")
    assert found["alpha:2"] == replace(detailed.item, server="Attic")
    assert found["alpha:3"].versions == (two_files,)
    assert found["alpha:3"].media == replace(MEDIA, duration_ms=2_640_000)
    assert (await store.libraries("alpha"))[0].state == STATE
    assert (await store.known(library))["alpha:2"] == Known(
        "digest-2-0", "digest-2-0", 0, False, 1_700_000_002, "Episode 2", "alpha:s0"
    )
    assert (await store.known(library))["alpha:1"].details == ""


async def test_two_servers_share_rating_keys(store: PlexStore, library: int, database: Database) -> None:
    """Equal rating keys of two servers are two items, and neither server's calls touch the other's."""
    other = (await store.take_sections("beta", [Listed("1", "Other")]))[0].library.id
    await store.take_items(library, [listed(1)], [], STATE)
    await store.take_items(other, [listed(1, server="beta")], [], STATE)
    await store.miss(other, ["alpha:1", "beta:1"], 5)
    found = await loaded(database)
    assert {key: (item.library, item.server, item.missing) for key, item in found.items()} == {
        "alpha:1": ("Series", "Attic", False),
        "beta:1": ("Other", "Barn", True),
    }
    assert await store.remove_server("beta")
    assert not await store.remove_server("beta")
    assert list(await loaded(database)) == ["alpha:1"]


async def test_only_what_differs_is_written(store: PlexStore, library: int, database: Database) -> None:
    """A page that was kept before writes nothing; of one changed item, one row."""
    page = [listed(number) for number in range(500)]
    keys = [each.item.key for each in page]
    assert (await store.take_items(library, page, keys, STATE)).writes == 501
    with statements(database) as written:
        again = await store.take_items(library, page, keys, STATE)
    assert (
        again.writes,
        [each for each in written if "SET seen_pass" not in each and "RETURNING" not in each],
    ) == (
        0,
        [],
    )
    changed = [*page[1:], replace(page[0], item=replace(page[0].item, views=9))]
    taken = await store.take_items(library, changed, keys, STATE)
    assert (taken.added, taken.updated, taken.writes) == ((), ("alpha:0",), 1)
    seen = await store.take_items(library, [], keys, replace(STATE, pass_number=2))
    assert (seen.added, seen.updated, seen.writes) == ((), (), 501)


async def test_details_outlive_a_listing(store: PlexStore, library: int, database: Database) -> None:
    """A listing takes nothing away that only details tell; of a file that was replaced nothing is known any more."""
    await store.take_items(library, [listed(1, detailed=True)], [], STATE)
    renamed = listed(1, digest="other")
    renamed = replace(renamed, item=replace(renamed.item, title="New"))
    await store.take_items(library, [renamed], [], STATE)
    item = (await loaded(database))["alpha:1"]
    before = listed(1, detailed=True).item
    assert item == replace(before, title="New", server="Attic")
    known = (await store.known(library))["alpha:1"]
    assert (known.digest, known.details) == ("other", "digest-1-0")
    await store.take_items(library, [listed(1, stamp=7)], [], STATE)
    item = (await loaded(database))["alpha:1"]
    assert (item.media, item.versions[0].parts[0].media) == (None, None)
    assert item.labels == before.labels


async def test_an_unfinished_pass_knows_what_it_has_seen(store: PlexStore, library: int) -> None:
    """Only what a pass has not seen is unseen, be it new, unchanged or out of an earlier pass."""
    await store.take_items(library, [listed(1), listed(2), listed(3)], [], STATE)
    second = replace(STATE, pass_number=2)
    await store.take_items(library, [listed(4)], ["alpha:1"], second)
    assert sorted(await store.unseen(library, 2)) == ["alpha:2", "alpha:3"]
    await store.miss(library, ["alpha:3"], 1_000)
    assert await store.unseen(library, 2) == ["alpha:2"]


async def test_items_are_looked_up_by_key(store: PlexStore, library: int) -> None:
    """Of the keys asked for those that are kept in that library come, and of all items those that lack details."""
    other = (await store.take_sections("beta", [Listed("1", "Other")]))[0].library.id
    await store.take_items(library, [listed(1), listed(2, detailed=True), listed(3)], [], STATE)
    await store.take_items(other, [listed(1, server="beta")], [], STATE)
    everything = await store.known(library)
    assert set(everything) == {"alpha:1", "alpha:2", "alpha:3"}
    some = await store.known(library, ["alpha:2", "alpha:9", "beta:1"])
    assert some == {"alpha:2": everything["alpha:2"]}
    assert await store.known(library, []) == {}
    await store.miss(library, ["alpha:3"], 1_000)
    assert await store.unfilled(library) == {"alpha:1": everything["alpha:1"]}


async def test_missing_then_deleted_then_back(store: PlexStore, library: int, database: Database) -> None:
    """A missing item keeps its instant and its place, is dropped when it is due, and comes back as it was."""
    await store.take_items(library, [listed(1), listed(2), listed(3)], [], STATE)
    taken = await store.miss(library, ["alpha:1", "alpha:2"], 1_000)
    assert (set(taken.removed), taken.writes) == ({"alpha:1", "alpha:2"}, 2)
    assert (await store.miss(library, ["alpha:1"], 9_000)).writes == 0
    assert (await store.known(library))["alpha:1"].missing_since == 1_000
    assert [item.missing for item in (await loaded(database)).values()] == [True, True, False]
    assert (await store.forget(library, 1_000)).removed == ()
    back = await store.take_items(library, [], ["alpha:2"], STATE)
    assert back.updated == ("alpha:2",)
    assert (await store.forget(library, 1_001)).removed == ("alpha:1",)
    assert (await store.forget(library, 1_001)).writes == 0
    assert list(await loaded(database)) == ["alpha:2", "alpha:3"]
    assert (await store.known(library))["alpha:1"].deleted
    assert (await store.take_items(library, [listed(1)], [], STATE)).updated == ("alpha:1",)
    assert (await loaded(database))["alpha:1"] == replace(listed(1).item, server="Attic")


async def test_a_library_that_went_meanwhile(store: PlexStore, library: int) -> None:
    """What is brought for a library whose server was removed is refused with a sentence, all of it."""
    await store.remove_server("alpha")
    with pytest.raises(StoreError, match="was removed meanwhile"):
        await store.take_items(library, [listed(1)], [], STATE)
    with pytest.raises(StoreError, match="was removed meanwhile"):
        await store.keep_state(library, SyncState())


async def test_state_is_kept(store: PlexStore, library: int, database: Database) -> None:
    """How far a library is known is kept as it was, and written only when it differs."""
    state = SyncState("9", 8, 7, 6, 5, 4, 3, 2, 1, True, 10)
    await store.keep_state(library, state)
    assert (await store.libraries("alpha"))[0].state == state
    with statements(database) as written:
        await store.keep_state(library, state)
    assert written == []


async def test_shows_are_kept(store: PlexStore, library: int) -> None:
    """Shows come back as they were, only what differs is written, and those that are gone are dropped."""
    shows = [show(1), show(2, labels=("Night",)), show(3)]
    assert (await store.take_shows(library, shows, ())).writes == 3
    assert await store.known_shows(library) == {each.key: each for each in shows}
    changed = [shows[0], replace(shows[1], leaf_count=51)]
    taken = await store.take_shows(library, changed, ["alpha:s3", "alpha:s9"])
    assert (taken.added, taken.updated, taken.removed, taken.writes) == ((), ("alpha:s2",), ("alpha:s3",), 2)
    assert set(await store.known_shows(library)) == {"alpha:s1", "alpha:s2"}


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_a_page_is_kept_quickly(store: PlexStore, library: int) -> None:
    """Five hundred items are kept in a quarter of a second of work, new or compared, a fifth of it on the loop."""
    spent: list[float] = []
    of_the_loop: list[float] = []
    for first in (0, 500, 1_000, 0, 500, 1_000):
        page = [listed(number) for number in range(first, first + 500)]
        begun, began_here = time.process_time(), time.thread_time()
        await store.take_items(library, page, [each.item.key for each in page], STATE)
        spent.append(time.process_time() - begun)
        of_the_loop.append(time.thread_time() - began_here)
    assert min(spent[:3]) < 0.25, spent
    assert min(spent[3:]) < 0.25, spent
    assert min(of_the_loop) < 0.05, of_the_loop
