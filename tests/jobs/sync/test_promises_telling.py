"""What a synchronisation says while it works and in the end, and what can be told from its log alone."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exstream.errors import Unreachable
from exstream.jobs.sync.plan import Wishes
from load.plex_server import big_library
from tests.jobs.sync.beside import beside

pytestmark = pytest.mark.anyio


async def test_both_bars_count_as_the_server_does(tmp_path: Path) -> None:
    """The library's bar says "TV Shows (2/4)"; a movie counts within its library, an episode within all of its show."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        assert shelf.told.libraries == ["Movies (1/4)", "TV Shows (2/4)", "Home Videos (3/4)", "Music (4/4)"]
        assert "The Long Harbour (1/10)" in shelf.told.items
        assert "Seen (10/10)" in shelf.told.items
        leaves = {entry["key"]: 0 for entry in shelf.fake.entries("show")}
        seasons = {entry["key"]: entry["parent"] for entry in shelf.fake.entries("season")}
        for entry in shelf.fake.entries("episode"):
            leaves[seasons[entry["parent"]]] += 1
        ends = [line for line in shelf.told.items if re.search(r"^The Office / .* \(3/3\)$", line)]
        assert len(ends) == 1
        longest = max(leaves.values())
        assert any(
            line.startswith("Battlestar Galactica / ") and line.endswith(f"({longest}/{longest})")
            for line in shelf.told.items
        )


async def test_a_line_is_said_for_each_change_of_the_database_and_for_nothing_else(tmp_path: Path) -> None:
    """Added movie, Updated episode, Removed episode: a line each, and silence where nothing is written."""
    async with beside(tmp_path) as shelf:
        first = await shelf.read()
        assert len(shelf.told.lines) == first.added
        assert "Added movie: The Long Harbour" in shelf.told.lines
        shelf.told.clear()
        await shelf.read()
        await shelf.read(Wishes(deep=True))
        assert shelf.told.lines == []
        shelf.fake.add("movie", "New", section=1, duration=60_000, versions=[{}])
        shelf.fake.change(shelf.fake.find("The Office 1x2")["key"], title="Changed")
        shelf.fake.remove(shelf.fake.find("The Office 1x3")["key"])
        await shelf.read()
        assert sorted(shelf.told.lines) == [
            *("Added movie: New", "Removed episode: The Office 1x3", "Updated episode: Changed")
        ]


async def test_the_statistics_are_those_of_server_and_database(tmp_path: Path) -> None:
    """Total, processed, skipped, requests, database writes and seconds are what was really asked and written."""
    async with beside(tmp_path, big_library(200, 50)) as shelf:
        first = await shelf.sync.run()
        assert (first.total, first.processed, first.skipped, first.added) == (250, 250, 0, 250)
        assert first.requests == shelf.fake.requests
        items, shows = (shelf.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("item", "show"))
        assert first.writes >= items + shows
        assert 0 < first.seconds < 60
        for name in ("250 items", "250 processed", "0 skipped", f"{first.requests} requests", "rows written"):
            assert name in first.summary()
        shelf.fake.reset_counts()
        second = await shelf.sync.run()
        assert (second.total, second.processed, second.skipped) == (250, 0, 250)
        assert second.requests == shelf.fake.requests


async def test_the_log_shows_both_instants_and_the_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A debug line of each compared item has the server's instant and the kept one, one of each answer its format."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        key = shelf.fake.find("Optimised")["key"]
        ((before,),) = shelf.rows("SELECT stamp FROM item WHERE rating_key = ?", str(key))
        shelf.fake.change(key, title="Optimised again")
        capsys.readouterr()
        await shelf.read()
        said = capsys.readouterr().out.splitlines()
        (line,) = [each for each in said if "read anew" in each and f"m-den:{key} " in each]
        ((after,),) = shelf.rows("SELECT stamp FROM item WHERE rating_key = ?", str(key))
        assert f"{after} vs {before}" in line
        assert after > before
        assert any("as it was" in each and re.search(r"(\d{10}) vs \1", each) for each in said)
        assert all("format=json" in each for each in said if "answer of the server" in each)
        shelf.fake.switch(always_xml=True)
        await shelf.read()
        said = capsys.readouterr().out.splitlines()
        assert {"format=xml"} == {
            word for each in said for word in each.split() if word.startswith("format=")
        }


async def test_a_failure_is_found_from_the_log_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is swallowed: the log names the server, the library and the reason, and the statistics have the same."""
    async with beside(tmp_path) as shelf:
        shelf.fake.login_page("/library/sections/2/all")
        capsys.readouterr()
        statistics = await shelf.read()
        (fault,) = statistics.faults
        assert "Den, TV Shows" in fault
        assert 'another program, "Sign in"' in fault
        warnings = [line for line in capsys.readouterr().out.splitlines() if "[warning" in line]
        assert len(warnings) == 1
        assert "server=Den" in warnings[0]
        assert 'another program, "Sign in"' in warnings[0]
        assert statistics.added == 18


async def test_a_server_that_stumbles_is_asked_again_and_one_that_is_down_is_told(tmp_path: Path) -> None:
    """A reset and a 503 are asked again unnoticed; a server that is gone is a sentence, and what is known stays."""
    async with beside(tmp_path) as shelf:
        shelf.fake.harm("reset", "/library/sections/1/all", times=1, after=20)
        shelf.fake.harm("status", "/library/sections/2/all", times=1, status=503)
        statistics = await shelf.read()
        assert (statistics.faults, statistics.added) == ([], statistics.total)
        assert statistics.requests == shelf.fake.requests
        before = shelf.rows("SELECT * FROM item ORDER BY rating_key")
        shelf.fake.stop_listening()
        with pytest.raises(Unreachable) as raised:
            await shelf.read()
        assert "127.0.0.1" in str(raised.value)
        assert shelf.fake.token not in str(raised.value)
        assert shelf.rows("SELECT * FROM item ORDER BY rating_key") == before
        assert len((await shelf.catalogue.load()).items) == statistics.total


async def test_half_a_synchronisation_goes_on_where_it_was(tmp_path: Path) -> None:
    """What came before a server went away is kept; the next run begins at the page after it and ends with every row."""
    async with beside(tmp_path, big_library(900, 10), page_size=100) as shelf:
        shelf.fake.harm("status", "/library/sections/2/all", query="type=4", skip=4, status=503)
        with pytest.raises(Unreachable):
            await shelf.read()
        kept = shelf.rows("SELECT count(*) FROM item WHERE kind = 'episode'")[0][0]
        assert kept == 400
        shelf.fake.heal()
        shelf.fake.reset_counts()
        # As another program would: nothing is remembered but what the database says; the breaker has forgotten.
        await shelf.clock.sleep(5.2)
        statistics = await shelf.sync_again().run()
        starts = [
            int(asked["headers"]["x-plex-container-start"])
            for asked in shelf.fake.asked()
            if asked["path"] == "/library/sections/2/all" and "type=4" in asked["query"]
        ]
        assert min(starts) == 300
        assert statistics.faults == []
        with closing(sqlite3.connect(tmp_path / "exstream.db")) as database:
            counted = database.execute("SELECT count(*), count(DISTINCT rating_key) FROM item").fetchone()
        assert counted == (910, 910)
