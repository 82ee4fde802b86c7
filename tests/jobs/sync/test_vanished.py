"""What is gone from a server: believed when it is little, held back when it is much, dropped after a month."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.errors import Misunderstood, Unreachable
from exstream.jobs.sync.plan import DAY_MS, HOUR_MS, KEPT_MS, Wishes
from exstream.jobs.sync.sync import ServerSync
from exstream.plex.records import Kind
from exstream.store.catalogue import CatalogueStore
from exstream.store.plex import PlexStore
from tests.fakes import SteppedClock
from tests.jobs.sync.paper import PaperServer, movie
from tests.jobs.sync.told import Told

pytestmark = pytest.mark.anyio


async def missing(kept: CatalogueStore) -> list[str]:
    """Return the keys of the items that are missing."""
    return sorted(key for key, item in (await kept.load()).items.items() if item.missing)


async def test_little_is_believed_at_once_and_dropped_after_a_month(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock, told: Told
) -> None:
    """Two of ten films go missing with a line each; thirty days later they are out of the catalogue."""
    await sync.run()
    told.clear()
    paper.drop("1", "103", "104")
    paper.touch("1", scanned=True)
    statistics = await sync.run()
    assert (statistics.removed, told.lines) == (2, ["Removed movie: Film 103", "Removed movie: Film 104"])
    assert await missing(kept) == ["paper:103", "paper:104"]
    clock.shift(KEPT_MS - HOUR_MS)
    await sync.run()
    assert await missing(kept) == ["paper:103", "paper:104"]
    clock.shift(DAY_MS)
    await sync.run()
    assert len((await kept.load()).items) == 15


async def test_an_item_that_comes_back_is_the_one_it_was(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """A file that was away for a day is there again under its own key."""
    await sync.run()
    paper.drop("1", "103")
    paper.touch("1", scanned=True)
    await sync.run()
    paper.put("1", movie(103))
    paper.touch("1", scanned=True)
    clock.shift(DAY_MS)
    statistics = await sync.run()
    assert (statistics.added, statistics.removed, await missing(kept)) == (0, 0, [])


@pytest.mark.parametrize("gone", [3, 10])
async def test_much_is_held_back_until_a_second_look(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock, gone: int
) -> None:
    """A fifth and more, or an empty library, is rather a disk that is away: an hour later it is believed."""
    await sync.run()
    paper.drop("1", *(str(number) for number in range(100, 100 + gone)))
    paper.touch("1", scanned=True)
    first = await sync.run()
    assert (first.removed, first.held_back) == (0, gone)
    assert f"{gone} of 10 items are not there any more" in first.faults[0]
    again = await sync.run()
    assert again.removed == 0
    assert await missing(kept) == []
    clock.shift(HOUR_MS)
    second = await sync.run()
    assert (second.removed, second.held_back) == (gone, 0)
    assert len(await missing(kept)) == gone


async def test_what_comes_back_before_the_second_look_was_never_gone(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """A disk that is mounted again within the hour leaves no trace."""
    await sync.run()
    before = list(paper.entries["1"])
    paper.entries["1"] = []
    paper.touch("1")
    assert (await sync.run()).held_back == 10
    paper.entries["1"] = before
    clock.shift(HOUR_MS)
    statistics = await sync.run()
    assert (statistics.removed, statistics.held_back, await missing(kept)) == (0, 0, [])


async def test_force_believes_at_once(sync: ServerSync, paper: PaperServer, kept: CatalogueStore) -> None:
    """The user knows better."""
    await sync.run()
    paper.entries["1"] = []
    assert (await sync.run(Wishes(force=True))).removed == 10
    assert len(await missing(kept)) == 10


async def test_an_item_that_only_slipped_through_the_pages_is_asked_for_and_stays(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """Something is removed while the listing is read, so that another entry slips over the edge of a page."""
    await sync.run()

    def fault(what: str) -> None:
        if what == "page 1 movie 3":
            paper.drop("1", "100")

    paper.fault = fault
    statistics = await sync.run(Wishes(deep=True))
    assert statistics.removed == 0
    paper.fault = lambda _: None
    await sync.run(Wishes(deep=True))
    assert await missing(kept) == ["paper:100"]


@pytest.mark.parametrize("error", [Misunderstood("half an answer"), Unreachable("reset")])
async def test_a_listing_that_breaks_off_deletes_nothing(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, error: Misunderstood
) -> None:
    """Garbage on the third page: the rows stay, and the next run goes on and ends right."""
    await sync.run()
    paper.drop("1", "109")
    paper.fault = lambda what: error if what == "page 1 movie 6" else None
    try:
        statistics = await sync.run(Wishes(deep=True))
        assert "half an answer" in statistics.faults[0]
    except Unreachable:
        assert isinstance(error, Unreachable)
    assert await missing(kept) == []
    paper.fault = lambda _: None
    await sync.run()
    assert await missing(kept) == ["paper:109"]


async def test_a_listing_that_tells_an_entry_twice_takes_nothing_for_gone(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """As many entries as were promised came, but one of them twice: what is missing among them stays until all came."""
    await sync.run()
    paper.drop("1", "109")
    paper.entries["1"].append(paper.entries["1"][0])
    statistics = await sync.run(Wishes(deep=True))
    assert statistics.removed == 0
    assert [fault for fault in statistics.faults if "the listing was not complete" in fault]
    assert await missing(kept) == []
    paper.entries["1"].pop()
    assert (await sync.run(Wishes(deep=True))).removed == 1
    assert await missing(kept) == ["paper:109"]


async def test_what_the_server_cannot_tell_is_not_gone(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """Of two items that are not listed any more, the one that the server stumbles over stays, and is named."""
    await sync.run()
    paper.untold = {"103"}
    paper.drop("1", "104")
    statistics = await sync.run(Wishes(deep=True))
    assert await missing(kept) == ["paper:104"]
    assert any("paper:103 cannot be read: the server stumbles" in fault for fault in statistics.faults)
    assert await sync.details() == 0
    paper.untold = set()
    assert (await sync.run(Wishes(deep=True))).faults == []


async def test_a_library_that_is_gone_is_held_back_then_missed(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock, shelves: PlexStore
) -> None:
    """A removed library loses no item at once; at the second look they are missing, and dropped after a month."""
    await sync.run()
    section = paper.shelf.pop(0)
    first = await sync.run()
    assert (first.removed, "no such library any more" in first.faults[0]) == (0, True)
    assert (await sync.run()).removed == 0
    assert (len((await kept.load()).items), await missing(kept)) == (17, [])
    clock.shift(HOUR_MS)
    assert (await sync.run()).removed == 10
    known = await shelves.known((await shelves.libraries("paper"))[0].library.id)
    assert len([key for key, each in known.items() if each.missing_since]) == 10
    assert len(await missing(kept)) == 10
    clock.shift(KEPT_MS + HOUR_MS)
    await sync.run()
    assert len((await kept.load()).items) == 7
    paper.shelf.insert(0, section)
    await sync.run(Wishes(deep=True))
    assert await missing(kept) == []


@pytest.mark.parametrize("force", [True, False])
async def test_a_library_that_comes_back_is_read_whole(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock, force: bool
) -> None:
    """Its items are there again at once, whether it was believed to be gone by force or at the second look."""
    await sync.run()
    films, shelf = paper.shelf[0], list(paper.shelf)
    paper.shelf.remove(films)
    await sync.run(Wishes(force=force))
    clock.shift(HOUR_MS)
    await sync.run()
    assert len(await missing(kept)) == 10
    paper.shelf = shelf
    await sync.run()
    assert await missing(kept) == []


async def test_a_library_made_anew_and_one_renamed(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, shelves: PlexStore
) -> None:
    """A new name reaches the items; a library made again under another number is another one."""
    await sync.run()
    paper.shelf[0] = replace(paper.shelf[0], title="Cinema")
    await sync.run(Wishes(deep=True))
    assert (await kept.load()).items["paper:100"].library == "Cinema"
    paper.shelf.pop(0)
    paper.library("7", Kind.MOVIE, "Cinema", [movie(number) for number in range(700, 703)])
    await sync.run()
    assert (await kept.load()).items["paper:700"].library == "Cinema"
    states = {library.section: library.gone for library in await shelves.libraries("paper")}
    assert states == {"1": True, "2": False, "7": False}


async def test_each_line_of_a_lost_item_names_its_server(
    sync: ServerSync, paper: PaperServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two servers may have an item of one title: the log says which one lost it."""
    await sync.run()
    paper.drop("1", "103")
    capsys.readouterr()
    await sync.run(Wishes(deep=True))
    lines = [line for line in capsys.readouterr().out.splitlines() if "not on its server" in line]
    assert len(lines) == 1
    assert "server_id=paper" in lines[0]
    assert "Film 103" in lines[0]
