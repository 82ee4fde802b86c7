"""The double of plex.tv: PINs, the user, servers and their connections."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import httpx
import pytest

from load.plex_server import PlexServer

CLIENT = {"Accept": "application/json", "X-Plex-Client-Identifier": "me", "X-Plex-Product": "Exstream"}


@pytest.fixture
def outside(own: PlexServer) -> Iterator[httpx.Client]:
    """Yield a session at plex.tv."""
    own.set_plex_tv(pace=0)
    with httpx.Client(base_url=own.plex_tv, headers=CLIENT, trust_env=False) as client:
        yield client


def test_a_pin_gets_its_token_once_somebody_confirms_it(own: PlexServer, outside: httpx.Client) -> None:
    """201 with a code, no token; after the confirmation the token that counts at plex.tv alone."""
    made = outside.post("/api/v2/pins", params={"strong": "true"})
    pin = made.json()
    assert (made.status_code, pin["authToken"], pin["expiresIn"]) == (201, None, 899)
    assert len(pin["code"]) > 20
    assert outside.get(f"/api/v2/pins/{pin['id']}").json()["authToken"] is None
    assert own.do("pins")[0]["client"] == "me"
    own.approve(pin["code"])
    assert outside.get(f"/api/v2/pins/{pin['id']}").json()["authToken"] == own.account_token


def test_a_pin_runs_out(own: PlexServer, outside: httpx.Client) -> None:
    """Then it is 404 with error 1020, as one that never was."""
    pin = outside.post("/api/v2/pins").json()
    assert len(pin["code"]) == 4
    own.expire(pin["code"])
    for number in (pin["id"], 5):
        gone = outside.get(f"/api/v2/pins/{number}")
        assert (gone.status_code, gone.json()["errors"][0]["code"]) == (404, 1020)


def test_whoever_polls_too_fast_is_told_so(own: PlexServer, outside: httpx.Client) -> None:
    """429 with error 1003; and any request, if the test wants it."""
    pin = outside.post("/api/v2/pins").json()
    own.set_plex_tv(pace=60)
    assert outside.get(f"/api/v2/pins/{pin['id']}").status_code == 200
    fast = outside.get(f"/api/v2/pins/{pin['id']}")
    assert (fast.status_code, fast.json()["errors"][0]["code"]) == (429, 1003)
    own.set_plex_tv(pace=0, limited=1)
    limited = outside.get("/api/v2/user", headers={"X-Plex-Token": own.account_token})
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert outside.get("/api/v2/user", headers={"X-Plex-Token": own.account_token}).status_code == 200


def test_a_token_is_checked_with_the_user(own: PlexServer, outside: httpx.Client) -> None:
    """200 with who it is, or 401."""
    assert (
        outside.get("/api/v2/user", headers={"X-Plex-Token": own.account_token}).json()["username"] == "owner"
    )
    assert outside.get("/api/v2/user", headers={"X-Plex-Token": own.token}).status_code == 401
    assert outside.get("/api/v2/pins", headers={"X-Plex-Token": own.token}).status_code == 404


def test_servers_are_listed_with_their_connections(own: PlexServer, outside: httpx.Client) -> None:
    """One leads nowhere, one to another server, one to the right one, two outside; a player is no server."""
    token = {"X-Plex-Token": own.account_token}
    server, player = outside.get("/api/v2/resources", headers=token).json()
    assert (server["clientIdentifier"], server["accessToken"], server["provides"]) == (
        own.machine,
        own.token,
        "server",
    )
    assert "server" not in player["provides"]
    dead, wrong, right, remote, relay = (way["uri"] for way in server["connections"])
    with pytest.raises(httpx.ConnectError):
        outside.get(f"{dead}/identity")
    assert outside.get(f"{wrong}/identity").json()["MediaContainer"]["machineIdentifier"] == "another-machine"
    assert right == own.url
    assert outside.get(f"{right}/identity").json()["MediaContainer"]["machineIdentifier"] == own.machine
    assert [(way["local"], way["relay"]) for way in server["connections"][3:]] == [
        (False, False),
        (False, True),
    ]
    assert remote.startswith("https")
    assert relay.startswith("https")
    root = ET.fromstring(outside.get("/api/v2/resources", headers=token | {"Accept": "*/*"}).content)
    assert len(root.findall("resource/connections/connection")) == 5
    own.set_plex_tv(resources=[])
    assert outside.get("/api/v2/resources", headers=token).json() == []
