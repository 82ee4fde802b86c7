"""Items that an older version has probed are looked at again, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from exstream.ffmpeg.probe import Probed
from exstream.ffmpeg.probe_report import PROBE_VERSION
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.library import LibraryScanner
from exstream.model.catalogue import Item, Library
from exstream.store.catalogue import CatalogueStore
from tests.fakes import SteppedClock
from tests.jobs.folders import CountingProber, Put, items

pytestmark = pytest.mark.anyio


class Failing(CountingProber):
    """A prober that can read nothing any more."""

    async def probe_all(self, paths: Sequence[str]) -> AsyncIterator[Probed]:
        for path in paths:
            self.asked.append(Path(path).name)
            yield Probed(path, None, f"{path} cannot be used: reading it took over 15 s")


async def as_if_old(shelves: CatalogueStore, catalogue: CatalogueHolder, library: Library) -> dict[str, Item]:
    """Make the items what a version that knew less has kept; returns what they were."""
    before = items(catalogue)
    old = []
    for item in before.values():
        assert item.media is not None
        assert item.media.video is not None
        video = replace(item.media.video, profile="", cadence=None)
        old.append(replace(item, media=replace(item.media, video=video, probed=0)))
    await shelves.apply(library.id, old)
    await catalogue.reload()
    return before


async def test_what_an_older_probe_found_is_looked_at_once_more(
    scanner: LibraryScanner,
    library: Library,
    catalogue: CatalogueHolder,
    shelves: CatalogueStore,
    put: Put,
    counting: CountingProber,
) -> None:
    """The next scan adds what was not known and changes nothing else; the scan after it probes nothing."""
    put("a (2000).mkv")
    put("b (2000).mkv")
    put("b (2000).en.srt", b"")
    await scanner.scan(library)
    now = await as_if_old(shelves, catalogue, library)
    counting.asked.clear()
    result = await scanner.scan(library)
    assert (sorted(counting.asked), result.changed, result.added) == (["a (2000).mkv", "b (2000).mkv"], 2, 0)
    assert items(catalogue) == now
    video = now["a (2000).mkv"].media and now["a (2000).mkv"].media.video
    assert video
    assert video.cadence is not None

    counting.asked.clear()
    assert not await scanner.scan(library)
    assert counting.asked == []


async def test_an_item_stays_where_a_second_look_fails(
    scanner: LibraryScanner,
    library: Library,
    catalogue: CatalogueHolder,
    shelves: CatalogueStore,
    put: Put,
    board: Board,
    clock: SteppedClock,
    counting: CountingProber,
    tmp_path: Path,
) -> None:
    """A file that has not changed and played before is kept as it is known, and is not asked for ever."""
    put("a (2000).mkv")
    await scanner.scan(library)
    await as_if_old(shelves, catalogue, library)
    old = items(catalogue)["a (2000).mkv"]
    failing = Failing(counting._real)
    later = LibraryScanner(shelves, catalogue, failing, board, clock, tmp_path / "journals")
    result = await later.scan(library)
    assert (failing.asked, result.unreadable, result.missing) == (["a (2000).mkv"], {}, 0)
    assert old.media is not None
    assert items(catalogue)["a (2000).mkv"] == replace(old, media=replace(old.media, probed=PROBE_VERSION))
    assert not await later.scan(library)
    assert len(failing.asked) == 1
