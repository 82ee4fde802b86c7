"""Pictures of items, fetched from their servers for those who must not know the tokens, and kept for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cachetools import LRUCache

from exstream.errors import Misunderstood, NotThere
from exstream.model.catalogue import Catalogue, ItemKey
from exstream.model.server import ServerId
from exstream.plex.api import Picture

KEPT_BYTES = 24 * 1024 * 1024
KINDS = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Pictures that can do nothing but be shown."""


class PictureServer(Protocol):
    """A server that has pictures."""

    async def artwork(self, path: str) -> Picture:
        """Return the picture at ``path``; raises `OutboundError`."""


class Artwork:
    """Finds the picture of an item; ``server`` returns who is connected."""

    def __init__(
        self, catalogue: Callable[[], Catalogue], server: Callable[[ServerId], PictureServer | None]
    ) -> None:
        self._catalogue = catalogue
        self._server = server
        self._kept: LRUCache[tuple[ServerId, str], Picture] = LRUCache(
            KEPT_BYTES, getsizeof=lambda picture: len(picture.data)
        )

    async def of(self, key: ItemKey) -> Picture:
        """Return the picture of an item. Raises `OutboundError`: `NotThere` where it has none."""
        item = self._catalogue().items.get(key)
        server = key.rpartition(":")[0]
        client = self._server(server)
        if item is None or not item.artwork or client is None:
            raise NotThere("there is no picture of this item")
        place = server, item.artwork
        picture = self._kept.get(place)
        if picture is None:
            picture = await client.artwork(item.artwork)
            if picture.kind not in KINDS:
                raise Misunderstood(f"the picture of {item.title} is of a kind that is not passed on")
            if len(picture.data) <= KEPT_BYTES:
                self._kept[place] = picture
        return picture
