"""What goes out to other servers: every way it can go wrong has an error that says what to do."""

from __future__ import annotations

import socket
import threading

import pytest

from exstream.errors import OutboundError, Unreachable
from exstream.outbound import incoming
from tests.servers import led_to, promised, said, streamed, web_server

pytestmark = pytest.mark.anyio


async def read(url: str, silence: float = 5.0) -> bytes:
    async with incoming(url, silence=silence) as answer:
        return b"".join([data async for data in answer.bytes()])


async def test_an_answer_is_read_as_it_comes() -> None:
    """Its bytes, its kind and its length are given, an answer without an end has none."""
    with web_server({"/a": streamed(b"abc" * 100_000), "/b": said(200, "hello")}) as address:
        assert await read(f"{address}/a") == b"abc" * 100_000
        async with incoming(f"{address}/a") as endless, incoming(f"{address}/b") as short:
            assert (endless.kind, endless.length) == ("video/mp2t", None)
            assert (short.kind, short.length) == ("text/plain", 6)


async def test_a_redirection_is_followed_but_not_for_ever() -> None:
    """One redirection leads to the answer; a circle of them is told."""
    with web_server({"/a": led_to("/b"), "/b": streamed(b"here"), "/c": led_to("/c")}) as address:
        assert await read(f"{address}/a") == b"here"
        with pytest.raises(OutboundError, match="leads from one address to the next"):
            await read(f"{address}/c")


@pytest.mark.parametrize(("status", "error"), [(404, OutboundError), (503, Unreachable)])
async def test_a_refusal_says_what_the_server_said(status: int, error: type[OutboundError]) -> None:
    """A refusal carries the status and the server's sentence; a server that cannot now is worth another try."""
    with (
        web_server({"/x": said(status, "There is a reason.")}) as address,
        pytest.raises(OutboundError, match=f"answers {status} .*: There is a reason.") as refused,
    ):
        await read(f"{address}/x")
    assert type(refused.value) is error


async def test_a_refusal_without_a_sentence_is_explained() -> None:
    """Where the server says nothing of its own, what the status means is told; a tuner's own error comes first."""
    tuner = {"X-HDHomeRun-Error": "801 Unknown Channel"}
    pages = {
        "/page": said(404, "<html>", "text/html"),
        "/tuner": said(404, "", headers=tuner),
        "/odd": said(499, ""),
    }
    with web_server(pages) as address:
        for path, reason in (
            ("/page", "404 Not Found: Nothing matches the given URI"),
            ("/tuner", "404 Not Found: 801 Unknown Channel"),
            ("/odd", "499"),
        ):
            with pytest.raises(OutboundError) as refused:
                await read(address + path)
            assert str(refused.value) == f"{address}{path} answers {reason}"


async def test_nobody_there_is_unreachable() -> None:
    """A port where nobody listens, and a name that nobody has, are unreachable."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="cannot be reached"):
            await read(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    with pytest.raises(OutboundError, match="no address of a server"):
        await read("nonsense")


async def test_an_answer_that_stops_is_told() -> None:
    """Silence and a broken promise are told apart."""
    hold = threading.Event()
    pages = {"/silent": streamed(b"a", hold=hold), "/short": promised(b"a", 10)}
    with web_server(pages) as address:
        with pytest.raises(Unreachable, match=r"stopped: nothing came for 0\.2 s"):
            await read(f"{address}/silent", silence=0.2)
        hold.set()
        with pytest.raises(Unreachable, match="broke off"):
            await read(f"{address}/short")
