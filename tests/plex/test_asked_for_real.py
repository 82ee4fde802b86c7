"""A whole server in a process of its own, asked for everything, and harmed in every way it can be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from exstream.clock import SystemClock
from exstream.errors import Misunderstood, OutboundError, SignInNeeded, TooMuch, Unreachable
from exstream.jobs.sync.ports import PlexAsking
from exstream.model.server import Server
from exstream.outbound import ONCE, PAGE, Call, Patience
from exstream.plex.api import PlexServer
from exstream.plex.records import LIST_TYPES, Happening, Kind, Record
from load.plex_server import PlexServer as Fake
from load.plex_server import running_plex_server

pytestmark = pytest.mark.anyio

LEVELS = {
    Kind.MOVIE: (Kind.MOVIE,),
    Kind.SHOW: (Kind.SHOW, Kind.SEASON, Kind.EPISODE),
    Kind.ARTIST: (Kind.ARTIST, Kind.ALBUM, Kind.TRACK),
}
SHORT = Call(1.0, 1.0)


@pytest.fixture(scope="module")
def running() -> Iterator[Fake]:
    """Run the server once for all."""
    with running_plex_server() as fake:
        yield fake


@pytest.fixture
def fake(running: Fake) -> Fake:
    """Return the server, unharmed."""
    running.heal()
    running.switch(always_xml=False, page_limit=0, count_by=0, hoisting=False)
    running.reset_counts()
    return running


@asynccontextmanager
async def asking(
    fake: Fake, *, token: str = "", patience: Patience = ONCE, **options: Any
) -> AsyncIterator[PlexServer]:
    """Give a client of it that does not wait long."""
    server = Server(fake.machine, "Fake", fake.url, token or fake.token)
    async with PlexServer(server, "installation-1", SystemClock(), patience=patience, **options) as client:
        yield client


async def everything(client: PlexAsking) -> list[Record]:
    """Return every entry of every library with its details, every grouping and its members."""
    found: list[Record] = []
    for section in await client.sections():
        for kind in LEVELS.get(section.kind, ()):
            listed: list[Record] = []
            async for page in client.pages(section.key, kind):
                assert page.faults == ()
                listed += page.records
            assert len(listed) == await client.count(section.key, kind)
            found += listed
            found += await client.details([record.key for record in listed])
        for collection in await client.collections(section.key):
            found += [collection, *await client.members(Kind.COLLECTION, collection.key)]
    for playlist in await client.playlists():
        found += [playlist, *await client.members(Kind.PLAYLIST, playlist.key)]
    return found


async def test_everything_is_the_same_in_both_formats_and_in_small_portions(fake: Fake) -> None:
    """JSON and XML, pages of 500 and of 3, a server that gives two at a time: the same records in the same order."""
    async with asking(fake) as client:
        expected = await everything(client)
    assert {record.kind for record in expected} >= {*LIST_TYPES, Kind.PLAYLIST}
    async with asking(fake, page_size=3, batch=2) as client:
        assert await everything(client) == expected
    fake.switch(page_limit=2)
    async with asking(fake) as client:
        assert await everything(client) == expected
    fake.switch(page_limit=0, always_xml=True)
    async with asking(fake) as client:
        assert await everything(client) == expected


async def test_the_token_is_in_no_address_that_is_asked(fake: Fake) -> None:
    """Of all requests none has it in its path or query; all have it in a header."""
    async with asking(fake) as client:
        await everything(client)
        assert client.requests == fake.requests
    assert all(fake.token not in f"{asked['path']}?{asked['query']}" for asked in fake.asked())


async def test_one_broken_entry_is_left_out_and_named(fake: Fake) -> None:
    """A page that holds it fails, however small; all others come."""
    fake.harm("status", "/library/sections/2/all", status=500, covers=7)
    async with asking(fake, page_size=8) as client:
        pages = [page async for page in client.pages("2", Kind.EPISODE)]
        total = await client.count("2", Kind.EPISODE)
    assert sum(len(page.records) for page in pages) == total - 1
    (fault,) = [fault for page in pages for fault in page.faults]
    assert fault.startswith("entry 7 was left out")


async def test_every_harm_is_an_error_of_its_own(fake: Fake) -> None:
    """Bombs, depth, halves, login pages, maintenance, silence and resets: none of them passes for a listing."""
    harms: list[tuple[type[OutboundError], str, dict[str, Any]]] = [
        (Misunderstood, "gzip_bomb", {"size": 200_000_000}),
        (Misunderstood, "deep", {"size": 100_000}),
        (Misunderstood, "shorten", {"after": 90}),
        (Misunderstood, "status", {"status": 200, "body": "", "content_type": "application/json"}),
        (Unreachable, "status", {"status": 503}),
        (Unreachable, "reset", {"after": 50}),
        (Unreachable, "cut", {"after": 50}),
        (TooMuch, "hang", {"seconds": 5.0}),
        (TooMuch, "drip", {"rate": 20}),
    ]
    for error, kind, rule in harms:
        number = fake.harm(kind, "/library/sections/1/all", **rule)
        waits = SHORT if error is TooMuch else PAGE
        async with asking(fake, page_size=1, page_call=waits) as client:
            with pytest.raises(error) as raised:
                async for _ in client.pages("1", Kind.MOVIE):
                    pass
        assert fake.token not in str(raised.value), kind
        fake.heal(number)
    fake.login_page("/library/sections/1/all")
    async with asking(fake) as client:
        with pytest.raises(Misunderstood, match='another program, "Sign in"'):
            await client.count("1", Kind.MOVIE)


async def test_values_of_other_types_are_read_all_the_same(fake: Fake) -> None:
    """Numbers as texts and texts as numbers spoil nothing."""
    async with asking(fake) as client:
        (expected,) = [page async for page in client.pages("2", Kind.EPISODE)]
        number = fake.harm("wrong_types", "/library/sections/2/all")
        (found,) = [page async for page in client.pages("2", Kind.EPISODE)]
    assert fake.hits(number) == 1
    assert found.records == expected.records


async def test_a_count_that_is_too_high_is_found_out(fake: Fake) -> None:
    """A server that promises more than it has is misunderstood: what is missing is not gone."""
    fake.switch(count_by=3)
    async with asking(fake) as client:
        with pytest.raises(Misunderstood, match="and gives none after"):
            async for _ in client.pages("1", Kind.MOVIE):
                pass


async def test_a_restart_is_waited_out(fake: Fake) -> None:
    """A server that is away for a moment is asked again and answers; a refused token is not asked again."""
    fake.maintenance("/library/sections", times=2)
    async with asking(fake, patience=Patience(first=0.1)) as client:
        assert len(await client.sections()) >= 4
        assert client.requests == 3
    async with asking(fake, token="nobody-knows-this", patience=Patience()) as client:
        for _ in range(3):
            with pytest.raises(SignInNeeded):
                await client.sections()
        assert client.requests == 1


async def test_what_happens_is_told_and_a_cut_line_is_opened_again(fake: Fake) -> None:
    """A change and a deletion arrive; that the line was cut is said, and that it is up again."""
    async with asking(fake) as client, aclosing(client.notices()) as notices, asyncio.timeout(60):
        assert (await anext(notices)).kind is Happening.CONNECTED
        entry = {"identifier": "com.plexapp.plugins.library", "sectionID": 1, "itemID": 5, "type": 1}
        fake.tell("timeline", TimelineEntry=[{**entry, "state": 5}, {**entry, "state": 9}])
        told = [await anext(notices), await anext(notices)]
        assert [(notice.kind, notice.item, notice.section) for notice in told] == [
            *((Happening.CHANGED, "5", "1"), (Happening.DELETED, "5", "1"))
        ]
        fake.cut_lines()
        assert [(await anext(notices)).kind, (await anext(notices)).kind] == [
            *(Happening.LOST, Happening.CONNECTED)
        ]
