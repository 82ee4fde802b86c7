"""One server asked: addresses, headers, portions, and what each refusal leads to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from exstream.errors import (
    Busy,
    Misunderstood,
    NotAllowed,
    NotThere,
    OutboundError,
    SignInNeeded,
    TooMuch,
    Unreachable,
)
from exstream.model.server import Server
from exstream.outbound import ONCE, Patience
from exstream.outbound.breaker import BreakerState
from exstream.plex.api import PlexServer, greeting
from exstream.plex.records import Identity, Kind
from tests.fakes import SteppedClock
from tests.outbound.wire import Request, http, wire
from tests.plex.recorded import as_json, as_xml

pytestmark = pytest.mark.anyio

TOKEN = "canary-91ab"
NOW = 1_800_000_000_000
Reply = Callable[[Request], bytes]


class Asked:
    """A server with so many films, in JSON or XML; ``harm`` answers first where it has something to say."""

    def __init__(self, films: int = 0, *, xml: bool = False) -> None:
        self.films = films
        self.write = as_xml if xml else as_json
        self.requests: list[Request] = []
        self.harm: Reply = lambda _request: b""

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests.append(request)
        writer.write(self.harm(request) or self._answer(request))

    def _answer(self, request: Request) -> bytes:
        headers, path = request.headers, request.path
        if path == "/identity":
            return http(200, self.write({"size": 0, "machineIdentifier": "m1", "version": "1.43"}))
        if path.startswith("/library/metadata/") and "x-plex-container-start" not in headers:
            keys = [int(key) for key in path.rpartition("/")[2].split(",")]
            return self._found([key for key in keys if key < self.films])
        start, size = int(headers["x-plex-container-start"]), int(headers["x-plex-container-size"])
        here = list(range(start, min(start + size, self.films)))
        return http(200, self.write(self._container(here, offset=start, totalSize=self.films)), "text/plain")

    def _found(self, keys: list[int]) -> bytes:
        return http(200, self.write(self._container(keys))) if keys else http(404, b"<html>", "text/html")

    def _container(self, keys: list[int], **more: int) -> dict[str, Any]:
        films = [{"ratingKey": str(key), "type": "movie", "title": f"Film {key}"} for key in keys]
        return {"size": len(keys), **more, **({"Metadata": films} if films else {})}


@asynccontextmanager
async def asking(
    asked: Asked, *, patience: Patience = ONCE, **options: Any
) -> AsyncIterator[tuple[PlexServer, SteppedClock]]:
    """Give a client of that server, on a clock that the test steps."""
    clock = SteppedClock(NOW)
    async with wire(asked) as address:
        server = Server("m1", "Attic", address, TOKEN)
        async with PlexServer(server, "installation-1", clock, patience=patience, **options) as client:
            yield client, clock


@pytest.mark.parametrize("xml", [False, True])
async def test_a_listing_is_asked_quietly_and_read_in_either_format(xml: bool) -> None:
    """Start and size go in headers, nothing is looked up or refreshed on the server; the log names the format."""
    asked = Asked(25, xml=xml)
    with capture_logs() as logs:
        async with asking(asked, page_size=10) as (client, _):
            pages = [page async for page in client.pages("3", Kind.MOVIE, filters={"addedAt>>": "17"})]
    assert [page.received for page in pages] == [10, 10, 5]
    assert {page.total for page in pages} == {25}
    assert [record.key for page in pages for record in page.records] == [str(key) for key in range(25)]
    first = asked.requests[0]
    assert first.path == "/library/sections/3/all"
    assert first.params.items() >= {
        *(("type", "1"), ("sort", "addedAt:asc"), ("addedAt>>", "17"), ("includeGuids", "1")),
        *(("checkFiles", "0"), ("skipRefresh", "1")),
    }
    assert "addedAt%3E%3E=17" in first.target
    assert [request.headers["x-plex-container-start"] for request in asked.requests] == ["0", "10", "20"]
    assert client.requests == 3
    assert {entry["format"] for entry in logs} == {"xml" if xml else "json"}


async def test_who_asks_stands_in_the_headers_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    """Token, installation and product are in headers; no address, log or error ever holds the token."""
    caplog.set_level(logging.DEBUG)
    asked = Asked(3)
    async with asking(asked) as (client, _):
        assert await client.identity() == Identity("m1", "1.43")
        await client.count("1", Kind.MOVIE)
        asked.harm = lambda _request: http(401, b"<html>", "text/html")
        with pytest.raises(SignInNeeded) as refused:
            await client.sections()
    for request in asked.requests:
        assert request.headers["x-plex-token"] == TOKEN
        assert request.headers["x-plex-client-identifier"] == "installation-1"
        assert request.headers["x-plex-product"] == "Exstream"
        assert request.headers["accept"] == "application/json"
        assert TOKEN not in request.target
    assert TOKEN not in caplog.text + str(refused.value) + repr(client.server)


@pytest.mark.parametrize("token", ["two words", "line\r\nbreak", "umläut", "nul\x00"])
def test_what_cannot_be_a_token_is_not_sent(token: str) -> None:
    """A token that would break a header asks for sign-in, and is not quoted."""
    with pytest.raises(SignInNeeded) as refused:
        greeting("installation-1", token)
    assert token not in str(refused.value)
    assert greeting("installation-1", device="Mühle\n")["X-Plex-Device-Name"] == "Mhle"


async def test_the_start_and_the_count_of_a_listing() -> None:
    """A listing goes on where it was left; to be counted it sends no entry."""
    asked = Asked(25)
    async with asking(asked) as (client, _):
        pages = [page async for page in client.pages("3", Kind.MOVIE, start=20)]
        assert [record.key for record in pages[0].records] == ["20", "21", "22", "23", "24"]
        assert await client.count("3", Kind.MOVIE) == 25
    assert asked.requests[-1].headers["x-plex-container-size"] == "0"


async def test_a_server_that_cannot_bear_a_page_is_asked_for_less() -> None:
    """Pages that fail are halved at once; the entry that fails alone is named; the rest comes."""

    def harm(request: Request) -> bytes:
        start = int(request.headers["x-plex-container-start"])
        size = int(request.headers["x-plex-container-size"])
        page = b"<html><head><title>Internal Server Error</title></head></html>"
        return http(500, page, "text/html") if start <= 13 < start + size else b""

    asked = Asked(40)
    asked.harm = harm
    async with asking(asked, page_size=16) as (client, _):
        pages = [page async for page in client.pages("3", Kind.MOVIE)]
        assert client.breaker.state is BreakerState.CLOSED
    assert len([record for page in pages for record in page.records]) == 39
    (fault,) = [fault for page in pages for fault in page.faults]
    assert fault.startswith("entry 13 was left out")


async def test_details_leave_out_what_is_gone_and_name_what_is_broken() -> None:
    """Asked in batches; dead ids are missing, a batch of dead ids is empty, one that fails is halved."""
    asked = Asked(30)

    def harm(request: Request) -> bytes:
        return http(500) if "7" in request.path.rpartition("/")[2].split(",") else b""

    asked.harm = harm
    async with asking(asked, batch=10) as (client, _):
        found = await client.details([str(key) for key in range(25, 45)])
        assert [record.key for record in found] == ["25", "26", "27", "28", "29"]
        assert len(asked.requests) == 2
        found = await client.details(["5", "6", "7", "8"])
        assert [(record.key, "stumbles" in record.fault) for record in found] == [
            ("5", False),
            ("6", False),
            ("7", True),
            ("8", False),
        ]
        assert await client.details([]) == []
    assert asked.requests[0].params.items() >= {("includeMarkers", "1"), ("includeChapters", "1")}


async def test_an_entry_without_a_key_makes_no_item_gone() -> None:
    """Where an entry of the details cannot be read, what did not come is told as broken, not as gone."""
    asked = Asked(30)
    entries = [{"ratingKey": "5", "type": "movie"}, {"type": "movie"}]
    asked.harm = lambda _request: http(200, as_json({"size": 2, "Metadata": entries}))
    async with asking(asked) as (client, _):
        found = await client.details(["5", "6", "7"])
    assert [(record.key, record.fault != "") for record in found] == [("5", False), ("6", True), ("7", True)]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (http(401), SignInNeeded, "exstream plex login"),
        (http(498), SignInNeeded, "exstream plex login"),
        (http(403), NotAllowed, "does not let this user"),
        (http(404), NotThere, "nothing there"),
        (http(429, Retry_After="7"), Busy, "too often"),
        (http(500), TooMuch, "stumbles"),
        (
            http(502, b"<html><title>nginx says no</title>", "text/html"),
            Unreachable,
            'proxy .*"nginx says no"',
        ),
        (
            http(503, b'<Response code="503" title="M" status="Running migrations."/>', "text/xml"),
            Busy,
            '"Running migrations."',
        ),
        (http(504), TooMuch, "did not want to wait"),
        (http(507), Unreachable, "trouble of its own"),
        (http(509), Busy, "bandwidth"),
        (http(400), Misunderstood, "not expected"),
        (http(200), Misunderstood, "empty"),
        (http(200, b"<html><title>Sign in</title>", "text/html"), Misunderstood, "page of a proxy"),
        (http(200, b'{"MediaContainer": {"size": 1, "Dire'), Misunderstood, "breaks off"),
        (http(200, b'{"MediaContainer": {}}'), Misunderstood, "which libraries"),
        (http(302, Location="https://elsewhere.example/"), Misunderstood, "another server"),
    ],
)
async def test_refusals_are_told_apart(answer: bytes, error: type[OutboundError], words: str) -> None:
    """Each status, and each body that is no answer, has its error and says what to do."""
    asked = Asked()
    asked.harm = lambda _request: answer
    async with asking(asked) as (client, _):
        with pytest.raises(error, match=words) as raised:
            await client.sections()
    assert type(raised.value) is error
    assert str(raised.value).startswith("http://127.0.0.1:")


async def test_maintenance_is_waited_for() -> None:
    """A server that names a time is asked again then, and answers."""
    asked = Asked(1)
    answers = [http(503, b"<Response status='x'/>", "text/xml", Retry_After="20"), b""]
    asked.harm = lambda _request: answers.pop(0)
    async with asking(asked, patience=Patience()) as (client, clock):
        waiting = asyncio.create_task(client.identity())
        while not clock.sleepers:
            await asyncio.sleep(0.01)
        await clock.step(19.0)
        assert not waiting.done()
        await clock.step(5.0)
        assert (await waiting).machine == "m1"
    assert len(asked.requests) == 2


async def test_a_refused_token_stops_the_storm() -> None:
    """After a 401 nothing is asked for a minute, then once; what needs no token is asked all the same."""
    asked = Asked(1)
    asked.harm = lambda request: b"" if request.path == "/identity" else http(401)
    async with asking(asked, patience=Patience()) as (client, clock):
        for _ in range(20):
            with pytest.raises(SignInNeeded):
                await client.count("1", Kind.MOVIE)
        assert len(asked.requests) == 1
        assert (await client.identity()).machine == "m1"
        with pytest.raises(SignInNeeded):
            await client.count("1", Kind.MOVIE)
        assert len(asked.requests) == 2
        await clock.step(60.0)
        asked.harm = lambda _request: b""
        assert await client.count("1", Kind.MOVIE) == 1
        assert client.breaker.state is BreakerState.CLOSED


async def test_a_server_that_is_down_is_left_alone() -> None:
    """After three failures in a row nobody asks until its rest is over; then one asks for all."""
    asked = Asked(1)
    asked.harm = lambda _request: http(502)
    async with asking(asked) as (client, clock):
        for _ in range(3):
            with pytest.raises(Unreachable):
                await client.sections()
        with pytest.raises(Busy, match="it is left alone for 5 s") as left:
            await client.sections()
        assert left.value.retry_after == pytest.approx(5.0)
        assert len(asked.requests) == 3
        await clock.step(5.0)
        asked.harm = lambda _request: b""
        assert (await client.identity()).machine == "m1"


async def test_groupings_and_leaves_have_their_own_addresses() -> None:
    """Collections, playlists, their members, and the episodes of a show are read to the end."""
    asked = Asked(5)
    async with asking(asked, page_size=3) as (client, _):
        for records in (
            await client.collections("2"),
            await client.playlists(),
            await client.members(Kind.COLLECTION, "8"),
            await client.members(Kind.PLAYLIST, "9"),
            await client.leaves("10"),
        ):
            assert [record.key for record in records] == ["0", "1", "2", "3", "4"]
    assert list(dict.fromkeys(request.path for request in asked.requests)) == [
        *("/library/sections/2/collections", "/playlists", "/library/collections/8/children"),
        *("/playlists/9/items", "/library/metadata/10/allLeaves"),
    ]


async def test_bytes_and_pictures() -> None:
    """A part is given from where it is wanted; refusals are told apart; a picture has to be one."""
    asked = Asked()
    async with asking(asked) as (client, _):
        asked.harm = lambda _request: http(206, b"cdef", "video/x-matroska", Content_Range="bytes 2-5/6")
        async with client.part("/library/parts/1/2/file.mkv", 2) as stretch:
            assert (stretch.status, stretch.headers["content-range"]) == (206, "bytes 2-5/6")
            assert b"".join([data async for data in stretch.bytes()]) == b"cdef"
        assert asked.requests[-1].headers["range"] == "bytes=2-"
        asked.harm = lambda _request: http(200, b"JFIF", "image/jpeg")
        picture = await client.artwork("/library/metadata/1/thumb/2")
        assert (picture.kind, picture.data) == ("image/jpeg", b"JFIF")
        asked.harm = lambda _request: http(200, b"<html>", "text/html")
        with pytest.raises(Misunderstood, match="no image"):
            await client.artwork("/library/metadata/1/thumb/2")
        sent = len(asked.requests)
        with pytest.raises(NotThere):
            await client.artwork("https://elsewhere.example/a.jpg")
        with pytest.raises(NotThere):
            await client.artwork("//elsewhere.example/a.jpg")
        with pytest.raises(NotThere):
            async with client.part("/:/prefs"):
                pass
        assert len(asked.requests) == sent


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, SignInNeeded), (403, NotAllowed), (404, NotThere), (503, Busy), (509, Busy), (500, Unreachable)],
)
async def test_a_file_that_is_not_given_says_why(status: int, error: type[OutboundError]) -> None:
    """The gateway learns whether to read the key again, to wait, or to do without."""
    asked = Asked()
    asked.harm = lambda _request: http(status, b"<html>", "text/html")
    async with asking(asked) as (client, _):
        with pytest.raises(error):
            async with client.part("/library/parts/1/2/file.mkv", 2):
                pass
        assert client.pool.streams == 0
        asked.harm = lambda _request: http(416)
        async with client.part("/library/parts/1/2/file.mkv", 99) as stretch:
            assert stretch.status == 416
