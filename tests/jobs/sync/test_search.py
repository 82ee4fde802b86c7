"""One title, found and brought up to date by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.jobs.sync.plan import Wishes
from exstream.jobs.sync.search import found
from exstream.jobs.sync.sync import ServerSync
from exstream.store.catalogue import CatalogueStore
from tests.jobs.sync.paper import PaperServer, movie
from tests.jobs.sync.told import Told

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("honest", [True, False])
async def test_shows_of_one_title_are_told_apart_by_year(
    sync: ServerSync, paper: PaperServer, honest: bool
) -> None:
    """Both series are found, the older one first, whatever the server's filter lets through; a year leaves one."""
    paper.honest = honest
    _, libraries = await sync.libraries()
    hits = await found(paper, libraries, "battlestar galactica")
    assert [(hit.library.library.name, hit.record.year) for hit in hits] == [
        ("TV Shows", 1978),
        ("TV Shows", 2003),
    ]
    assert [hit.record.key for hit in await found(paper, libraries, "Battlestar Galactica", 2003)] == ["20"]
    assert await found(paper, libraries, "Battlestar") == []


async def test_only_the_title_is_read(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """One of two series of a name, and nothing else, with what is gone from it."""
    statistics = await sync.titled("Battlestar Galactica", 2003)
    assert (statistics.added, statistics.total) == (3, 3)
    assert {item.show_year for item in (await kept.load()).items.values()} == {2003}
    assert told.items[-1] == "Battlestar Galactica / Part 3 (3/3)"
    paper.drop("2", "302")
    told.clear()
    assert (await sync.titled("Battlestar Galactica")).removed == 1
    assert "Removed episode: Part 2" in told.lines
    assert len((await kept.load()).items) == 7
    assert (await sync.run()).removed == 0


async def test_each_item_of_a_title_is_counted_once(sync: ServerSync, paper: PaperServer) -> None:
    """A film and a show of one name are in two libraries: the total is that of both, as often as each is there."""
    paper.put("1", movie(130, "Battlestar Galactica"))
    statistics = await sync.titled("Battlestar Galactica")
    assert (statistics.total, statistics.processed, statistics.skipped) == (8, 8, 0)
    again = await sync.titled("Battlestar Galactica")
    assert (again.total, again.processed, again.skipped) == (8, 0, 8)


async def test_a_film_by_its_title_in_a_dry_run(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """A rehearsal of one title tells what it would do and keeps nothing; an unknown title is said so."""
    paper.put("1", replace(movie(130, "Alien"), year=1979))
    statistics = await sync.titled("alien", wishes=Wishes(dry_run=True))
    assert (told.lines, statistics.writes) == (["Added movie: Alien"], 0)
    assert (await kept.load()).items == {}
    assert "nothing called Aliens" in (await sync.titled("Aliens")).faults[0]
