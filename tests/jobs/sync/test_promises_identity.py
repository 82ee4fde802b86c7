"""Who is who: shows of one title, servers of equal keys, libraries and items that come back as others."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from exstream.jobs.sync.plan import DAY_MS, HOUR_MS, Wishes
from exstream.model.channel import Query
from exstream.schedule.query import select
from exstream.store.database import Database
from load.plex_server import empty_library, sample_library
from tests.jobs.sync.beside import Shelf, beside

pytestmark = pytest.mark.anyio


async def test_shows_of_one_title_are_told_apart_by_their_year(tmp_path: Path) -> None:
    """Battlestar Galactica of 1978 and of 2003, and one without a year, stay three shows with episodes of their own."""
    async with beside(tmp_path) as shelf:
        nameless = shelf.fake.add("show", "Battlestar Galactica", section=2)
        season = shelf.fake.add("season", "Season 1", under=nameless, index=1)
        shelf.fake.add("episode", "Lost", under=season, index=1, duration=60_000, versions=[{}])
        await shelf.read()
        episodes = [each for each in (await shelf.items()).values() if each.show == "Battlestar Galactica"]
        by_year = {each.show_year: set[str]() for each in episodes}
        for each in episodes:
            by_year[each.show_year].add(each.show_key)
        assert {year: len(keys) for year, keys in by_year.items()} == {1978: 1, 2003: 1, None: 1}
        assert len(set.union(*by_year.values())) == 3
        catalogue = await shelf.catalogue.load()
        pool = select(Query(shows=("battlestar galactica (1978)",)), catalogue)
        assert pool
        assert {each.show_year for each in pool} == {1978}


async def test_a_show_has_all_its_ids_and_the_best_one_first(tmp_path: Path) -> None:
    """TVDB comes before TMDB, TMDB before IMDB, IMDB before Plex; all ids of a show and of a movie are kept."""
    async with beside(tmp_path, empty_library()) as shelf:
        shows, films = (
            shelf.fake.add_section("show", "TV", "/tv"),
            shelf.fake.add_section("movie", "M", "/m"),
        )
        spec = {"guid": "plex://show/abcdef", "guids": ["imdb://tt0123456", "tmdb://54321", "tvdb://12345"]}
        show = shelf.fake.add("show", "One", section=shows, **spec)
        season = shelf.fake.add("season", "Season 1", under=show, index=1)
        shelf.fake.add("episode", "Pilot", under=season, index=1, duration=60_000, versions=[{}])
        film = shelf.fake.add(
            "movie", "Two", section=films, **spec | {"guid": "plex://movie/fedcba"}, versions=[{}]
        )
        await shelf.read()
        ((ids,),) = shelf.rows("SELECT external_ids FROM show")
        assert ids == '["tvdb:12345","tmdb:54321","imdb:tt0123456","plex:show/abcdef"]'
        assert (await shelf.items())[str(film)].external_ids[::3] == ("tvdb:12345", "plex:movie/fedcba")


async def test_a_rating_key_is_unique_within_its_server_and_nowhere_else(tmp_path: Path) -> None:
    """The database refuses a second item of a server's rating key, and takes that key from another server."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/exstream.db")
    await database.open()
    columns = [row[1] for row in shelf.rows("PRAGMA table_info(item)") if row[1] != "server_id"]
    copied = f"INSERT INTO item (server_id, {', '.join(columns)}) SELECT %s, {', '.join(columns)} FROM item"
    try:
        async with database.write() as connection:
            with pytest.raises(
                IntegrityError, match=r"UNIQUE constraint failed: item\.server_id, item\.rating_key"
            ):
                await connection.exec_driver_sql(copied % "server_id")
            added = await connection.exec_driver_sql(copied % "'m-other'")
            assert added.rowcount > 20
    finally:
        await database.dispose()


async def test_no_item_is_without_a_library(tmp_path: Path) -> None:
    """Every item that synchronisation brings has its library, and the database refuses one that has none."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        assert shelf.rows(
            "SELECT count(*) FROM item WHERE library_id IS NULL OR library_id NOT IN (SELECT id FROM library)"
        ) == [(0,)]
        with pytest.raises(sqlite3.IntegrityError, match=r"NOT NULL constraint failed: item\.library_id"):
            shelf.alter("UPDATE item SET library_id = NULL")


async def test_what_one_server_loses_is_nothing_to_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cleaning up after server A touches no row of server B, which has the same rating keys; each line names A."""
    async with AsyncExitStack() as stack:
        den = await stack.enter_async_context(beside(tmp_path, machine="m-den"))
        attic = await stack.enter_async_context(beside(tmp_path, machine="m-attic", name="Attic"))
        assert (await den.read()).total == (await attic.read()).total
        of_attic = "SELECT * FROM item WHERE server_id = 'm-attic' ORDER BY rating_key"
        before = den.rows(of_attic)
        assert {key for _, key, *_ in before} == set(await den.items())
        lost = [entry["key"] for entry in den.fake.entries("movie", 1)[:2]]
        for key in lost:
            den.fake.remove(key)
        capsys.readouterr()
        assert (await den.read()).removed == 2
        assert den.rows(of_attic) == before
        lines = [
            line for line in capsys.readouterr().out.splitlines() if "not on its server any more" in line
        ]
        assert len(lines) == 2
        assert all("server=Den" in line and "server_id=m-den" in line for line in lines)
        assert len(await attic.items()) == len(before)


async def test_a_library_of_a_new_name_keeps_its_items(tmp_path: Path) -> None:
    """A renamed library is the one it was: its items keep their keys and tell the new name, none is added or lost."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        before = set(await shelf.items())
        shelf.fake.do("change_section", key=1, title="Cinema")
        statistics = await shelf.read()
        shelf.clock.ahead_ms = DAY_MS
        statistics.add(await shelf.read())
        assert (statistics.added, statistics.removed) == (0, 0)
        items = await shelf.items()
        assert set(items) == before
        key = str(shelf.fake.find("Two Versions")["key"])
        assert items[key].library == "Cinema"


async def made_again(shelf: Shelf) -> int:
    """Remove the library of films and make it anew, as a user does; return the number of its films."""
    films = shelf.fake.entries("movie", 1)
    shelf.fake.remove_section(1)
    section = shelf.fake.add_section("movie", "Movies", "/data/Movies")
    for film in films:
        shelf.fake.add("movie", film["title"], section=section, year=film["fields"]["year"], versions=[{}])
    return len(films)


async def test_a_library_that_is_made_again_is_another_one(tmp_path: Path) -> None:
    """Its films come under new keys at once; those of the old one stay until a second look, then they are missing."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        total = len(await shelf.items())
        films = await made_again(shelf)
        first = await shelf.read()
        assert (first.added, first.removed) == (films, 0)
        assert [fault for fault in first.faults if "no such library any more" in fault]
        assert len(await shelf.items()) == total + films
        shelf.clock.ahead_ms = HOUR_MS + 1_000
        assert (await shelf.read()).removed == films
        assert len(await shelf.items()) == total


async def test_a_server_at_another_address_is_the_one_it_was(tmp_path: Path) -> None:
    """Its identity is the machine's: at a new address and port nothing is added, removed or read again."""
    async with beside(tmp_path, machine="m-den") as shelf:
        first = await shelf.read()
    async with beside(tmp_path, sample_library(), machine="m-den") as moved:
        assert moved.fake.url != shelf.fake.url
        statistics = await moved.read()
        assert (statistics.added, statistics.removed, statistics.writes) == (0, 0, 0)
        assert statistics.skipped == first.total
        assert moved.rows("SELECT count(*), max(url) FROM server") == [(1, moved.fake.url)]


async def test_an_item_of_a_new_key_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """A film that was removed and added again has another key: the old one is missing, the new one is there."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        old = shelf.fake.find("Two Versions")["key"]
        shelf.fake.remove(old)
        new = shelf.fake.add("movie", "Two Versions", section=1, year=1984, versions=[{}])
        statistics = await shelf.read(Wishes(deep=True))
        assert (statistics.added, statistics.removed) == (1, 1)
        items = await shelf.items()
        assert str(old) not in items
        assert items[str(new)].title == "Two Versions"
