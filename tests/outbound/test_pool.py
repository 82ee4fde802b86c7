"""Connections to one server: what they may bring, where they lead, and what is said when they fail."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exstream.errors import Misunderstood, OutboundError, TooMuch, Unreachable
from exstream.outbound import Call, Pool
from tests.fakes import until
from tests.outbound.wire import Reply, Request, always, certificate, http, wire

pytestmark = pytest.mark.anyio

TOKEN = "canary-7f3a"


PATIENT = Call(60.0, 60.0)
"""Longer than anything takes that is answered."""


async def failed(reply: Reply, call: Call = PATIENT) -> OutboundError:
    """Return what is raised where a server says so much."""
    async with wire(reply) as address, connected(address) as pool:
        with pytest.raises(OutboundError) as raised:
            await pool.get("/here", {"a": "b"}, call=call)
    assert TOKEN not in str(raised.value)
    return raised.value


@asynccontextmanager
async def connected(address: str, *, at_once: int = 3, verify: bool = True) -> AsyncIterator[Pool]:
    """Give a pool with a token in its headers, closed at the end."""
    pool = Pool(address, headers={"X-Plex-Token": TOKEN}, at_once=at_once, verify=verify)
    try:
        yield pool
    finally:
        await pool.aclose()


async def test_an_answer_has_status_headers_and_body_unpacked() -> None:
    """Every status is given; a packed body is unpacked; headers and parameters arrive as they were written."""
    asked: list[Request] = []

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        writer.write(http(404, gzip.compress(b"hello"), Content_Encoding="gzip"))

    async with wire(reply) as address, connected(address) as pool:
        answer = await pool.get("/a b", {"addedAt>>": "17"}, headers={"X-Start": "5"})
    assert (answer.status, answer.body, answer.kind) == (404, b"hello", "application/json")
    (request,) = asked
    assert request.target == "/a%20b?addedAt%3E%3E=17"
    assert (request.headers["x-plex-token"], request.headers["x-start"]) == (TOKEN, "5")
    assert request.headers["accept-encoding"] == "gzip"


async def test_connections_are_kept() -> None:
    """Ten questions one after the other go over one connection."""
    peers: set[object] = set()

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        writer.write(http(200, b"{}"))

    async with wire(reply) as address, connected(address) as pool:
        for _ in range(10):
            await pool.get("/")
    assert len(peers) == 1


async def test_few_are_asked_at_once_and_streams_do_not_wait() -> None:
    """Of seven questions two are on their way, the others wait; a stream passes them; afterwards nobody is counted."""
    gate = asyncio.Event()
    running: list[int] = []
    most = 0

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        if request.path == "/file":
            writer.write(http(206, b"bytes"))
            return
        running.append(1)
        most = max(most, len(running))
        await gate.wait()
        running.pop()
        writer.write(http(200, b"{}"))

    async with wire(reply) as address, connected(address, at_once=2) as pool, asyncio.TaskGroup() as group:
        for _ in range(7):
            group.create_task(pool.get("/"))
        await until(lambda: len(running) == 2)
        assert (pool.in_use, pool.waiting) == (2, 5)
        async with pool.open_range("/file") as stretch:
            assert pool.streams == 1
            assert b"".join([data async for data in stretch.bytes()]) == b"bytes"
        gate.set()
    assert most == 2
    assert (pool.in_use, pool.waiting, pool.streams) == (0, 0, 0)


async def test_a_bomb_is_not_unpacked() -> None:
    """A small packed answer that becomes a huge one ends at the limit, as does one that is huge unpacked."""
    bomb = gzip.compress(b"\0" * 20_000_000)
    assert len(bomb) < 100_000
    small = Call(60.0, 60.0, most=1024 * 1024)
    for body, headers in ((bomb, {"Content_Encoding": "gzip"}), (b"x" * 1_100_000, {})):
        fault = await failed(always(http(200, body, **headers)), small)
        assert isinstance(fault, Misunderstood)
        assert "more than 1 MiB" in str(fault)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (http(200, b"nonsense", Content_Encoding="gzip"), Misunderstood, "cannot be unpacked"),
        (http(200, gzip.compress(b"x" * 99)[:-9], Content_Encoding="gzip"), Misunderstood, "without its end"),
        (http(200, b"x", Content_Encoding="br"), Misunderstood, "not asked for: br"),
        (b"220 mail.example ESMTP\r\n", Unreachable, "broke off"),
        (
            http(302, Location="http://other.example/x"),
            Misunderstood,
            "another server, http://other.example:",
        ),
        (http(302, Location="https://127.0.0.1/x"), Misunderstood, "another server, https://127.0.0.1:"),
        (http(302, Location="/here?a=b"), Misunderstood, "leads from one address to the next"),
    ],
)
async def test_answers_that_are_none_are_told(said: bytes, error: type[OutboundError], words: str) -> None:
    """Badly packed, unpackable, of another protocol, leading elsewhere: each has a sentence of its own."""
    fault = await failed(always(said, close=True))
    assert type(fault) is error
    assert words in str(fault)


async def test_a_redirection_within_the_server_is_followed() -> None:
    """The answer is that of the address it leads to, the token goes with it."""
    asked: list[Request] = []

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        writer.write(http(200, b"there") if request.path == "/new" else http(301, Location="/new"))

    async with wire(reply) as address, connected(address) as pool:
        assert (await pool.get("/old")).body == b"there"
    assert [request.headers["x-plex-token"] for request in asked] == [TOKEN, TOKEN]


async def test_half_an_answer_is_unreachable() -> None:
    """A connection that ends within an answer is told, with what was promised."""

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, b"x" * 100)[:-50])
        writer.close()

    assert isinstance(await failed(reply), Unreachable)
    assert "broke off" in str(await failed(reply))


async def test_silence_and_dripping_are_too_much() -> None:
    """A server that says nothing, and one that says a byte now and then for ever, are left after their time."""

    async def silent(_request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async def dripping(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, b"x" * 1000)[:-1000])
        for _ in range(200):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    for reply, call, words in (
        (silent, Call(0.2, 60.0), "within 0.2 s"),
        (dripping, Call(60.0, 0.4), "did not answer whole within 0.4 s"),
    ):
        fault = await failed(reply, call)
        assert isinstance(fault, TooMuch)
        assert words in str(fault)


async def test_bytes_of_a_file_are_asked_from_where_they_are_wanted() -> None:
    """The range is in the request, unpacked bytes and every status come back, silence and a cut are told apart."""

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        assert request.headers["accept-encoding"] == "identity"
        wanted = request.headers["range"]
        if wanted == "bytes=99-":
            writer.write(http(416))
        elif wanted == "bytes=2-3":
            writer.write(http(206, b"cd", Content_Range="bytes 2-3/6"))
        elif wanted == "bytes=4-":
            writer.write(http(206, b"ef")[:-1])
            writer.close()
        else:
            writer.write(http(206, b"abcdef")[:-1])

    async with wire(reply) as address, connected(address) as pool:
        async with pool.open_range("/f", 2, 3) as stretch:
            assert (stretch.status, stretch.headers["content-range"]) == (206, "bytes 2-3/6")
            assert [data async for data in stretch.bytes()] == [b"cd"]
        async with pool.open_range("/f", 99) as stretch:
            assert stretch.status == 416
        with pytest.raises(Unreachable, match="broke off"):
            async with pool.open_range("/f", 4) as stretch:
                assert [data async for data in stretch.bytes()] == [b"e"]
        with pytest.raises(Unreachable, match=r"nothing came for 0\.2 s"):
            async with pool.open_range("/f", silence=0.2) as stretch:
                assert [data async for data in stretch.bytes()] == [b"abcde"]
    assert pool.streams == 0


async def test_a_certificate_that_nobody_signed_says_so(tmp_path: Path) -> None:
    """The sentence names the reason and the way out, which is then open."""
    async with wire(always(http(200, b"{}")), certificate(tmp_path, "tv.example")) as address:
        async with connected(address) as pool:
            with pytest.raises(Unreachable, match="signed by nobody but itself") as raised:
                await pool.get("/")
            assert "switch the check of certificates off" in str(raised.value)
        async with connected(address, verify=False) as pool:
            assert (await pool.get("/")).body == b"{}"


@pytest.mark.parametrize(
    ("name", "days", "words"),
    [
        ("tv.example", 2, "the certificate is for another name: localhost is not in it"),
        ("localhost", -2, "the certificate has expired"),
    ],
)
async def test_a_certificate_that_is_refused_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, days: int, words: str
) -> None:
    """One that is trusted but for another name, or over, is told from one that is not trusted."""
    tls = certificate(tmp_path, name, days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "chain.pem"))
    async with (
        wire(always(http(200)), tls) as address,
        connected(address.replace("127.0.0.1", "localhost")) as pool,
    ):
        with pytest.raises(Unreachable, match=words):
            await pool.get("/")


async def test_tls_where_there_is_none_says_so() -> None:
    """An address with https:// where plain HTTP is spoken names the way out."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connected(f"https://127.0.0.1:{port}") as pool:
            with pytest.raises(Unreachable, match=r"try the address with http://"):
                await pool.get("/", call=PATIENT)


async def test_nobody_there_and_no_address() -> None:
    """A refused connection is unreachable; what is no address is said, without the password in it."""
    async with wire(always(b"")) as address:
        pass
    async with connected(address) as pool:
        with pytest.raises(Unreachable, match="cannot be reached"):
            await pool.get("/")
    async with connected("ftp://me:secret@tv.example") as pool:
        with pytest.raises(OutboundError, match=r"ftp://tv\.example is no address of a server") as raised:
            await pool.get("/")
    assert "secret" not in str(raised.value)


async def test_the_token_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """With every log at its loudest, good answers and faults show no header."""
    caplog.set_level(logging.DEBUG)
    async with wire(always(http(200, b"{}"))) as address, connected(address) as pool:
        await pool.get("/a")
        async with pool.open_range("/b") as stretch:
            assert stretch.status == 200
    async with connected(address) as pool:
        with pytest.raises(Unreachable):
            await pool.get("/c")
    assert caplog.records
    assert TOKEN not in caplog.text
