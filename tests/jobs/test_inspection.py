"""Files of servers, looked into by ourselves: those that air soonest first, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from exstream.errors import Unreachable, UnreadableMedia
from exstream.ffmpeg.copying import CopyClass
from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.probe_report import PROBE_VERSION
from exstream.ffmpeg.process import Processes
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.inspection import AGAIN_SECONDS, BATCH, Inspection, unknown
from exstream.jobs.upcoming import SOON_MS, Upcoming
from exstream.model.catalogue import (
    Catalogue,
    Item,
    ItemKey,
    ItemKind,
    Media,
    Part,
    SubtitleStream,
    Version,
)
from exstream.model.channel import ChannelDefinition
from exstream.model.programme import Segment, SegmentKind
from exstream.sources.remote_feeds import RemoteProbe
from load.plex_server import MediaFile, running_plex_server, small_library
from tests import copyable, material
from tests.fakes import SteppedClock
from tests.sources.remote import remote

pytestmark = pytest.mark.anyio

SUBTITLE = SubtitleStream("subrip", path="plex://alpha/library/streams/5")
TOLD = Media(60_000, subtitles=(SUBTITLE,))
SEEN = Media(61_000, "mp4", probed=PROBE_VERSION)


def film(number: int, *, file: str = "", media: Media | None = TOLD, parts: int = 1) -> Item:
    """Return a film of a server; ``file``: where it is mapped to."""
    several = tuple(
        Part(f"/library/parts/{number}{place}/1/file.mkv", "/srv", 10, 60_000, file, media)
        for place in range(parts)
    )
    version = Version(str(number), several)
    return Item(
        f"alpha:{number}", ItemKind.FILM, str(number), 60_000, "Films", path=file, versions=(version,)
    )


class Shelf:
    """Keeps the catalogue, and what was found out."""

    def __init__(self, *items: Item) -> None:
        self.items = {item.key: item for item in items}
        self.kept: list[ItemKey] = []

    async def load(self) -> Catalogue:
        """Return all there is."""
        return Catalogue.of(self.items.values())

    async def describe_parts(self, found: Mapping[ItemKey, Mapping[str, Media]]) -> int:
        """Put what was found into the items."""
        for key, inside in found.items():
            item = self.items[key]
            (version,) = item.versions
            parts = tuple(replace(part, media=inside[part.key]) for part in version.parts)
            self.items[key] = replace(item, versions=(replace(version, parts=parts),), media=parts[0].media)
            self.kept.append(key)
        return len(found)


class Looks:
    """Looks into files; the ones it is told to cannot be looked into."""

    def __init__(self, *unreadable: str, gone: str = "") -> None:
        self.asked: list[str] = []
        self.unreadable = unreadable
        self.gone = gone

    async def probe(self, location: str, item: ItemKey) -> Media:
        """Return what is in any file."""
        self.asked.append(location)
        if location in self.unreadable:
            raise UnreadableMedia("broken")
        if self.gone and location.startswith(self.gone):
            raise Unreachable("gone")
        return SEEN


class Restless(SteppedClock):
    """A clock with which nobody waits."""

    async def sleep(self, seconds: float) -> None:
        """Go on at once."""


async def inspection(shelf: Shelf, looks: Looks, *first: ItemKey) -> tuple[Inspection, CatalogueHolder]:
    """Return an inspection, where ``first`` airs soon, in that order."""
    holder = CatalogueHolder(shelf)
    await holder.reload()

    async def order(keys: Collection[ItemKey]) -> Sequence[ItemKey]:
        return [key for key in first if key in keys]

    return Inspection(shelf, holder, looks.probe, order, Restless(0)), holder


async def test_what_airs_soonest_is_looked_into_first() -> None:
    """Then what lies on this machine; what is on the server alone and does not air soon is left alone."""
    shelf = Shelf(
        film(1), film(2), film(3, file="/films/3.mkv"), film(4), film(5, media=SEEN), film(6, parts=2)
    )
    looks = Looks()
    job, holder = await inspection(shelf, looks, "alpha:4", "alpha:2")
    assert {item.key for item in unknown(holder.current)} == {f"alpha:{n}" for n in (1, 2, 3, 4)}
    assert await job.batch() == 3
    assert looks.asked == [
        "plex://alpha/library/parts/40/1/file.mkv",
        "plex://alpha/library/parts/20/1/file.mkv",
        "/films/3.mkv",
    ]
    media = holder.current.items["alpha:4"].media
    assert media is not None
    assert (media.probed, media.duration_ms, media.subtitles) == (PROBE_VERSION, 61_000, (SUBTITLE,))
    assert await job.batch() == 0


async def test_a_server_that_does_not_answer_is_asked_again() -> None:
    """After a minute, not before: nothing is wrong with the file."""
    shelf, looks = Shelf(film(1, file="/films/1.mkv")), Looks("/films/1.mkv", gone="plex://alpha")
    job, _ = await inspection(shelf, looks)
    assert [await job.batch(), await job.batch()] == [1, 0]
    looks.gone = ""
    clock = job._clock
    assert isinstance(clock, Restless)
    await clock.step(AGAIN_SECONDS + 1)
    assert [await job.batch(), await job.batch()] == [1, 0]
    assert shelf.kept == ["alpha:1"]


async def test_a_file_that_cannot_be_looked_into_is_not_tried_again_until_it_changes() -> None:
    """Its server is asked where the mapped file cannot be read; a changed file is another one."""
    shelf = Shelf(film(1, file="/films/1.mkv"), film(2, file="/films/2.mkv"))
    looks = Looks("/films/1.mkv", "/films/2.mkv", "plex://alpha/library/parts/20/1/file.mkv")
    job, holder = await inspection(shelf, looks)
    assert await job.batch() == 2
    assert shelf.kept == ["alpha:1"]
    assert await job.batch() == 0
    changed = film(2, file="/films/new.mkv")
    (version,) = changed.versions
    parts = (replace(version.parts[0], key="/library/parts/20/2/file.mkv"),)
    shelf.items["alpha:2"] = replace(changed, versions=(replace(version, parts=parts),))
    await holder.reload()
    assert await job.batch() == 1
    assert shelf.kept == ["alpha:1", "alpha:2"]


async def test_many_files_are_taken_a_batch_at_a_time() -> None:
    """The catalogue is read anew once a batch, not once a file."""
    shelf = Shelf(*(film(number, file=f"/films/{number}.mkv") for number in range(BATCH + 5)))
    job, _ = await inspection(shelf, Looks())
    assert [await job.batch(), await job.batch(), await job.batch()] == [BATCH, 5, 0]


async def test_the_next_day_of_all_channels_tells_what_airs_soon() -> None:
    """By the first row of each item, whatever the channel; rows behind that and other items do not count."""
    clock, asked = SteppedClock(1_000_000), []

    def row(channel: str, starts: int, item: ItemKey | None) -> Segment:
        kind = SegmentKind.CARD if item is None else SegmentKind.PROGRAMME
        return Segment(channel, kind, starts, starts + 10, item)

    async def rows(channel: str, start: int, end: int) -> Sequence[Segment]:
        asked.append((start, end))
        return {"a": [row("a", 5, "x"), row("a", 30, "y")], "b": [row("b", 10, "y"), row("b", 20, None)]}[
            channel
        ]

    channels = [ChannelDefinition(name, "1", name, "p", ()) for name in ("a", "b")]
    upcoming = Upcoming(lambda: channels, rows, clock)
    assert await upcoming.soonest({"x", "y", "z"}) == ["x", "y"]
    assert await upcoming.soonest({"y"}) == ["y"]
    assert set(asked) == {(1_000_000, 1_000_000 + SOON_MS)}


async def test_a_file_is_looked_into_over_the_gateway(tmp_path: Path) -> None:
    """It can be copied from then on, as if it lay here; hardly anything of a large file is read, nothing stays lent."""
    copyable.make(tmp_path, "pyramid.mkv", 40)
    files = [MediaFile("pyramid.mkv", 40_000, title="Film"), MediaFile("broken.mkv", 40_000, title="Broken")]
    (tmp_path / "broken.mkv").write_bytes(bytes(100_000))
    with running_plex_server(small_library(tmp_path, files)) as fake:
        async with remote(fake) as far, Processes(material.FFMPEG) as processes:
            items = {item.title: item for item in await far.items()}
            probe = RemoteProbe(Prober(processes).probe, far.gateway)
            location = f"plex://{fake.machine}{items['Film'].versions[0].parts[0].key}"
            media = await probe.probe(location, items["Film"].key)
            assert CopyClass.of(media) == CopyClass(320, 180, 25, 1)
            assert replace(media, duration_ms=0) == replace(
                copyable.known(tmp_path / "pyramid.mkv"), duration_ms=0
            )
            assert len(far.gateway.capabilities) == 0
            broken = f"plex://{fake.machine}{items['Broken'].versions[0].parts[0].key}"
            with pytest.raises(UnreadableMedia) as refused:
                await probe.probe(broken, items["Broken"].key)
            assert broken in str(refused.value)
            assert "127.0.0.1" not in str(refused.value)
