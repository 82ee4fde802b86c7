"""Posters and stills of what is on, for guides in other programs and on the pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import orjson
import pytest

from exstream.errors import NotThere, Unreachable
from exstream.model.catalogue import Catalogue
from exstream.plex.api import Picture
from tests.web.station import ITEMS, Station, station
from tests.web.wire import ask, served

pytestmark = pytest.mark.anyio

POSTER = b"\xff\xd8\xff\xe0 a poster"


class Den:
    """Gives the picture of one item; its server has gone when it is asked for another."""

    async def of(self, key: str) -> Picture:
        """Return the picture of an item."""
        if key == "den:1":
            return Picture("image/jpeg", POSTER)
        raise Unreachable("Den does not answer") if key.startswith("away:") else NotThere(key)


def furnished() -> Station:
    """Make a station whose film is of a server that has its poster; its episodes have none."""
    made = station()
    made.parts = replace(made.parts, pictures=Den())
    film = replace(ITEMS[0], key="local:1", artwork="/library/metadata/1/thumb/5")
    made.shelf.current = Catalogue.of([film, *ITEMS[1:]])
    return made


async def test_a_picture_is_given_as_the_server_gave_it() -> None:
    """Its kind is told, nothing guesses another, and it may be kept for a day."""
    async with served(furnished()) as ports:
        reply = await ask(ports.iptv, "/iptv/artwork/den:1")
        head = await ask(ports.iptv, "/iptv/artwork/den%3A1", method="HEAD")
    assert (reply.status, reply.body) == (200, POSTER)
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "private, max-age=86400"
    assert (head.status, head.headers["content-length"]) == (200, str(len(POSTER)))


@pytest.mark.parametrize(
    ("item", "status", "said"),
    [
        ("den:2", 404, "There is no picture of this item.\n"),
        ("..%2F..%2Fetc%2Fpasswd", 404, ""),
        ("away:1", 502, "The server does not give the picture: Den does not answer.\n"),
    ],
)
async def test_a_picture_that_is_not_there_is_a_sentence(item: str, status: int, said: str) -> None:
    """What no server has is 404, what a server does not give is 502."""
    async with served(furnished()) as ports:
        reply = await ask(ports.iptv, f"/iptv/artwork/{item}")
    assert reply.status == status
    assert said in reply.text


async def test_programmes_tell_where_their_picture_is() -> None:
    """The API and a programme's page name it below their own address, and only where there is one."""
    async with served(furnished()) as ports:
        listed = orjson.loads((await ask(ports.iptv, "/api/v1/guide?channel=seven")).body)
        pages = [
            (each["picture"], await ask(ports.iptv, f"/programme/seven/{_milliseconds(each)}"))
            for each in listed[:3]
        ]
    assert {picture for picture, _ in pages} == {None, "/iptv/artwork/local:1"}
    for picture, page in pages:
        assert ('src="/iptv/artwork/local%3A1"' in page.text) == (picture is not None)


def _milliseconds(programme: dict[str, str]) -> int:
    return round(datetime.fromisoformat(programme["starts"]).timestamp() * 1_000)
