"""Folders of one's own media become items, and stay what the folders are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exstream.errors import StoreError
from exstream.ffmpeg.process import Processes
from exstream.jobs.board import Board, JobState
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.library import KEPT_MS, SETTLED_MS, LibraryScanner, summary
from exstream.model.catalogue import ItemKind, Library
from exstream.store.catalogue import CatalogueStore
from tests.fakes import SteppedClock
from tests.jobs.folders import CountingProber, Put, items

pytestmark = pytest.mark.anyio

HOUR_NS = 3_600 * 1_000_000_000


async def test_a_folder_becomes_a_library(
    scanner: LibraryScanner, library: Library, catalogue: CatalogueHolder, put: Put, board: Board
) -> None:
    """Films, episodes and fillers are catalogued with their names, notes, subtitles and what is in them."""
    put("Salt Road (1972)/Salt Road (1972).mkv")
    put("Salt Road (1972)/movie.nfo", b"<movie><plot>A mine.</plot><genre>Drama</genre></movie>")
    put("Harbour/tvshow.nfo", b"<tvshow><title>Harbour Road</title><genre>Crime</genre></tvshow>")
    put("Harbour/Season 01/Harbour - S01E02 - Low Tide.mkv")
    put(
        "Harbour/Season 01/Harbour - S01E02 - Low Tide.nfo",
        b"<episodedetails><plot>Fog.</plot></episodedetails>",
    )
    put("Harbour/Season 01/Harbour - S01E02 - Low Tide.de.forced.srt", b"1\n")
    put("filler/ident.mkv")
    result = await scanner.scan(library)
    found = items(catalogue)
    assert (result.added, result.unreadable, result.faults) == (3, {}, [])
    film = found["Salt Road (1972)/Salt Road (1972).mkv"]
    assert (film.kind, film.title, film.year, film.library) == (ItemKind.FILM, "Salt Road", 1972, "Mine")
    assert (film.summary, film.genres, film.duration_ms) == ("A mine.", ("Drama",), 1_000)
    episode = found["Harbour/Season 01/Harbour - S01E02 - Low Tide.mkv"]
    assert (episode.show, episode.season, episode.episode, episode.title) == (
        "Harbour Road",
        1,
        2,
        "Low Tide",
    )
    assert (episode.summary, episode.genres) == ("Fog.", ("Crime",))
    assert episode.media is not None
    (subtitle,) = episode.media.subtitles
    assert (subtitle.language, subtitle.forced, Path(subtitle.path).exists()) == ("deu", True, True)
    assert found["filler/ident.mkv"].kind is ItemKind.FILLER
    assert episode.key == f"local:{library.id}/Harbour/Season 01/Harbour - S01E02 - Low Tide.mkv"
    job = board.jobs()[0]
    assert (job.name, job.state, job.done, job.total, job.message) == (
        "scan Mine",
        JobState.DONE,
        3,
        3,
        "3 new",
    )


async def test_only_what_changed_is_looked_into(
    scanner: LibraryScanner, library: Library, catalogue: CatalogueHolder, put: Put, counting: CountingProber
) -> None:
    """A second scan probes nothing; a changed file is probed again; a changed note alone is only read."""
    put("a (2000).mkv")
    put("b (2000).mkv")
    await scanner.scan(library)
    assert sorted(counting.asked) == ["a (2000).mkv", "b (2000).mkv"]
    counting.asked.clear()
    assert not await scanner.scan(library)
    assert counting.asked == []

    put("a (2000).mkv", age_ns=2 * HOUR_NS)
    result = await scanner.scan(library)
    assert (counting.asked, result.changed, result.added) == (["a (2000).mkv"], 1, 0)

    counting.asked.clear()
    put("b (2000).nfo", b"<movie><title>Bee</title></movie>")
    put("b (2000).en.srt", b"")
    assert (await scanner.scan(library)).changed == 1
    assert counting.asked == []
    item = items(catalogue)["b (2000).mkv"]
    assert item.title == "Bee"
    assert item.media is not None
    assert len(item.media.subtitles) == 1

    (Path(library.path) / "b (2000).en.srt").unlink()
    await scanner.scan(library)
    media = items(catalogue)["b (2000).mkv"].media
    assert media is not None
    assert media.subtitles == ()


async def test_what_is_remembered_outlives_the_server(
    scanner: LibraryScanner,
    library: Library,
    put: Put,
    counting: CountingProber,
    shelves: CatalogueStore,
    board: Board,
    clock: SteppedClock,
    tmp_path: Path,
) -> None:
    """After a restart nothing is probed again; a lost or broken journal costs one more look and changes nothing."""
    put("a (2000).mkv")
    put("broken.mkv", b"no video at all")
    await scanner.scan(library)

    def restarted() -> LibraryScanner:
        holder = CatalogueHolder(shelves)
        return LibraryScanner(shelves, holder, counting, board, clock, tmp_path / "journals")

    counting.asked.clear()
    result = await restarted().scan(library)
    assert counting.asked == []
    assert list(result.unreadable) == ["broken.mkv"]
    for content in (b"", b"[]", b'{"format": 1, "files": {"a": 3}}'):
        (tmp_path / "journals" / f"{library.id}.json").write_bytes(content)
        counting.asked.clear()
        result = await restarted().scan(library)
        assert len(counting.asked) == 2
        assert result.added == 0


async def test_unreadable_files_are_named_and_tried_again_when_they_change(
    scanner: LibraryScanner, library: Library, catalogue: CatalogueHolder, put: Put, counting: CountingProber
) -> None:
    """Junk, an empty and a truncated file are told with reasons, and only a change makes them worth another look."""
    put("good (2000).mkv")
    put("junk.mkv", b"junk" * 100)
    put("empty.mp4", b"")
    result = await scanner.scan(library)
    assert result.added == 1
    assert set(result.unreadable) == {"junk.mkv", "empty.mp4"}
    assert "it is empty" in result.unreadable["empty.mp4"]
    assert summary(result) == "1 new, 2 unreadable"
    counting.asked.clear()
    assert set((await scanner.scan(library)).unreadable) == {"junk.mkv", "empty.mp4"}
    assert counting.asked == []
    put("junk.mkv")
    result = await scanner.scan(library)
    assert counting.asked == ["junk.mkv"]
    assert set(result.unreadable) == {"empty.mp4"}
    assert "junk.mkv" in items(catalogue)


async def test_a_fault_is_logged_once_while_it_lasts(
    scanner: LibraryScanner, library: Library, put: Put
) -> None:
    """Scans come every ten minutes: the log names a bad file when it is found, not at every scan."""
    put("junk.mkv", b"junk" * 100)
    with capture_logs() as logs:
        await scanner.scan(library)
        await scanner.scan(library)
    warnings = [entry["reason"] for entry in logs if entry["log_level"] == "warning"]
    assert len(warnings) == 1
    assert "junk.mkv" in warnings[0]


async def test_a_good_file_that_goes_bad_is_not_scheduled_any_more(
    scanner: LibraryScanner, library: Library, catalogue: CatalogueHolder, put: Put
) -> None:
    """An item whose file becomes junk keeps its place but counts as missing, until the file is good again."""
    put("a (2000).mkv")
    await scanner.scan(library)
    put("a (2000).mkv", b"junk")
    result = await scanner.scan(library)
    assert (result.missing, list(result.unreadable)) == (1, ["a (2000).mkv"])
    assert items(catalogue)["a (2000).mkv"].missing
    put("a (2000).mkv", age_ns=3 * HOUR_NS)
    await scanner.scan(library)
    assert not items(catalogue)["a (2000).mkv"].missing


async def test_a_file_that_is_still_copied_waits(
    scanner: LibraryScanner,
    library: Library,
    catalogue: CatalogueHolder,
    put: Put,
    counting: CountingProber,
    clock: SteppedClock,
) -> None:
    """A file changed within five seconds waits, and so does one that grows while it is looked into."""
    fresh = put("fresh.mkv", age_ns=(SETTLED_MS - 100) * 1_000_000)
    grows = put("grows.mkv")

    def grow(path: str) -> None:
        if path == str(grows):
            with grows.open("ab") as file:
                file.write(b"more")

    counting.meanwhile = grow
    result = await scanner.scan(library)
    assert (result.waiting, result.added) == (2, 0)
    assert str(fresh) not in counting.asked
    counting.meanwhile = lambda _: None
    stamp = clock.now_ms() * 1_000_000
    os.utime(grows, ns=(stamp, stamp))
    await clock.step(SETTLED_MS / 1000)
    result = await scanner.scan(library)
    assert (result.waiting, result.added) == (0, 2)
    assert set(items(catalogue)) == {"fresh.mkv", "grows.mkv"}


async def test_deleted_files_are_missing_first_and_gone_after_thirty_days(
    scanner: LibraryScanner, library: Library, catalogue: CatalogueHolder, put: Put, clock: SteppedClock
) -> None:
    """A vanished file's item is not scheduled anew; back in time it is itself again, after 30 days it is dropped."""
    put("a (2000).mkv")
    put("stays (2000).mkv")
    await scanner.scan(library)
    added_at = items(catalogue)["a (2000).mkv"].added_at
    (Path(library.path) / "a (2000).mkv").unlink()
    assert (await scanner.scan(library)).missing == 1
    assert items(catalogue)["a (2000).mkv"].missing
    assert not await scanner.scan(library)

    await clock.step(KEPT_MS / 1000 - 1)
    put("a (2000).mkv")
    assert (await scanner.scan(library)).changed == 1
    item = items(catalogue)["a (2000).mkv"]
    assert (item.missing, item.added_at) == (False, added_at)

    (Path(library.path) / "a (2000).mkv").unlink()
    await scanner.scan(library)
    await clock.step(KEPT_MS / 1000 - 1)
    assert not await scanner.scan(library)
    await clock.step(1)
    assert (await scanner.scan(library)).gone == 1
    assert set(items(catalogue)) == {"stays (2000).mkv"}


async def test_an_unmounted_disk_deletes_nothing(
    scanner: LibraryScanner,
    library: Library,
    catalogue: CatalogueHolder,
    put: Put,
    root: Path,
    clock: SteppedClock,
) -> None:
    """A root that is empty or away is a fault in words; every item stays as it is, however long it lasts."""
    put("a (2000).mkv")
    await scanner.scan(library)
    root.rename(root.with_name("away"))
    for mounted in (False, True):
        if mounted:
            root.mkdir()
        result = await scanner.scan(library)
        await clock.step(2 * KEPT_MS / 1000)
        assert not result
        assert len(result.faults) == 1
        assert not items(catalogue)["a (2000).mkv"].missing
    root.rmdir()
    root.with_name("away").rename(root)
    result = await scanner.scan(library)
    assert not result
    assert result.faults == []


async def test_a_bad_note_is_reported_and_ignored(
    scanner: LibraryScanner, library: Library, catalogue: CatalogueHolder, put: Put
) -> None:
    """A broken NFO costs a sentence that names it; the item has its file's name."""
    put("Salt Road (1972).mkv")
    put("Salt Road (1972).nfo", b"<movie><title>Half")
    result = await scanner.scan(library)
    assert result.added == 1
    assert len(result.faults) == 1
    assert "Salt Road (1972).nfo is ignored" in result.faults[0]
    assert items(catalogue)["Salt Road (1972).mkv"].title == "Salt Road"


async def test_mute_and_blind_files_are_taken(
    scanner: LibraryScanner,
    library: Library,
    catalogue: CatalogueHolder,
    put: Put,
    processes: Processes,
    root: Path,
) -> None:
    """A film without sound is an item; one without a picture as well, and the scan says what it will look like."""
    argv = ["-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-c:a", "aac", str(root / "radio.mp4")]
    assert (await processes.run(argv, 30, name="sound")).returncode == 0
    os.utime(root / "radio.mp4", (1, 1))
    put("mute.mkv")
    result = await scanner.scan(library)
    assert result.added == 2
    assert [fault.rpartition("/")[2] for fault in result.faults] == [
        "radio.mp4 holds no picture: its sound airs over black"
    ]


async def test_a_folder_whose_disk_is_full_for_the_journal_is_scanned_all_the_same(
    shelves: CatalogueStore,
    catalogue: CatalogueHolder,
    counting: CountingProber,
    board: Board,
    clock: SteppedClock,
    library: Library,
    put: Put,
    tmp_path: Path,
) -> None:
    """When the journal cannot be written the items are kept, and the scan says so."""
    (tmp_path / "file").touch()
    scanner = LibraryScanner(shelves, catalogue, counting, board, clock, tmp_path / "file" / "journals")
    put("a (2000).mkv")
    result = await scanner.scan(library)
    assert result.added == 1
    assert any("cannot be written" in fault for fault in result.faults)


async def test_a_database_that_fails_ends_the_scan_in_words(
    scanner: LibraryScanner, shelves: CatalogueStore, library: Library, put: Put, board: Board
) -> None:
    """When the library was removed meanwhile the scan fails with a sentence on the board."""
    put("a (2000).mkv")
    await shelves.remove_library(library.id)
    with pytest.raises(StoreError):
        await scanner.scan(library)
    assert board.jobs()[0].state is JobState.FAILED
    assert "add its folder again" in board.jobs()[0].message
