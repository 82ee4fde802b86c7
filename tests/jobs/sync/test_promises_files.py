"""Where the bytes of what was read are: the server's path and the one of this machine, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import path
from pathlib import Path

import pytest

from exstream.model.server import Mapping
from exstream.plex.paths import Whereabouts, root_of
from load.plex_server import empty_library
from tests.jobs.sync.beside import Shelf, beside

pytestmark = pytest.mark.anyio


async def map_folder(shelf: Shelf, plex_path: str, local_path: str) -> None:
    """Say where a folder of the server lies here."""

    def local(mappings: Sequence[Mapping], roots: Sequence[str]) -> Callable[[str], str]:
        return Whereabouts(shelf.fake.machine, mappings, roots, lambda _: False).local

    await shelf.store.add_mapping(Mapping(shelf.fake.machine, plex_path, local_path), local)


async def test_both_paths_are_kept_of_movies_and_episodes(tmp_path: Path) -> None:
    """The raw plex_path and the mapped file_path stand side by side for every movie and episode, with its server."""
    async with beside(tmp_path) as shelf:
        await map_folder(shelf, "/data/Movies", "/mnt/films")
        await map_folder(shelf, "/data/TV Shows", "R:\\shows")
        await shelf.read()
        rows = shelf.rows(
            "SELECT kind, plex_path, file_path, server_id FROM item WHERE plex_path LIKE '/data/Movies/%'"
            " OR plex_path LIKE '/data/TV Shows/%'"
        )
        assert {kind for kind, *_ in rows} == {"film", "episode"}
        assert {server for *_, server in rows} == {"m-den"}
        for kind, plex, local, _ in rows:
            if kind == "film":
                assert local == plex.replace("/data/Movies", "/mnt/films")
            else:
                assert local == plex.replace("/data/TV Shows", "R:\\shows").replace("/", "\\")
        assert len(rows) > 20


async def test_what_plays_reads_the_local_path_alone(tmp_path: Path) -> None:
    """An item's path is the mapped one; where no mapping leads it is empty, and never the server's."""
    async with beside(tmp_path) as shelf:
        await map_folder(shelf, "/data/Movies", "/mnt/films")
        await shelf.read()
        items = (await shelf.items()).values()
        assert {item.path.startswith("/mnt/films/") or item.path == "" for item in items} == {True}
        assert any(item.path for item in items)


async def test_a_mapping_that_comes_later_moves_what_is_kept(tmp_path: Path) -> None:
    """Items that were read before a mapping was made have their local path filled in, without the server's help."""
    async with beside(tmp_path) as shelf:
        await shelf.read()
        assert not any(item.path for item in (await shelf.items()).values())
        shelf.fake.reset_counts()
        await map_folder(shelf, "/data/Movies", "/mnt/films")
        assert shelf.fake.requests == 0
        assert any(item.path.startswith("/mnt/films/") for item in (await shelf.items()).values())
        assert (await shelf.read()).updated == 0


async def test_the_longest_prefix_of_the_items_own_server_wins(tmp_path: Path) -> None:
    """A mapping within a mapping counts for what is below it, and one of another server never."""
    async with beside(tmp_path, empty_library()) as shelf:
        films = shelf.fake.add_section("movie", "Films", "/media", "/media/kids")
        for number, file in enumerate(("/media/a.mkv", "/media/kids/b.mkv", "/media/kids2/c.mkv")):
            version = {"parts": [{"file": file, "duration": 60_000}]}
            shelf.fake.add("movie", f"Film {number}", section=films, versions=[version])
        await map_folder(shelf, "/media/kids", "/two")
        await map_folder(shelf, "/media", "/one")
        await shelf.read()
        paths = sorted(item.path for item in (await shelf.items()).values())
        assert paths == ["/one/a.mkv", "/one/kids2/c.mkv", "/two/b.mkv"]


async def test_files_of_a_server_on_windows_are_found_on_this_machine(tmp_path: Path) -> None:
    """M:\\Films of the server is /mnt/films here, whichever way the slashes and capitals are written."""
    async with beside(tmp_path, empty_library()) as shelf:
        films = shelf.fake.add_section("movie", "Films", "M:\\Films")
        for number, file in enumerate(("M:\\Films\\A (2001)\\a.mkv", "m:\\films\\b.mkv")):
            version = {"parts": [{"file": file, "duration": 60_000}]}
            shelf.fake.add("movie", f"Film {number}", section=films, versions=[version])
        await map_folder(shelf, "M:/Films/", "/mnt/films")
        await shelf.read()
        paths = sorted(item.path for item in (await shelf.items()).values())
        assert paths == ["/mnt/films/A (2001)/a.mkv", "/mnt/films/b.mkv"]


async def test_a_library_of_several_roots_finds_the_nearest_one(tmp_path: Path) -> None:
    """Folders of one library lie in different places here: each file is found by the longest root that holds it."""
    async with beside(tmp_path, empty_library()) as shelf:
        near, far = tmp_path / "tv" / "kids", tmp_path / "tv"
        section = shelf.fake.add_section("movie", "Films", str(tmp_path / "away"), str(far), str(near))
        for place in (near / "a.mkv", far / "b.mkv", tmp_path / "away" / "c.mkv", tmp_path / "d.mkv"):
            version = {"parts": [{"file": str(place), "duration": 60_000}]}
            shelf.fake.add("movie", place.stem, section=section, versions=[version])
        near.mkdir(parents=True)
        for place in (near / "a.mkv", far / "b.mkv", tmp_path / "d.mkv"):
            place.touch()
        shelf.sync.means = replace(shelf.sync.means, exists=path.exists)
        await shelf.read()
        found = {item.title: item.path for item in (await shelf.items()).values()}
        assert found == {"a": str(near / "a.mkv"), "b": str(far / "b.mkv"), "c": "", "d": ""}
        (library,) = await shelf.store.libraries("m-den")
        assert root_of(str(near / "a.mkv"), library.roots) == str(near)


async def test_a_file_of_two_episodes_and_an_item_of_two_files(tmp_path: Path) -> None:
    """Both episodes of one file have its path, each with its number; a film in two files lasts as long as both."""
    async with beside(tmp_path) as shelf:
        await map_folder(shelf, "/data", "/mnt")
        await shelf.read()
        items = {item.title: item for item in (await shelf.items()).values()}
        first, second = items["The Long Night, Part 1"], items["The Long Night, Part 2"]
        assert first.path == second.path == "/mnt/TV Shows/BSG/S00E04-E05.mkv"
        assert (first.season, first.episode, second.episode) == (0, 4, 5)
        parts = items["In Two Parts"].versions[0].parts
        assert (len(parts), items["In Two Parts"].duration_ms) == (2, 2 * 3_600_000)


async def test_odd_numbers_and_empty_seasons_are_no_fault(tmp_path: Path) -> None:
    """Season 0, episodes without a number and a season without episodes spoil nothing."""
    async with beside(tmp_path) as shelf:
        show = next(entry for entry in shelf.fake.entries("show") if entry["title"] == "The Office")
        shelf.fake.add("season", "Season 7", under=show["key"], index=7)
        statistics = await shelf.read()
        assert statistics.faults == []
        items = (await shelf.items()).values()
        assert {item.season for item in items if item.show == "Battlestar Galactica"} == {0, 1, 2}
        assert {(item.episode, item.aired) for item in items if item.show == "The Daily Signal"} == {
            (None, "2024-03-01"),
            (None, "2024-03-02"),
        }
        assert not [item for item in items if item.title in {"Season 7", "Specials"}]
        assert next(item for item in items if item.title == "Without Numbers").duration_ms == 2 * 3_600_000
