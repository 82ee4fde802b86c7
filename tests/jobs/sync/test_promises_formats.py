"""Servers that speak XML, or count, sort and page in ways of their own: the same catalogue comes of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exstream.jobs.sync.plan import DAY_MS, Wishes
from exstream.model.catalogue import ItemKind
from load.plex_server import big_library
from tests.jobs.sync.beside import Shelf, beside

pytestmark = pytest.mark.anyio

KEPT = (
    "SELECT rating_key, kind, title, show, season, episode, year, plex_path, external_ids, media, versions,"
    " markers, labels, people, genres, stamp, digest, details FROM item ORDER BY rating_key"
)


async def catalogue_of(folder: Path, switches: dict[str, Any], **options: Any) -> list[tuple[Any, ...]]:
    """Return every row that comes of a server that behaves like ``switches``."""
    folder.mkdir()
    async with beside(folder, **options) as shelf:
        shelf.fake.switch(**switches)
        statistics = await shelf.read()
        assert statistics.faults == []
        return shelf.rows(KEPT)


@pytest.mark.parametrize(
    ("switches", "options"),
    [
        ({"always_xml": True}, {}),
        ({"page_limit": 2}, {}),
        ({"hoisting": True}, {}),
        ({"always_xml": True, "hoisting": True, "page_limit": 3}, {"page_size": 7, "batch": 4}),
    ],
    ids=["XML alone", "short pages", "values above", "all of it"],
)
async def test_whatever_form_answers_have_the_same_rows_come_of_them(
    tmp_path: Path, switches: dict[str, Any], options: dict[str, Any]
) -> None:
    """JSON or XML, pages that are shorter than asked, values told once for all: not one row and no column differs."""
    plain = await catalogue_of(tmp_path / "plain", {})
    assert len(plain) > 30
    assert await catalogue_of(tmp_path / "other", switches, **options) == plain


async def test_two_full_synchronisations_with_a_server_that_speaks_xml(tmp_path: Path) -> None:
    """The first brings everything with both paths and the server's epochs; the second skips it, and nothing breaks."""
    async with beside(tmp_path, big_library(300, 60)) as shelf:
        shelf.fake.switch(always_xml=True)
        first = await shelf.read()
        assert (first.added, first.faults) == (360, [])
        second = await shelf.read()
        assert (second.skipped, second.processed, second.writes, second.faults) == (360, 0, 0, [])
        stamps = {
            str(entry["key"]): entry["fields"].get("updatedAt") or entry["fields"]["addedAt"]
            for kind in ("movie", "episode")
            for entry in shelf.fake.entries(kind)
        }
        assert dict(shelf.rows("SELECT rating_key, stamp FROM item")) == stamps
        assert shelf.rows("SELECT count(*) FROM item WHERE plex_path LIKE '/%' AND file_path = ''") == [
            (360,)
        ]


async def test_episodes_of_a_show_are_read_in_pages(tmp_path: Path) -> None:
    """A show of 200 episodes comes whole through /allLeaves though the server gives 50 at a time."""
    async with beside(tmp_path) as shelf:
        show = shelf.fake.add("show", "Long Runner", section=2, year=1970)
        season = shelf.fake.add("season", "Season 1", under=show, index=1)
        for number in range(200):
            shelf.fake.add(
                "episode", f"Part {number}", under=season, index=number, duration=1_000, versions=[{}]
            )
        shelf.fake.switch(page_limit=50)
        statistics = await shelf.sync.titled("Long Runner")
        assert statistics.added == 200
        asked = [each for each in shelf.fake.asked() if each["path"].endswith("/allLeaves")]
        assert [int(each["headers"]["x-plex-container-start"]) for each in asked] == [0, 50, 100, 150]


async def many_films(shelf: Shelf) -> None:
    """Have a library of 120 films read, all of which have been there for long."""
    for number in range(110):
        shelf.fake.set_now(1_700_001_000 + 60 * number)
        shelf.fake.add("movie", f"Film {number}", section=1, duration=1_000, versions=[{}])
    shelf.fake.set_now(None)
    await shelf.read()


async def test_a_size_that_is_the_pages_is_not_taken_for_the_total(tmp_path: Path) -> None:
    """Pages of 20 whose size is 20 are read to the last of 120 films, and none of these goes missing."""
    async with beside(tmp_path, page_size=20) as shelf:
        await many_films(shelf)
        shelf.clock.ahead_ms = DAY_MS
        statistics = await shelf.read()
        assert (statistics.removed, statistics.faults) == (0, [])
        assert len([item for item in (await shelf.items()).values() if item.library == "Movies"]) == 120


@pytest.mark.parametrize("wrong", [5, -5])
async def test_a_server_that_counts_wrongly_loses_nothing(tmp_path: Path, wrong: int) -> None:
    """Whether it promises more than it has or fewer, no film that is there goes missing."""
    async with beside(tmp_path, page_size=20) as shelf:
        await many_films(shelf)
        total = len(await shelf.items())
        shelf.fake.switch(count_by=wrong)
        statistics = await shelf.read(Wishes(deep=True))
        assert statistics.removed == 0
        shelf.fake.switch(count_by=0)
        statistics = await shelf.read(Wishes(deep=True))
        assert (statistics.added, statistics.removed, len(await shelf.items())) == (0, 0, total)


async def test_a_filter_that_is_ignored_is_noticed(tmp_path: Path) -> None:
    """A server that answers a filter with the whole library costs two pages, and only what changed is processed."""
    async with beside(tmp_path, page_size=50) as shelf:
        await many_films(shelf)
        key = shelf.fake.find("Film 7")["key"]
        shelf.fake.change(key, title="Film 7, restored")
        asking = shelf.asking
        pages = asking.pages

        def unfiltered(section: str, kind: Any, *, filters: Any = None, **rest: Any) -> Any:
            # The operator's sign written twice is what servers have been seen to ignore.
            return pages(
                section, kind, filters={f"{name}=": value for name, value in (filters or {}).items()}, **rest
            )

        asking.pages = unfiltered  # type: ignore[method-assign] # as a server would have it
        shelf.told.clear()
        shelf.fake.reset_counts()
        statistics = await shelf.read()
        assert shelf.told.lines == ["Updated movie: Film 7, restored"]
        assert (statistics.processed, statistics.faults) == (1, [])
        films = [each for each in shelf.fake.asked() if each["path"] == "/library/sections/1/all"]
        assert len(films) <= 2


async def test_photos_are_passed_by(tmp_path: Path) -> None:
    """A library of photos, and playlists of photos or of photos and films, are no fault; only what plays is taken."""
    async with beside(tmp_path) as shelf:
        photos = shelf.fake.add_section("photo", "Photos", "/data/Photos")
        bare = [shelf.fake.add("photo", f"Beach {number}", section=photos) for number in range(3)]
        film = shelf.fake.find("Two Versions")["key"]
        for title, members in (("Slides", bare), ("Evening", [bare[0], film])):
            shelf.fake.add("playlist", title, section=0, members=members, playlistType="photo", guid="")
        statistics = await shelf.read()
        assert statistics.faults == []
        items = await shelf.items()
        assert not items.keys() & {str(key) for key in bare}
        assert "Evening" in items[str(film)].playlists
        assert not [
            asked for asked in shelf.fake.asked() if asked["path"] == f"/library/sections/{photos}/all"
        ]


async def test_an_entry_that_lacks_nearly_everything_spoils_no_other(tmp_path: Path) -> None:
    """Films without dates, sizes, rates or countries, with texts for numbers, come; one without a key is named."""
    async with beside(tmp_path) as shelf:
        lacking = {
            "ratingKey": "9001",
            "type": "movie",
            "title": "Bare",
            "Media": [{"Part": [{"key": "/x"}]}],
        }
        odd = {
            **lacking,
            "ratingKey": 9002,
            "title": "Odd",
            "year": "1984",
            "duration": "60000",
            "addedAt": "",
        }
        entries = [lacking, {"title": "Nobody"}, odd]
        body = json.dumps({"MediaContainer": {"size": 3, "totalSize": 3, "Metadata": entries}})
        listing = {"status": 200, "body": body, "content_type": "application/json"}
        shelf.fake.harm("status", "/library/sections/1/all", **listing)
        statistics = await shelf.sync.run()
        items = await shelf.items()
        assert (items["9001"].title, items["9002"].year, items["9002"].duration_ms) == ("Bare", 1984, 60_000)
        assert len([item for item in items.values() if item.kind is ItemKind.EPISODE]) == 19
        assert len([fault for fault in statistics.faults if "Den, Movies" in fault]) == 1
