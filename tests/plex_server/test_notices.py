"""What the server tells to those who listen."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from load.plex_server import PlexServer
from tests.plex_server.asking import session


def _line(plex: PlexServer, filters: str = "", token: str | None = None) -> ClientConnection:
    address = f"{plex.url.replace('http', 'ws')}/:/websockets/notifications?filters={filters}"
    return connect(
        address, additional_headers={"X-Plex-Token": plex.token if token is None else token}, proxy=None
    )


@pytest.fixture
def line(own: PlexServer) -> Iterator[ClientConnection]:
    """Yield a line on which everything is told."""
    with _line(own) as opened:
        yield opened


def _told(line: ClientConnection) -> dict[str, Any]:
    container: dict[str, Any] = json.loads(line.recv(timeout=5))["NotificationContainer"]
    return container


def test_a_new_episode_is_told_from_its_creation_to_a_burst_of_processing(
    own: PlexServer, line: ClientConnection
) -> None:
    """State 0, then state 5 several times, with the keys of what is above it."""
    key = own.add("episode", "New", under=21, index=9, versions=[{}])
    (first, *burst) = [_told(line)["TimelineEntry"][0] for _ in range(4)]
    assert (first["state"], first["metadataState"], first["itemID"], first["type"]) == (
        0,
        "created",
        str(key),
        4,
    )
    assert (first["parentItemID"], first["rootItemID"], first["sectionID"]) == ("21", "16", "2")
    assert [entry["state"] for entry in burst] == [5, 5, 5]


def test_a_change_is_a_burst_and_a_removal_is_state_9(own: PlexServer, line: ClientConnection) -> None:
    """Nothing but absence and this tells that an entry is gone."""
    own.change(1, title="Edited")
    assert [_told(line)["TimelineEntry"][0]["state"] for _ in range(3)] == [5, 5, 5]
    own.remove(1)
    gone = _told(line)["TimelineEntry"][0]
    assert (gone["state"], gone["metadataState"], gone["itemID"]) == (9, "deleted", "1")


def test_a_scan_is_an_activity_from_start_to_end(own: PlexServer, line: ClientConnection) -> None:
    """Started, updated and ended, with one identifier and the library it is about."""
    with session(own) as client:
        client.get("/library/sections/2/refresh")
    rows = [_told(line)["ActivityNotification"][0] for _ in range(3)]
    assert [row["event"] for row in rows] == ["started", "updated", "ended"]
    assert len({row["uuid"] for row in rows}) == 1
    assert rows[0]["Activity"]["Context"] == {"librarySectionID": "2"}


def test_only_what_is_asked_for_is_told(own: PlexServer) -> None:
    """Filters name the kinds that are wanted."""
    with _line(own, "activity") as line, session(own) as client:
        own.change(1, title="Edited")
        client.put("/library/metadata/1/refresh")
        assert _told(line)["type"] == "activity"


def test_a_test_may_tell_anything(own: PlexServer, line: ClientConnection) -> None:
    """A message of its own, or what is no message."""
    own.tell("playing", PlaySessionStateNotification=[{"state": "paused"}])
    assert _told(line)["PlaySessionStateNotification"] == [{"state": "paused"}]
    own.do("tell_raw", message="garbage")
    assert line.recv(timeout=5) == "garbage"


def test_lines_are_refused_without_a_token_and_can_be_cut(own: PlexServer, line: ClientConnection) -> None:
    """Whoever listens again afterwards hears nothing of what was meanwhile."""
    with pytest.raises(InvalidStatus, match="403"):
        _line(own, token="wrong")
    assert own.listeners() == 1
    rule = own.harm("status", "/:/websockets", status=503)
    with pytest.raises(InvalidStatus, match="403"):
        _line(own)
    own.heal(rule)
    assert [ask["status"] for ask in own.asked() if ask["kind"] == "line"] == [101, 403, 403]
    own.cut_lines()
    with pytest.raises(ConnectionClosed):
        line.recv(timeout=5)
    own.change(1, title="Unheard")
    with _line(own) as again:
        own.remove(2)
        assert _told(again)["TimelineEntry"][0]["itemID"] == "2"
