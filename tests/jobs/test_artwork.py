"""Pictures of items, passed on without their servers' tokens."""

from __future__ import annotations

import pytest

from exstream.errors import Misunderstood, NotThere, Unreachable
from exstream.jobs.artwork import Artwork
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.plex.api import Picture

pytestmark = pytest.mark.anyio

CATALOGUE = Catalogue.of(
    [
        Item(
            "den:1", ItemKind.FILM, "One", 1_000, "Films", artwork="/library/metadata/1/thumb/5", server="Den"
        ),
        Item("den:2", ItemKind.FILM, "Two", 1_000, "Films", artwork="/drawn", server="Den"),
        Item("den:3", ItemKind.FILM, "Three", 1_000, "Films", server="Den"),
        Item("away:1", ItemKind.FILM, "One", 1_000, "Films", artwork="/1", server="Away"),
    ]
)


class _Den:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False

    async def artwork(self, path: str) -> Picture:
        self.asked.append(path)
        if self.down:
            raise Unreachable("Den is away")
        return Picture("image/svg+xml" if path == "/drawn" else "image/jpeg", b"picture")


async def test_a_picture_is_fetched_once() -> None:
    """The second time it comes from memory, also while the server is away."""
    den = _Den()
    artwork = Artwork(lambda: CATALOGUE, {"den": den}.get)
    first = await artwork.of("den:1")
    den.down = True
    assert await artwork.of("den:1") == first == Picture("image/jpeg", b"picture")
    assert den.asked == ["/library/metadata/1/thumb/5"]


@pytest.mark.parametrize("key", ["den:3", "den:9", "away:1", "nonsense", "../etc/passwd"])
async def test_items_without_a_picture(key: str) -> None:
    """An item that has none, one that is not there and one of a server that is not connected are all not there."""
    with pytest.raises(NotThere):
        await Artwork(lambda: CATALOGUE, {"den": _Den()}.get).of(key)


async def test_what_is_not_passed_on() -> None:
    """A drawing that may hold scripts is not; a fault of the server is told and tried again the next time."""
    den = _Den()
    artwork = Artwork(lambda: CATALOGUE, {"den": den}.get)
    with pytest.raises(Misunderstood):
        await artwork.of("den:2")
    den.down = True
    with pytest.raises(Unreachable):
        await artwork.of("den:1")
    den.down = False
    assert (await artwork.of("den:1")).data == b"picture"
