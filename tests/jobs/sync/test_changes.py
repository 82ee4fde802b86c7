"""What has changed since the last reading is found, however a server hides it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.jobs.sync.plan import HOUR_MS
from exstream.jobs.sync.sync import ServerSync
from exstream.store.catalogue import CatalogueStore
from tests.fakes import SteppedClock
from tests.jobs.sync.paper import PaperServer, episode, media, movie
from tests.jobs.sync.told import Told

pytestmark = pytest.mark.anyio


async def test_a_changed_episode_is_found_though_its_show_stays_as_it_was(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """Neither show nor library moves; the episode is written with its details, and is the only one."""
    await sync.run()
    await sync.details()
    told.clear()
    before = next(each for each in paper.entries["2"] if each.key == "202")
    paper.put("2", replace(before, title="Saga", updated_at=(before.updated_at or 0) + 900_000))
    statistics = await sync.run()
    assert told.lines == ["Updated episode: Saga"]
    assert (statistics.updated, statistics.processed, statistics.skipped) == (1, 1, 16)
    item = (await kept.load()).items["paper:202"]
    assert (item.title, item.media is not None) == ("Saga", True)
    assert (await sync.run()).updated == 0


async def test_a_new_episode_of_an_unchanged_show_is_found(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """A show's own instant does not move with a new episode: the library's counter, and what is newest, tell it."""
    await sync.run()
    told.clear()
    old = next(each for each in paper.entries["2"] if each.key == "10")
    paper.put("2", episode(999, old, 5))
    paper.touch("2")
    paper.asked.clear()
    await sync.run()
    assert told.lines == ["Added episode: Part 5"]
    assert (await kept.load()).items["paper:999"].show_year == 1978
    assert not any(what.startswith("leaves") for what in paper.asked)


async def test_a_new_episode_that_pretends_to_be_old_is_found(
    sync: ServerSync, paper: PaperServer, told: Told
) -> None:
    """An item may be added with the date of its file: the number of episodes tells, and the show is asked."""
    await sync.run()
    told.clear()
    old = next(each for each in paper.entries["2"] if each.key == "10")
    paper.put("2", replace(episode(999, old, 5), added_at=5, updated_at=5))
    paper.touch("2")
    paper.asked.clear()
    await sync.run()
    assert told.lines == ["Added episode: Part 5"]
    assert "leaves 10" in paper.asked


async def test_a_removed_episode_is_missed_by_its_show(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """A show with fewer episodes is asked for them, the lost one is asked for itself, then it is missing."""
    await sync.run()
    told.clear()
    paper.drop("2", "202")
    paper.touch("2")
    statistics = await sync.run()
    assert told.lines == ["Removed episode: Part 2"]
    assert statistics.removed == 1
    assert (await kept.load()).items["paper:202"].missing
    assert (await sync.run()).removed == 0


async def test_one_gone_and_one_new_in_a_show_are_both_found(
    sync: ServerSync, paper: PaperServer, told: Told
) -> None:
    """The number of episodes is what it was, and yet one is another one."""
    await sync.run()
    told.clear()
    old = next(each for each in paper.entries["2"] if each.key == "10")
    paper.drop("2", "202")
    paper.put("2", episode(999, old, 5))
    paper.touch("2")
    await sync.run()
    assert sorted(told.lines) == ["Added episode: Part 5", "Removed episode: Part 2"]


async def test_a_replaced_file_is_found_by_the_pass_after_the_scan(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock, told: Told
) -> None:
    """A server does not move an item's instant for a replaced file; an hour after the last pass it is found."""
    await sync.run()
    told.clear()
    before = next(each for each in paper.entries["1"] if each.key == "100")
    paper.put("1", replace(before, media=media(100, "/media/movies", size=2_000)))
    paper.touch("1", scanned=True)
    assert (await sync.run()).updated == 0
    clock.shift(HOUR_MS)
    assert (await sync.run()).updated == 1
    assert told.lines == ["Updated movie: Film 100"]
    assert (await kept.load()).items["paper:100"].versions[0].parts[0].size == 2_000


async def test_a_show_that_means_something_else_tells_its_episodes(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """A corrected title or year of a show reaches its episodes though they stay as they were."""
    await sync.run()
    old = next(each for each in paper.entries["2"] if each.key == "10")
    paper.put("2", replace(old, year=1979, updated_at=(old.updated_at or 0) + 900_000))
    await sync.run()
    assert {item.show_year for item in (await kept.load()).items.values() if item.show} == {1979, 2003}


@pytest.mark.parametrize("field", ["updatedAt", "addedAt"])
async def test_filters_that_a_server_ignores_do_no_harm(
    sync: ServerSync, paper: PaperServer, told: Told, field: str
) -> None:
    """Where the whole library comes instead of what is new, the reading ends at the first entry that is old."""
    await sync.run()
    told.clear()
    paper.honest = False
    paper.asked.clear()
    if field == "addedAt":
        paper.put("1", movie(900))
        paper.touch("1")
        expected = ["Added movie: Film 900"]
    else:
        paper.put("1", movie(100, "Other", updated_at=movie(900).updated_at))
        expected = ["Updated movie: Other"]
    statistics = await sync.run()
    assert told.lines == expected
    assert statistics.processed == 1
    assert len([what for what in paper.asked if what.startswith("page 1")]) <= 5


async def test_an_instant_in_the_future_hides_nothing(
    sync: ServerSync, paper: PaperServer, told: Told
) -> None:
    """An item dated ahead does not become the mark that later changes have to pass."""
    paper.put("1", movie(110, added_at=9_000_000_000, updated_at=9_000_000_000))
    await sync.run()
    told.clear()
    paper.put("1", movie(100, "Other", updated_at=movie(900).updated_at))
    await sync.run()
    assert told.lines == ["Updated movie: Other"]


async def test_a_change_behind_a_newer_one_that_was_read_by_itself_is_not_missed(
    sync: ServerSync, paper: PaperServer, told: Told
) -> None:
    """A title, or an item that a notice told of, was read meanwhile: what changed before it is found all the same."""
    await sync.run()
    told.clear()
    first, second = movie(900).updated_at, movie(901).updated_at
    paper.put("1", movie(100, "Other", updated_at=first))
    paper.put("1", movie(101, "Newer", section="1", updated_at=second))
    await sync.refresh({"101"})
    await sync.titled("Newer")
    await sync.run()
    assert told.lines == ["Updated movie: Newer", "Updated movie: Other"]


async def test_what_changes_while_the_listing_is_read_is_found_by_the_next_reading(
    sync: ServerSync, paper: PaperServer, clock: SteppedClock, told: Told
) -> None:
    """An item of the first page changes while the second comes, and a newer one is on the last page."""
    now = clock.now_ms() // 1_000

    def fault(what: str) -> None:
        if what == "page 1 movie 6":
            paper.put("1", replace(movie(100, "Other"), updated_at=now))
            paper.put("1", replace(movie(109), updated_at=now + 60))

    paper.fault = fault
    await sync.run()
    paper.fault = lambda _: None
    told.clear()
    clock.shift(120_000)
    await sync.run()
    assert told.lines == ["Updated movie: Other"]
