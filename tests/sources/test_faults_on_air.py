"""What servers do to a programme that is on: the viewer's stream goes on, clean, and the next programme is on time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from exstream.ffmpeg.process import Processes
from exstream.model.asrun import AsRunEntry, Outcome
from exstream.model.catalogue import Catalogue, Item, ItemKind, Media
from exstream.model.channel import ChannelDefinition, Profile
from exstream.model.grid import Span
from exstream.model.programme import Order, Way
from exstream.model.recovery import Failure, Step
from exstream.playout.ports import Feeds, Sources, Substitutes
from exstream.sources.gateway import RESUMES
from exstream.sources.remote_feeds import RemoteFeeds
from exstream.sources.resolver import Resolver
from exstream.sources.substitutes import LibrarySubstitutes
from load.plex_server import MediaFile, running_plex_server, small_library
from load.plex_server import PlexServer as Fake
from tests import copyable, material
from tests.playout.studio import Opened, Rota, SpeedyClock, Station, station
from tests.referee import decode_faults, examine
from tests.sources.remote import Remote, key_of, remote

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(180)]

SLOT = 10.0
PARTS = "/library/parts/"
STILL_SECONDS = 5.0
"""A viewer who gets nothing for so long has waited for a server; no machine is that slow by itself."""
ENCODE, COPY = material.SMALL, copyable.profile()
WAYS = pytest.mark.parametrize("profile", [ENCODE, COPY], ids=["encode", "copy"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film, another copy of it, what follows it, and a filler."""
    folder = tmp_path_factory.mktemp("faults")
    for name, recipe in (
        ("film", "pyramid.mkv"),
        ("copy", "plain.mkv"),
        ("next", "plain.mkv"),
        ("filler", "plain.mkv"),
    ):
        seconds = 3 if name == "filler" else SLOT
        copyable.make(folder, f"{name}.mkv", seconds, recipe=recipe)
    return folder


@pytest.fixture
def fake(folder: Path) -> Iterator[Fake]:
    """Run a server that has the film and, as another item, its copy; it sends them a little faster than they play."""
    length = round(SLOT * 1_000)
    files = [MediaFile("film.mkv", length, title="Film"), MediaFile("copy.mkv", length, title="Copy")]
    with running_plex_server(small_library(folder, files)) as server:
        server.switch(rate=round((folder / "film.mkv").stat().st_size / SLOT * 2))
        yield server


@dataclass
class Broadcast:
    """A channel that shows the film of the server, then what follows it, and what its viewer gets."""

    far: Remote
    on: Station
    items: dict[str, Item]
    media: dict[str, Media]
    slot: float
    data: bytes = b""
    pause: float = 0.0
    """The longest time without a byte, in seconds."""

    async def watch(self, seconds: float) -> None:
        """Watch from the beginning of the film on."""
        pieces, instants = [], []
        ends = self.slot + seconds
        async with self.on.tuners.tune("one", peer="127.0.0.1", agent="test") as viewer:
            async for piece in viewer:
                pieces.append(piece)
                instants.append(time.monotonic())
                if self.on.clock.air() > ends:
                    break
        self.data = b"".join(pieces)
        self.pause = max(later - earlier for earlier, later in pairwise(instants))

    def entry(self, name: str) -> AsRunEntry:
        """Return what the log says of an item."""
        return next(each for each in self.on.notes.entries if each.segment.item == self.items[name].key)

    @property
    def ways(self) -> set[Way]:
        """How what was opened was brought on air."""
        return {feed.order.way for feed in self.on.feeds.feeds}

    def is_clean(self, path: Path, profile: Profile) -> None:
        """Fail unless the viewer got an unbroken stream with what follows on time."""
        assert examine(self.data, float(profile.rate.seconds) * 90_000).faults == []
        path.write_bytes(self.data)
        assert decode_faults(material.FFMPEG, path) == ""
        assert self.pause < STILL_SECONDS
        follows = self.entry("next")
        assert follows.drift_ms is not None
        assert abs(follows.drift_ms) <= 40
        assert abs(follows.started - round((self.slot + SLOT) * 1_000)) <= 40
        assert self.far.fake.token not in repr(self.on.notes.entries)


@asynccontextmanager
async def broadcast(
    fake: Fake, folder: Path, profile: Profile, *, copy: bool = True, filler: bool = True, again: bool = False
) -> AsyncIterator[Broadcast]:
    """Put it together: ``copy``: the server has another copy of the film; ``filler``: this machine has some.

    ``again``: the film is on a second time, right after what follows it.
    """
    async with remote(fake) as far:
        media = {name: copyable.known(folder / f"{name}.mkv") for name in ("film", "copy", "next", "filler")}
        found = {item.title: item for item in await far.items(media=lambda path: media[path.stem])}
        items = {"film": found["Film"]}
        if copy:
            items["copy"] = replace(found["Copy"], title="Film")
        for name in ("next", *(["filler"] if filler else [])):
            kind = ItemKind.FILLER if name == "filler" else ItemKind.FILM
            path, length = str(folder / f"{name}.mkv"), media[name].duration_ms
            items[name] = Item(f"local:{name}", kind, name, length, "Here", path=path, media=media[name])
        catalogue = Catalogue.of(items.values())
        length = round(SLOT * 1_000)
        following = [items["next"].key] * (1 if again else 3)
        rota = Rota([items["film"].key, *following], length)
        clock = SpeedyClock(0)

        def wired(feeds: Opened) -> tuple[Sources, Substitutes, Feeds]:
            definition = ChannelDefinition("one", "1", "One", profile.name, ())
            resolver = Resolver(lambda: catalogue, lambda _place: "", clock)
            substitutes = LibrarySubstitutes(
                lambda: catalogue, lambda _channel: definition, lambda _place: "", resolver.copies
            )
            return resolver, substitutes, RemoteFeeds(feeds, far.gateway, _no_probe)

        async with station(rota, clock=clock, profile=profile, wired=wired) as on:
            period = len(rota.items) * SLOT
            slot = (time.time() // period + 1) * period
            clock.set(slot)
            yield Broadcast(far, on, items, media, slot)


async def _no_probe(location: str) -> Media:
    raise AssertionError(location)


def some(folder: Path) -> int:
    """Return 40 % of the film in bytes: they come in the first two seconds."""
    return (folder / "film.mkv").stat().st_size * 2 // 5


async def later(harm: Callable[[], object], seconds: float = 1.0) -> None:
    """Do ``harm`` when the film is on, and has not yet broken off."""
    await asyncio.sleep(seconds)
    await asyncio.to_thread(harm)


@WAYS
async def test_the_film_plays_as_from_a_disk(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """It is copied where its channel copies; its bytes are read once, and everything is given back."""
    async with broadcast(fake, folder, profile) as air:
        await air.watch(SLOT + 3)
        size = (folder / "film.mkv").stat().st_size
        assert size <= air.far.counts.bytes[fake.machine] <= 1.2 * size
    air.is_clean(tmp_path / "a.ts", profile)
    assert air.on.notes.failures == []
    assert air.entry("film").outcome is Outcome.AIRED
    assert air.ways == ({Way.COPY} if profile.copy else {Way.TRANSCODE})
    assert len(air.far.gateway.capabilities) == 0


@WAYS
@pytest.mark.parametrize("kind", ["cut", "reset"])
async def test_a_body_that_is_cut_is_not_noticed(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile, kind: str
) -> None:
    """It goes on by a range from the very byte: no picture is lost, and no step is taken."""
    fake.harm(kind, PARTS, after=some(folder))
    async with broadcast(fake, folder, profile) as air:
        await air.watch(SLOT + 3)
    air.is_clean(tmp_path / "a.ts", profile)
    assert air.far.counts.resumes[fake.machine] >= 2
    assert (air.on.notes.failures, air.on.notes.card_seconds) == ([], 0.0)
    assert air.entry("film").outcome is Outcome.AIRED


@WAYS
async def test_a_file_that_is_not_there_gives_way_to_its_copy(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """404: the other item of the title is on at once, from the very beginning."""
    fake.harm("status", f"{PARTS}1/", status=404)
    fake.switch(rate=0)
    async with broadcast(fake, folder, profile) as air:
        await air.watch(SLOT + 3)
    air.is_clean(tmp_path / "a.ts", profile)
    assert air.on.notes.failures == [Failure.MISSING]
    assert air.on.notes.steps == [Step.COPY]
    assert air.on.shelf.suspects == []
    assert air.on.notes.card_seconds < SLOT / 2


@WAYS
async def test_a_file_that_ends_before_it_begins_gives_way_to_its_copy(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """416: there is nothing at its address to be read; after a try or two the copy is on, and the next one on time."""
    fake.harm("status", f"{PARTS}1/", status=416)
    fake.switch(rate=0)
    async with broadcast(fake, folder, profile) as air:
        await air.watch(SLOT + 3)
    air.is_clean(tmp_path / "a.ts", profile)
    assert set(air.on.notes.failures) == {Failure.REFUSED}
    assert air.on.notes.steps[-1] is Step.COPY
    assert Step.FILLER not in air.on.notes.steps


@WAYS
async def test_a_line_that_breaks_four_times_leads_to_the_copy(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """After three resumptions in vain the copy goes on from the same place; the file is under no suspicion."""
    number = fake.harm("reset", f"{PARTS}1/", after=some(folder))

    def worse() -> None:
        fake.heal(number)
        fake.harm("reset", f"{PARTS}1/", after=0)

    async with broadcast(fake, folder, profile) as air:
        await asyncio.gather(air.watch(SLOT + 3), later(worse))
    air.is_clean(tmp_path / "a.ts", profile)
    assert air.far.counts.resumes[fake.machine] == RESUMES
    assert (air.on.notes.failures, air.on.notes.steps) == ([Failure.MISSING], [Step.COPY])
    assert air.on.shelf.suspects == []


@WAYS
@pytest.mark.parametrize("filler", [True, False], ids=["filler", "card"])
async def test_a_token_that_is_refused_in_mid_programme(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile, *, filler: bool
) -> None:
    """401: no storm of requests; filler, or a card, up to the end of the slot, and what follows is on time."""
    fake.harm("cut", PARTS, after=some(folder))

    async with broadcast(fake, folder, profile, filler=filler) as air:
        await asyncio.gather(air.watch(SLOT + 3), later(lambda: fake.refuse(fake.token)))
        assert [each["status"] for each in fake.asked()].count(401) == 1
    air.is_clean(tmp_path / "a.ts", profile)
    assert set(air.on.notes.failures) == {Failure.MISSING}
    assert air.on.notes.steps[:3] == [Step.COPY, Step.COPY, Step.FILLER]  # there is no second copy
    if filler:
        assert air.on.notes.card_seconds < 5
    else:
        assert air.on.notes.card_seconds > 5


@WAYS
async def test_a_server_that_hardly_sends_is_given_up(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """One byte a second keeps a connection open, but no programme: another copy takes its place within seconds."""
    fake.harm("drip", f"{PARTS}1/", rate=1)
    fake.switch(rate=0)
    async with broadcast(fake, folder, profile) as air:
        await air.watch(SLOT + 3)
    air.is_clean(tmp_path / "a.ts", profile)
    assert Failure.MISSING in air.on.notes.failures
    assert Step.COPY in air.on.notes.steps
    assert air.on.notes.card_seconds < 8


@WAYS
async def test_a_server_that_has_gone_and_comes_back(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """While it is away there is filler; its next film is on as planned."""
    async with broadcast(fake, folder, profile, again=True) as air:
        fake.stop_listening()
        await asyncio.gather(air.watch(2 * SLOT + 4), later(fake.listen_again, SLOT - 1))
    air.is_clean(tmp_path / "a.ts", profile)
    first, again = (each for each in air.on.notes.entries if each.segment.item == air.items["film"].key)
    assert first.outcome in {Outcome.FILLER, Outcome.CARD}
    assert again.setbacks == ()
    assert air.on.shelf.suspects == []
    assert air.on.notes.card_seconds < 6


@WAYS
async def test_a_file_that_is_replaced_in_mid_programme(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """The two are never glued together: what is there now is opened at the present place, under its new address."""
    number = fake.harm("cut", f"{PARTS}1/", after=some(folder))

    def replaced() -> None:
        newer = folder / "next.mkv"
        fake.heal(number)
        fake.switch(strict_parts=True)
        fake.replace_file(fake.find("Film")["key"], disk=str(newer), size=newer.stat().st_size)

    async with broadcast(fake, folder, profile, copy=False) as air:
        await asyncio.gather(air.watch(SLOT + 3), later(replaced))
    air.is_clean(tmp_path / "a.ts", profile)
    assert air.on.notes.failures == [Failure.KILLED]
    assert air.on.notes.steps == [Step.RETRY]
    assert air.entry("film").outcome in {Outcome.AIRED, Outcome.PARTLY}


@WAYS
async def test_an_item_that_is_removed_in_mid_programme(
    fake: Fake, folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """When its line breaks there is nothing to go on with: its copy plays from the same place."""
    fake.harm("cut", f"{PARTS}1/", after=some(folder))
    async with broadcast(fake, folder, profile) as air:
        await asyncio.gather(air.watch(SLOT + 3), later(lambda: fake.remove(fake.find("Film")["key"])))
    air.is_clean(tmp_path / "a.ts", profile)
    assert air.on.notes.failures == [Failure.MISSING]
    assert air.on.notes.steps == [Step.COPY]


async def test_many_feeds_are_read_at_the_same_time(fake: Fake, folder: Path) -> None:
    """Twelve encoders read twelve loans of one file through one gateway; none waits for another."""
    fake.switch(rate=0)
    async with remote(fake) as far, Processes(material.FFMPEG) as processes:
        (film,) = (item for item in await far.items() if item.title == "Film")
        catalogue = Catalogue.of([film])
        resolver = Resolver(lambda: catalogue, lambda _place: "", SpeedyClock(0))
        source = await resolver.resolve(key_of([film], "Film"))
        media = copyable.known(folder / "film.mkv")
        feeds = RemoteFeeds(Opened(processes), far.gateway, _no_probe)
        order = Order(replace(source, media=media), Span(0, 50), 0, ENCODE)
        opened = await asyncio.gather(*(feeds.open(order) for _ in range(12)))
        assert len(far.gateway.capabilities) == 12
        for feed in opened:
            assert feed.order.source.location == source.location
            await feed.close()
        assert len(far.gateway.capabilities) == 0
