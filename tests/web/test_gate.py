"""The gates: socket addresses, host names and foreign pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from exstream.web.deps import WebOptions
from exstream.web.gate import NeighboursOnly
from tests.web.station import Station, station
from tests.web.wire import Reply, ask, served

pytestmark = pytest.mark.anyio


def configured(**options: Any) -> Station:
    """Make a station with these options."""
    made = station()
    made.parts = replace(made.parts, options=WebOptions(**options))
    return made


@pytest.mark.parametrize(("address", "status"), [("192.168.0.9", 200), ("203.0.113.9", 403), (None, 403)])
async def test_only_the_sockets_address_counts(address: str | None, status: int) -> None:
    """A stranger is told so in a sentence, even if it claims to be forwarded for a neighbour."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"x-forwarded-for", b"127.0.0.1"), (b"forwarded", b"for=127.0.0.1")],
        "client": (address, 1) if address else None,
    }
    await NeighboursOnly(PlainTextResponse("in"))(scope, receive, send)
    assert sent[0]["status"] == status
    assert (b"private networks" in sent[1]["body"]) == (status == 403)


@pytest.mark.parametrize("path", ["/", "/api/v1/channels", "/channel/seven", "/static/exstream.js"])
async def test_pages_do_not_answer_under_a_strangers_name(path: str) -> None:
    """A name of the Internet that was pointed here reads neither pages nor API."""
    async with served(station()) as ports:
        refused = await ask(ports.iptv, path, host="rebound.evil.example")
        allowed = await ask(ports.iptv, path, host="tv.lan")
    assert refused.status == 421
    assert "EXSTREAM_BASE_URL" in refused.text
    assert allowed.status == 200


async def test_the_configured_name_is_known() -> None:
    """The host of the base address may be a public one."""
    async with served(configured(base_url="https://tv.example.org/tv")) as ports:
        assert (await ask(ports.iptv, "/api/v1/channels", host="tv.example.org")).status == 200


async def test_players_may_use_any_name() -> None:
    """Playlists and streams are answered under whatever name a player knows."""
    async with served(station()) as ports:
        reply = await ask(ports.iptv, "/iptv/channels.m3u", host="television.example.org:1234")
    assert "http://television.example.org:1234/iptv/channel/seven.ts" in reply.text


async def _delete(station_: Station, **headers: str) -> Reply:
    async with served(station_) as ports:
        if "Origin" in headers:
            headers["Origin"] = headers["Origin"].format(port=ports.iptv)
        return await ask(ports.iptv, "/api/v1/sessions/9", method="DELETE", **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_a_foreign_page_changes_nothing(headers: dict[str, str]) -> None:
    """Unsafe requests that a browser sends from another site's page are refused."""
    reply = await _delete(station(), **headers)
    assert reply.status == 403


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://127.0.0.1:{port}"}, {"Sec_Fetch_Site": "same-origin"}]
)
async def test_programs_and_own_pages_may_change_things(headers: dict[str, str]) -> None:
    """A script without browser headers, and our own page, reach the API."""
    reply = await _delete(station(), **headers)
    assert reply.status == 404
    assert "session" in reply.text


async def test_every_answer_carries_the_security_headers() -> None:
    """Pages, API and refusals allow no foreign script, frame or guessing of types."""
    async with served(station()) as ports:
        for path in ("/", "/api/v1/channels", "/nothing", "/iptv/channels.m3u"):
            headers = (await ask(ports.iptv, path)).headers
            assert "default-src 'self'" in headers["content-security-policy"], path
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/tv/", "/"])
async def test_a_path_prefix_is_served_with_and_without_it(path: str) -> None:
    """Behind a proxy with a path, the page works whether the proxy strips the path or not, and links with it."""
    async with served(configured(base_url="https://tv.example.org/tv")) as ports:
        reply = await ask(ports.iptv, path)
        bare = await ask(ports.iptv, "/tv")
    assert reply.status == 200
    assert 'src="/tv/static/exstream.js' in reply.text
    assert "https://tv.example.org/tv/iptv/channels.m3u" in reply.text
    assert (bare.status, bare.headers["location"]) == (307, "/tv/")
