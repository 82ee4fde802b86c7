"""Where an item's bytes are now: looked up in the catalogue in memory, never in a database."""

from __future__ import annotations

from collections.abc import Callable

from exstream.errors import SourceUnavailable
from exstream.model.catalogue import Catalogue, ItemKey, Source


class Resolver:
    """Finds playable sources in the current catalogue. ``set_aside`` tells why a file may not be played, or nothing."""

    def __init__(self, catalogue: Callable[[], Catalogue], set_aside: Callable[[str], str]) -> None:
        self._catalogue = catalogue
        self._set_aside = set_aside

    async def resolve(self, item: ItemKey) -> Source:
        """Return the item's file, or raise `SourceUnavailable` when it has none that can be played."""
        found = self._catalogue().items.get(item)
        if found is None:
            raise SourceUnavailable(f"{item} is no longer in the library")
        if not found.path:
            raise SourceUnavailable(f"{found.title} has no file on this machine")
        reason = self._set_aside(found.path)
        if reason:
            raise SourceUnavailable(f"{found.path} is set aside: {reason}")
        return Source(found.path, found.media)
