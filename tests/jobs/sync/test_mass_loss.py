"""Much that is gone at once, by whatever it is told: it is kept until a full pass an hour later says the same."""

from __future__ import annotations

import pytest

from exstream.jobs.sync.plan import HOUR_MS, Wishes
from exstream.jobs.sync.sync import ServerSync
from exstream.plex.records import Kind, Record
from exstream.store.catalogue import CatalogueStore
from exstream.store.plex import PlexStore
from tests.fakes import SteppedClock
from tests.jobs.sync.paper import PaperServer, movie
from tests.jobs.sync.told import Told

pytestmark = pytest.mark.anyio


async def missing(kept: CatalogueStore) -> list[str]:
    """Return the keys of the items that are missing."""
    return sorted(key for key, item in (await kept.load()).items.items() if item.missing)


async def test_much_that_shows_have_lost_is_held_back(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """Both shows of a library lose episodes, over a fifth of all: an hour later it is believed, not before."""
    await sync.run()
    paper.drop("2", "201", "202", "301")
    paper.touch("2")
    first = await sync.run()
    assert (first.removed, first.held_back, await missing(kept)) == (0, 3, [])
    await sync.refresh((), {"301"})  # notices do not nibble at it meanwhile
    assert await missing(kept) == []
    clock.shift(HOUR_MS)
    assert (await sync.run()).removed == 3
    assert await missing(kept) == ["paper:201", "paper:202", "paper:301"]


async def test_many_notices_of_deletion_are_not_believed(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """A server whose disk is away empties its trash and tells of each film: a fifth is gone, the rest is kept."""
    await sync.run()
    paper.entries["1"] = []
    paper.touch("1")
    for number in range(100, 110):
        await sync.refresh((), {str(number)})
    assert await missing(kept) == ["paper:100", "paper:101"]
    assert (await sync.run()).held_back == 8
    clock.shift(HOUR_MS)
    await sync.run()
    assert len(await missing(kept)) == 10


async def test_all_notices_of_deletion_at_once_are_not_believed(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """The same in one go removes nothing at all."""
    await sync.run()
    paper.entries["1"] = []
    await sync.refresh((), {str(number) for number in range(100, 110)})
    assert await missing(kept) == []


async def test_much_of_one_show_is_kept_unless_it_is_forced(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """One title that is read by itself does not lose a third of the library's episodes, but by force it does."""
    await sync.run()
    paper.drop("2", "201", "202")
    statistics = await sync.titled("Battlestar Galactica", 1978)
    assert "much of Battlestar Galactica is not there any more" in statistics.faults[0]
    assert (statistics.removed, await missing(kept)) == (0, [])
    forced = await sync.titled("Battlestar Galactica", 1978, Wishes(force=True))
    assert (forced.removed, await missing(kept)) == (2, ["paper:201", "paper:202"])


async def test_what_was_read_by_itself_adds_up(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """A film that a notice told of, come or gone, does not have the whole library read at the next probe."""
    await sync.run()
    paper.drop("1", "103")
    paper.put("1", movie(150, section="1"))
    paper.put("1", movie(151, section="1"))
    paper.touch("1")
    await sync.refresh({"150", "151"}, {"103"})
    assert await missing(kept) == ["paper:103"]
    paper.asked.clear()
    await sync.run()
    assert "count 1 movie" in paper.asked
    assert "page 1 movie 0" not in paper.asked


async def test_what_is_held_back_stays_in_its_collections(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock, told: Told
) -> None:
    """A library that turns empty loses its collections on the server; here its films are in them still."""
    paper.grouped["900"] = (Record("900", Kind.COLLECTION, "Night", section="1", smart=True), ["100", "101"])
    paper.grouped["901"] = (Record("901", Kind.COLLECTION, "Space", section="2"), ["20"])
    paper.grouped["902"] = (Record("902", Kind.PLAYLIST, "Mine"), ["100"])
    await sync.run()
    await sync.details()
    films = list(paper.entries["1"])
    paper.entries["1"] = []
    paper.touch("1")
    assert (await sync.run()).held_back == 10
    await sync.details()
    film = (await kept.load()).items["paper:100"]
    assert (film.collections, film.playlists) == (("Night",), ("Mine",))
    del paper.grouped["900"]
    clock.shift(HOUR_MS // 2)
    paper.entries["1"] = films
    paper.touch("1", scanned=True)
    await sync.run(Wishes(deep=True))
    await sync.details()
    film = (await kept.load()).items["paper:100"]
    assert (film.collections, film.playlists) == ((), ("Mine",))


async def test_collections_of_a_library_that_is_off_stay(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, shelves: PlexStore, clock: SteppedClock
) -> None:
    """A library that is switched off is not read, and what is known of it stays: its collections too."""
    paper.grouped["900"] = (Record("900", Kind.COLLECTION, "Night", section="1"), ["100"])
    paper.grouped["901"] = (Record("901", Kind.COLLECTION, "Space", section="2"), ["20"])
    await sync.run()
    await sync.details()
    films = next(each for each in await shelves.libraries("paper") if each.section == "1")
    await shelves.enable_library(films.library.id, enabled=False)
    clock.shift(HOUR_MS)
    del paper.grouped["901"]
    await sync.run()
    await sync.details()
    await shelves.enable_library(films.library.id, enabled=True)
    items = (await kept.load()).items
    assert (items["paper:100"].collections, items["paper:301"].collections) == (("Night",), ())
