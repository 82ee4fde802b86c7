"""Signing in at plex.tv on a stepped clock, the servers of an account, and the best way to each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from exstream.errors import (
    Busy,
    ConfigurationError,
    Misunderstood,
    NotThere,
    OutboundError,
    SignInNeeded,
    Unreachable,
)
from exstream.model.server import Server
from exstream.plex.account import Connection, Offered, addresses, read_account, read_servers, read_waiting
from exstream.plex.adoption import adopt
from exstream.plex.records import Identity
from exstream.plex.signin import SignIn, best_way
from tests.fakes import SteppedClock, turn

pytestmark = pytest.mark.anyio

CANARY = "canary-4kQzL9xWmT"
HEADERS = {
    "X-Plex-Client-Identifier": "11-22",
    "X-Plex-Product": "Exstream & Co",
    "X-Plex-Device-Name": "tower",
}
STARTS = 1_780_000_000_000


@dataclass
class FakePlexTv:
    """plex.tv without a network: a sign-in that ends after some questions, with what happens on the way."""

    clock: SteppedClock
    answers: list[Any] = field(default_factory=list)
    """What each question after the sign-in gets: a token, None for nobody yet, or an error."""
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def __call__(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        self.asked.append((self.clock.air() - STARTS / 1000, method, url))
        assert headers["X-Plex-Client-Identifier"] == "11-22"
        self.tokens.append(headers.get("X-Plex-Token", ""))
        answer = None if method == "POST" else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(
            {"id": 7001, "code": "abcdef", "expiresIn": 900, "trusted": False, "authToken": answer}
        ).encode()


async def _signed_in(*answers: Any, seconds: float = 1_000) -> tuple[FakePlexTv, asyncio.Task[str]]:
    clock = SteppedClock(STARTS)
    plex_tv = FakePlexTv(clock, list(answers))
    sign_in = SignIn(plex_tv, HEADERS, clock)
    pin = await sign_in.begin()
    waiting = asyncio.ensure_future(sign_in.wait(pin))
    await turn()
    await clock.step(seconds)
    return plex_tv, waiting


async def test_the_page_names_who_asks() -> None:
    """The address to open carries client, code and product, each escaped, and no token."""
    clock = SteppedClock(STARTS)
    pin = await SignIn(FakePlexTv(clock), HEADERS, clock).begin()
    assert pin.page == (
        "https://app.plex.tv/auth#?clientID=11-22&code=abcdef&context%5Bdevice%5D%5Bproduct%5D=Exstream%20%26%20Co"
        "&context%5Bdevice%5D%5BdeviceName%5D=tower"
    )
    assert pin.ends == STARTS / 1000 + 900


async def test_the_token_comes_when_the_user_has_signed_in() -> None:
    """The sign-in is asked about every two and a half seconds until it has a token."""
    plex_tv, waiting = await _signed_in(None, None, CANARY)
    assert await waiting == CANARY
    assert [(round(at, 1), method) for at, method, _ in plex_tv.asked] == [
        (0.0, "POST"),
        (2.5, "GET"),
        (5.0, "GET"),
        (7.5, "GET"),
    ]
    assert plex_tv.asked[0][2] == "https://plex.tv/api/v2/pins?strong=true"
    assert plex_tv.asked[1][2] == "https://plex.tv/api/v2/pins/7001"


async def test_a_refusal_for_haste_makes_it_slower_and_an_outage_is_waited_out() -> None:
    """Too many requests double the pause or take the time that is named; no answer is asked again; then all is well."""
    plex_tv, waiting = await _signed_in(Busy("slow", None), Busy("slow", 12.0), Unreachable("gone"), CANARY)
    assert await waiting == CANARY
    assert [round(at, 1) for at, _, _ in plex_tv.asked] == [0.0, 2.5, 7.5, 19.5, 43.5]


async def test_a_code_that_plex_tv_has_forgotten_ends_the_wait() -> None:
    """404 means that the code has expired: nobody waits for it any longer."""
    plex_tv, waiting = await _signed_in(None, NotThere("no pin"))
    with pytest.raises(SignInNeeded, match="for a new one"):
        await waiting
    assert len(plex_tv.asked) == 3


async def test_nobody_is_waited_for_longer_than_the_code_is_good() -> None:
    """After its lifetime the code is not asked about again: plex.tv would answer with a refusal for haste."""
    plex_tv, waiting = await _signed_in(*[None] * 1_000)
    with pytest.raises(SignInNeeded):
        await waiting
    assert 895 < plex_tv.asked[-1][0] < 900


async def test_what_the_token_may_do_is_asked_with_the_token_in_a_header() -> None:
    """Account and servers are asked for with the token in a header, never in the address; a bad token is told."""
    clock = SteppedClock(STARTS)
    plex_tv = FakePlexTv(clock, [SignInNeeded("no"), Unreachable("down")])
    sign_in = SignIn(plex_tv, HEADERS, clock)
    with pytest.raises(SignInNeeded):
        await sign_in.account(CANARY)
    with pytest.raises(Unreachable):
        await sign_in.servers(CANARY)
    assert plex_tv.tokens == [CANARY, CANARY]
    assert CANARY not in repr(plex_tv.asked)


def test_an_account_says_its_name() -> None:
    """The name of the user comes from JSON or XML; an answer without one is none."""
    assert read_account(b'{"username": "ada", "email": "ada@example.org"}').name == "ada"
    assert read_account(b'<user username="" title="Ada L." email="x"/>').name == "Ada L."
    with pytest.raises(Misunderstood):
        read_account(b"{}")


def test_a_waiting_sign_in_is_read_from_xml_too() -> None:
    """XML gives the same as JSON; an impossible lifetime falls back to a quarter of an hour."""
    pin = read_waiting(b'<pin id="7" code="xyz9" expiresIn="-4" authToken=""/>')
    assert (pin.id, pin.code, pin.lifetime, pin.token) == ("7", "xyz9", 900, "")
    for body in (b"", b"<html><body>sign in</body></html>", b'{"id": "../x", "code": "a"}', b"[]", b"{"):
        with pytest.raises(Misunderstood):
            read_waiting(body)


def _way(address: str, name: str, port: int, *, local: bool = False, relay: bool = False) -> dict[str, Any]:
    return {"address": address, "port": port, "uri": name, "local": local, "relay": relay}


RESOURCE: dict[str, Any] = {
    "name": "Tower",
    "product": "Plex Media Server",
    "device": "Docker Container",
    "productVersion": "1.41.9",
    "clientIdentifier": "m-1",
    "provides": "client,server",
    "owned": True,
    "accessToken": CANARY,
    "httpsRequired": False,
    "connections": [
        _way("5.6.7.8", "https://5-6-7-8.h.plex.direct:8443", 8443, relay=True),
        _way("1.2.3.4", "https://1-2-3-4.h.plex.direct:32400", 32400),
        _way("192.168.1.5", "https://192-168-1-5.h.plex.direct:32400", 32400, local=True),
        _way("fd00::5", "https://fd00--5.h.plex.direct:32400", 32400, local=True),
        _way("1.2.3.4", "http://1.2.3.4:32401", 32401),
        _way("x", "https://x", 0, local=True),
        _way("1.1.1.1", "javascript:alert(1)", 1),
        7,
    ],
}
_NEW_XML = (
    b'<resources><resource name="T" clientIdentifier="m-1" provides="server" owned="1" accessToken="tok" '
    b'httpsRequired="1"><connections><connection address="10.0.0.1" port="32400" uri="https://a.plex.direct" '
    b'local="1" relay="0"/><connection address="10.0.0.2" port="32400" uri="https://b.plex.direct" local="1" '
    b'relay="0"/></connections></resource></resources>'
)
_OLD_XML = (
    b'<MediaContainer size="1"><Device name="T" clientIdentifier="m-1" provides="server" owned="1" '
    b'accessToken="tok" httpsRequired="1"><Connection address="10.0.0.1" port="32400" '
    b'uri="https://a.plex.direct" local="1"/><Connection address="10.0.0.2" port="32400" '
    b'uri="https://b.plex.direct" local="1"/></Device></MediaContainer>'
)


def test_servers_are_told_from_players_and_bad_entries_left_out() -> None:
    """What provides a server counts, as a member of the list; broken entries spoil nothing; one's own come first."""
    shared = {
        **RESOURCE,
        "name": "A friend's",
        "clientIdentifier": "m-2",
        "owned": False,
        "sourceTitle": "bob",
    }
    others = [
        {**RESOURCE, "provides": "observer"},
        {**RESOURCE, "clientIdentifier": ""},
        {**RESOURCE, "clientIdentifier": "m-3", "accessToken": "two words"},
        None,
        "text",
    ]
    found = read_servers(json.dumps([shared, *others, RESOURCE]).encode())
    assert [(each.machine, each.owned, each.owner) for each in found] == [
        ("m-1", True, ""),
        ("m-2", False, "bob"),
    ]
    assert found[0].token == CANARY
    assert CANARY not in repr(found)


def test_addresses_come_in_the_order_of_their_worth() -> None:
    """One's own address, local ones with the bare one after the name, remote, relayed, unencrypted remote last."""
    [server] = read_servers(json.dumps([RESOURCE]).encode())
    assert addresses(server, ["http://tower:32400/"]) == [
        "http://tower:32400",
        "https://192-168-1-5.h.plex.direct:32400",
        "http://192.168.1.5:32400",
        "https://fd00--5.h.plex.direct:32400",
        "http://[fd00::5]:32400",
        "https://1-2-3-4.h.plex.direct:32400",
        "https://5-6-7-8.h.plex.direct:8443",
        "http://1.2.3.4:32401",
    ]
    [strict] = read_servers(json.dumps([{**RESOURCE, "httpsRequired": True}]).encode())
    assert "http://192.168.1.5:32400" not in addresses(strict)


@pytest.mark.parametrize("body", [_NEW_XML, _OLD_XML])
def test_both_forms_of_xml_list_the_same(body: bytes) -> None:
    """The newer and the older XML of the list give the same server with the same connections."""
    assert read_servers(body) == [
        Offered(
            "m-1",
            "T",
            "tok",
            owned=True,
            https_required=True,
            connections=(
                Connection("https://a.plex.direct", "10.0.0.1", 32400, local=True),
                Connection("https://b.plex.direct", "10.0.0.2", 32400, local=True),
            ),
        )
    ]


def _doors(**machines: str | Exception) -> Callable[[str], Awaitable[Identity]]:
    async def identify(address: str) -> Identity:
        await asyncio.sleep(0)
        answer = machines[address]
        if isinstance(answer, Exception):
            raise answer
        return Identity(answer, "1.41", name=f"name of {answer}")

    return identify


async def test_the_best_way_is_the_first_at_which_the_right_server_answers() -> None:
    """An address that fails or leads to another server is passed over, though a later one answered sooner."""
    identify = _doors(a=Unreachable("a is off"), b="m-2", c="m-1", d="m-1")
    reached = await best_way("m-1", ["a", "b", "c", "d"], identify)
    assert (reached.url, reached.identity.machine) == ("c", "m-1")


async def test_a_slow_address_that_is_not_needed_is_given_up() -> None:
    """Where the best address answers, the others are not waited for, and nothing goes on behind the back."""
    forever = asyncio.Event()
    ended: list[str] = []

    async def identify(address: str) -> Identity:
        if address == "slow":
            try:
                await forever.wait()
            finally:
                ended.append(address)
        return Identity("m-1", "1.41")

    async with asyncio.timeout(60):
        assert (await best_way("m-1", ["good", "slow"], identify)).url == "good"
    assert ended == ["slow"]


async def test_no_way_says_what_each_address_answers() -> None:
    """Where none leads to the server, the error has a line for each address."""
    identify = _doors(a=Unreachable("a is off"), b="m-2")
    with pytest.raises(Unreachable) as refused:
        await best_way("m-1", ["a", "b"], identify)
    assert str(refused.value).splitlines()[1:] == ["  a is off", "  b is another server"]
    with pytest.raises(Unreachable, match="names no address"):
        await best_way("m-1", [], identify)


@dataclass
class Kept:
    """Servers in memory."""

    rows: dict[str, Server] = field(default_factory=dict)
    writes: int = 0

    async def servers(self) -> list[Server]:
        return list(self.rows.values())

    async def keep_server(self, server: Server) -> None:
        self.rows[server.id] = server
        self.writes += 1


async def test_the_server_of_the_settings_is_taken_in() -> None:
    """The first start keeps it, the next one writes nothing, a new token or address changes it and adds no second."""
    kept, identify = Kept(), _doors(**{"http://a:1": "m-1", "http://b:2": "m-1"})
    first = await adopt("http://a:1/", "old", kept, identify)
    assert first == Server("m-1", "name of m-1", "http://a:1", "old", version="1.41")
    assert await adopt("http://a:1", "old", kept, identify) == first
    assert kept.writes == 1
    await adopt("http://b:2", "new", kept, identify)
    assert [(each.url, each.token) for each in kept.rows.values()] == [("http://b:2", "new")]
    assert (await adopt("http://a:1", "", kept, identify)).token == "new"


async def test_a_server_of_the_settings_needs_a_token_and_an_answer() -> None:
    """A new server without a token says what to set; one that does not answer is left to a later start."""
    machines: dict[str, str | Exception] = {"http://a:1": "m-1", "http://b:2": OutboundError("off")}
    kept, identify = Kept(), _doors(**machines)
    with pytest.raises(ConfigurationError, match="PLEX_TOKEN"):
        await adopt("http://a:1", "", kept, identify)
    with pytest.raises(OutboundError):
        await adopt("http://b:2", "token", kept, identify)
    assert kept.rows == {}
