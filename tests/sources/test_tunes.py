"""What a tune costs: the bytes of its file, asked for with the token of the server that has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from exstream.clock import SystemClock
from exstream.ffmpeg.process import Processes
from exstream.model.catalogue import Catalogue, Media
from exstream.model.grid import Span
from exstream.model.programme import Order
from exstream.model.server import Server
from exstream.outbound import ONCE
from exstream.plex.api import PlexServer
from exstream.sources.gateway import Gateway
from exstream.sources.remote_feeds import RemoteFeeds
from exstream.sources.resolver import Resolver
from exstream.sources.switchboard import Switchboard
from load.plex_server import MediaFile, running_plex_server, small_library
from load.plex_server import PlexServer as Fake
from tests import copyable, material
from tests.playout.studio import Opened
from tests.sources.remote import Counted, bytes_of, remote

pytestmark = pytest.mark.anyio


@contextmanager
def serving(folder: Path, machine: str) -> Iterator[Fake]:
    """Run a server that has one film."""
    film = MediaFile("film.mkv", 2_000, title="Film")
    with running_plex_server(small_library(folder, [film]), machine=machine) as fake:
        yield fake


async def test_a_later_tune_asks_for_bytes_alone(tmp_path: Path) -> None:
    """Once a film was on, neither where it lies nor what is in it is asked of its server or looked up again."""
    copyable.make(tmp_path, "film.mkv", 2, recipe="plain.mkv")
    with serving(tmp_path, "m-one") as fake:
        async with remote(fake) as far, Processes(material.FFMPEG) as processes:
            (film,) = await far.items()
            catalogue, looks = Catalogue.of([film]), list[bool]()
            resolver = Resolver(lambda: catalogue, lambda _place: "", SystemClock(), looks.append)
            feeds = RemoteFeeds(Opened(processes), far.gateway, _unprobed)
            media = copyable.known(tmp_path / "film.mkv")
            for expected in (False, True):
                fake.reset_counts()
                source = replace(await resolver.resolve(film.key), media=media)
                feed = await feeds.open(Order(source, Span(0, 25), 0, material.SMALL))
                assert len(far.gateway.capabilities) == 1
                await feed.close()
                assert looks.pop() is expected
                asked = {each["path"] for each in fake.asked()}
                assert asked == {film.versions[0].parts[0].key}


async def _unprobed(location: str) -> Media:
    raise AssertionError(location)


def token_of(fake: Fake) -> str:
    """Return the token of one server."""
    return f"token-of-{fake.machine}"


@asynccontextmanager
async def gateway_to(*fakes: Fake) -> AsyncIterator[Gateway]:
    """Connect several servers to one gateway, each with a token that no other accepts."""
    clock = SystemClock()
    switchboard = Switchboard(lambda each: PlexServer(each, "installation-1", clock, patience=ONCE))
    async with AsyncExitStack() as stack:
        for fake in fakes:
            fake.refuse(fake.token)
            fake.allow(token_of(fake))
            server = Server(fake.machine, fake.machine, fake.url, token_of(fake))
            await stack.enter_async_context(switchboard.connect(server))
        yield Gateway(switchboard.of, clock, "http://127.0.0.1:1", Counted())


async def test_each_server_is_asked_for_its_own_files_with_its_own_token(tmp_path: Path) -> None:
    """Two servers have a file at one address: each gives its own, for its own token, and never sees the other's."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    contents = [bytes_of(folder / "film.mkv", 10_000) for folder in folders]
    with serving(folders[0], "m-one") as one, serving(folders[1], "m-two") as two:
        (address,) = {fake.find("Film")["parts"][0]["key"] for fake in (one, two)}
        async with gateway_to(one, two) as gateway:
            for fake, content in zip((one, two), contents, strict=True):
                loan = gateway.lend(f"plex://{fake.machine}{address}")
                delivery = await gateway.open(loan, 0, None)
                assert b"".join([piece async for piece in delivery.bytes()]) == content
                await gateway.take_back(loan)
        for fake in (one, two):
            (asked,) = (each for each in fake.asked() if each["path"] == address)
            assert asked["headers"]["x-plex-token"] == token_of(fake)
