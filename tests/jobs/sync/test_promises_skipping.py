"""What is as it was costs nothing, and nothing is lost by it: against a server in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exstream.jobs.sync.plan import DAY_MS, HOUR_MS, Wishes
from load.plex_server import big_library
from tests.jobs.sync.beside import beside

pytestmark = pytest.mark.anyio


async def test_the_servers_instant_of_every_film_episode_and_show_is_kept_as_an_epoch(tmp_path: Path) -> None:
    """Of each movie, episode and show the server's updatedAt, or addedAt where it has none, is kept as an integer."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        told = {
            str(entry["key"]): entry["fields"].get("updatedAt") or entry["fields"]["addedAt"]
            for kind in ("movie", "episode", "show")
            for entry in shelf.fake.entries(kind)
        }
        kept = shelf.rows(
            "SELECT rating_key, stamp, typeof(stamp) FROM item WHERE kind != 'track'"
            " UNION ALL SELECT rating_key, stamp, typeof(stamp) FROM show WHERE rating_key IN"
            " (SELECT substr(show_key, instr(show_key, ':') + 1) FROM item WHERE kind = 'episode')"
        )
        assert {key: stamp for key, stamp, _ in kept} == told
        assert {kind for *_, kind in kept} == {"integer"}
        key = shelf.fake.find("Two Versions")["key"]
        shelf.fake.change(key, title="Two", updatedAt=1_900_000_000, moves=False)
        await shelf.read()
        assert shelf.rows("SELECT stamp, updated_at FROM item WHERE rating_key = ?", str(key)) == [
            (1_900_000_000, 1_900_000_000_000)
        ]


async def test_no_instant_is_kept_as_a_text(tmp_path: Path) -> None:
    """Read from XML, where every instant is a text, all are kept as integers, and the database makes none by itself."""
    async with beside(tmp_path) as shelf:
        shelf.fake.switch(always_xml=True)
        await shelf.read()
        schema = " ".join(each or "" for (each,) in shelf.rows("SELECT sql FROM sqlite_master")).upper()
        assert not re.findall(r"CURRENT_TIMESTAMP|DATETIME|\bTIMESTAMP\b|\bDATE\b", schema)
        for table, names in {
            "item": ("stamp", "added_at", "updated_at", "missing_since"),
            "show": ("stamp",),
            "library": ("scanned_at", "full_at", "newest_added", "newest_stamp"),
        }.items():
            for name in names:
                kinds = shelf.rows(f"SELECT DISTINCT typeof({name}) FROM {table}")
                assert kinds == [("integer",)], (table, name)


async def test_what_has_the_same_instant_is_skipped_without_a_write(tmp_path: Path) -> None:
    """A second synchronisation finds every updatedAt equal, skips each movie and episode, and writes no row."""
    async with beside(tmp_path) as shelf:
        first = await shelf.read()
        before = (tmp_path / "exstream.db").read_bytes(), (tmp_path / "exstream.db-wal").read_bytes()
        shelf.told.clear()
        second = await shelf.read()
        assert (second.skipped, second.processed, second.writes) == (first.total, 0, 0)
        assert shelf.told.lines == []
        after = (tmp_path / "exstream.db").read_bytes(), (tmp_path / "exstream.db-wal").read_bytes()
        assert after == before


async def test_without_an_instant_everything_is_compared(tmp_path: Path) -> None:
    """A movie that has no updatedAt is compared in full: its new title is found though no instant tells of it."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        shelf.told.clear()
        key = shelf.fake.find("Never Updated")["key"]
        shelf.fake.change(key, moves=False, title="Updated after all")
        shelf.clock.ahead_ms = DAY_MS
        statistics = await shelf.read()
        assert (statistics.updated, shelf.told.lines) == (1, ["Updated movie: Updated after all"])


@pytest.mark.parametrize("digest", ["", "no digest of ours", "\u2603" * 40])
async def test_what_cannot_be_compared_is_processed(tmp_path: Path, digest: str) -> None:
    """An item whose kept state cannot be compared with the server's is read anew, and no other one is."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        key = shelf.fake.find("The Long Harbour")["key"]
        shelf.alter("UPDATE item SET digest = ?, title = 'lost' WHERE rating_key = ?", digest, str(key))
        shelf.clock.ahead_ms = DAY_MS
        statistics = await shelf.read()
        assert (statistics.processed, statistics.updated) == (1, 1)
        assert (await shelf.items())[str(key)].title == "The Long Harbour"


async def test_episodes_of_an_unchanged_show_are_not_asked_for_and_a_new_one_is_found(tmp_path: Path) -> None:
    """No request names an unchanged show or asks for its episodes; one that is new in it is found all the same."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        shelf.fake.reset_counts()
        await shelf.read()
        assert [asked for asked in shelf.fake.asked() if "/library/metadata/" in asked["path"]] == []
        show = next(e for e in shelf.fake.entries("show") if e["title"] == "The Office")
        season = next(e for e in shelf.fake.entries("season") if e["parent"] == show["key"])
        shelf.fake.add("episode", "The Fourth", under=season["key"], index=4, duration=60_000, versions=[{}])
        after = next(e for e in shelf.fake.entries("show") if e["title"] == "The Office")
        assert after["fields"]["updatedAt"] == show["fields"]["updatedAt"]
        shelf.told.clear()
        shelf.fake.reset_counts()
        statistics = await shelf.read()
        assert (statistics.added, shelf.told.lines) == (1, ["Added episode: The Fourth"])
        assert not [asked for asked in shelf.fake.asked() if "allLeaves" in asked["path"]]


async def test_of_a_show_only_the_episodes_that_changed_are_processed(tmp_path: Path) -> None:
    """One episode of a show is new, one has changed, the others are skipped one by one."""
    async with beside(tmp_path) as shelf:
        first = await shelf.read()
        episodes = [e for e in shelf.fake.entries("episode") if e["title"].startswith("The Office 1x")]
        shelf.fake.change(episodes[1]["key"], title="The Merger")
        shelf.fake.add(
            "episode", "The Coup", under=episodes[0]["parent"], index=9, duration=60_000, versions=[{}]
        )
        shelf.told.clear()
        statistics = await shelf.read()
        assert sorted(shelf.told.lines) == ["Added episode: The Coup", "Updated episode: The Merger"]
        assert (statistics.processed, statistics.skipped) == (2, first.total - 1)


async def test_an_unchanged_movie_is_skipped_and_a_change_of_its_metadata_is_not(tmp_path: Path) -> None:
    """Ten movies are skipped; once the summary, the rating and a label of one are edited, that one is processed."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        key = shelf.fake.find("A Legacy Film")["key"]
        shelf.fake.describe(key, tags={"Label": ["winter"]})
        shelf.fake.change(key, summary="Better.", rating=9, contentRating="de/16")
        statistics = await shelf.read()
        assert (statistics.processed, statistics.skipped) == (1, statistics.total - 1)
        item = (await shelf.items())[str(key)]
        assert (item.summary, item.rating, item.content_rating, item.labels) == (
            "Better.",
            9,
            "de/16",
            ("winter",),
        )


async def test_an_earlier_instant_than_the_one_that_is_kept_loses_nothing(tmp_path: Path) -> None:
    """A server that was restored from a copy tells earlier instants: what differs is taken by the next full pass."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        key = shelf.fake.find("Optimised")["key"]
        shelf.fake.change(key, moves=False, title="Restored", updatedAt=1_600_000_000)
        assert (await shelf.read()).updated == 0
        shelf.clock.ahead_ms = DAY_MS
        assert (await shelf.read()).updated == 1
        assert shelf.rows("SELECT title, stamp FROM item WHERE rating_key = ?", str(key)) == [
            ("Restored", 1_600_000_000)
        ]


async def test_a_replaced_file_is_found_though_no_instant_moves(tmp_path: Path) -> None:
    """A better file moves neither updatedAt nor the library's counter: the pass after the scan finds key and size."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        key = shelf.fake.find("The Long Harbour")["key"]
        before = (await shelf.items())[str(key)].versions[0].parts[0]
        shelf.fake.replace_file(key, size=7_000_000_000)
        assert (await shelf.read()).updated == 0
        shelf.fake.do("change_section", key=1, scannedAt=1_900_000_000)
        shelf.clock.ahead_ms = HOUR_MS
        assert (await shelf.read()).updated == 1
        after = (await shelf.items())[str(key)].versions[0].parts[0]
        assert (after.key != before.key, after.size) == (True, 7_000_000_000)


async def test_a_deep_synchronisation_skips_nothing(tmp_path: Path) -> None:
    """With --deep every show and every episode is read and compared; the one after it skips everything again."""
    async with beside(tmp_path) as shelf:
        first = await shelf.read()
        deep = await shelf.read(Wishes(deep=True))
        assert (deep.processed, deep.skipped, deep.updated) == (first.total, 0, 0)
        assert (await shelf.read()).skipped == first.total


async def test_what_an_unchanged_library_costs_does_not_grow_with_it(tmp_path: Path) -> None:
    """Nothing changed: five requests for 80 items, and five, with as little to read, for 1,600."""
    costs = []
    for number, plan in enumerate((big_library(60, 20), big_library(1_500, 100))):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with beside(folder, plan) as shelf:
            await shelf.read()
            shelf.fake.reset_counts()
            statistics = await shelf.read()
            assert statistics.skipped == statistics.total
            costs.append((statistics.requests, shelf.fake.counts()["kinds"]["all"]["bytes"]))
    (few, little), (many, much) = costs
    assert (few, many) == (5, 5)
    assert much <= little + 2_000
