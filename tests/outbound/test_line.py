"""Listening to a websocket of another server."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from exstream.errors import NotAllowed, NotThere, OutboundError, SignInNeeded, Unreachable
from exstream.outbound import line
from tests.outbound.wire import always, http, wire

pytestmark = pytest.mark.anyio

TOKEN = "canary-5c1e"
HEADERS = {"X-Plex-Token": TOKEN}


@asynccontextmanager
async def speaking(
    *said: str | bytes, status: int = 0, location: str = ""
) -> AsyncIterator[tuple[str, list[str]]]:
    """Run a server that says so much and hangs up, or refuses; give its address and the tokens it saw."""
    seen: list[str] = []

    def asked(connection: ServerConnection, request: Request) -> Response | None:
        seen.append(request.headers.get("X-Plex-Token", ""))
        if not status:
            return None
        answer = connection.respond(HTTPStatus(status), "no")
        if location:
            answer.headers["Location"] = location
        return answer

    async def told(connection: ServerConnection) -> None:
        for message in said:
            await connection.send(message)

    async with serve(told, "127.0.0.1", 0, process_request=asked) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}", seen


async def test_messages_come_one_by_one_until_the_line_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """Texts are given, bytes are not; the end is told; the token is in the handshake and in no log."""
    caplog.set_level(logging.DEBUG)
    heard: list[str] = []

    async def hear(address: str) -> None:
        async with line(f"{address}/", "/x?y=z", headers=HEADERS) as messages:
            async for message in messages:
                heard.append(message)  # noqa: PERF401 -- it ends by an error, what came before counts

    async with speaking("one", b"noise", "two") as (address, seen):
        with pytest.raises(Unreachable, match="closed the line"):
            await hear(address)
    assert heard == ["one", "two"]
    assert seen == [TOKEN]
    assert TOKEN not in "".join(
        record.getMessage() for record in caplog.records if "server" not in record.name
    )


async def test_what_was_heard_before_the_end_counts() -> None:
    """Each message is there when it comes, not when the line ends."""
    async with (
        speaking("one", "two") as (address, _),
        line(address, "/", headers=HEADERS) as messages,
    ):
        assert [await anext(messages), await anext(messages)] == ["one", "two"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, SignInNeeded), (403, NotAllowed), (404, NotThere), (503, Unreachable), (500, Unreachable)],
)
async def test_refusals_are_told_apart(status: int, error: type[OutboundError]) -> None:
    """A refused token, a user who may not, an address that is none, a server that cannot now."""
    async with speaking(status=status) as (address, _):
        with pytest.raises(error) as refused:
            async with line(address, "/", headers=HEADERS):
                pass
    assert type(refused.value) is error
    assert TOKEN not in str(refused.value)


async def test_it_is_led_nowhere() -> None:
    """The token is for one server: another one, to which it is led, never sees it."""
    async with speaking() as (other, seen), speaking(status=302, location=f"{other}/x") as (address, _):
        with pytest.raises(Unreachable, match="answers 302"):
            async with line(address, "/", headers=HEADERS):
                pass
    assert seen == []


async def test_nobody_there_and_another_program() -> None:
    """A closed port, a page instead of a line, and no address are told."""
    async with wire(always(http(200, b"hello"))) as address:
        with pytest.raises(Unreachable, match="opens no line"):
            async with line(address, "/", headers=HEADERS):
                pass
    with pytest.raises(Unreachable, match="cannot be reached"):
        async with line(address, "/", headers=HEADERS):
            pass
    with pytest.raises(OutboundError, match="no address of a server"):
        async with line("ftp://tv.example", "/", headers=HEADERS):
            pass
