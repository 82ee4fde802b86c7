"""The catalogue follows what is written, but not at every page: making it anew takes as long as many pages."""

from __future__ import annotations

from exstream.clock import Clock
from exstream.jobs.catalogue import CatalogueHolder

APART_SECONDS = 15.0


class Reloads:
    """Has the catalogue read again after writes, at most every `APART_SECONDS` while more of them come."""

    def __init__(self, catalogue: CatalogueHolder, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._behind = True
        """At first, too: whoever wrote before this one may have ended before the catalogue was read."""
        self._last = float("-inf")

    async def committed(self) -> None:
        """Note a write; read the catalogue if that was not done lately. Raises StoreError."""
        self._behind = True
        if self._clock.air() - self._last >= APART_SECONDS:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Read the catalogue if something was written since. Raises StoreError."""
        if self._behind:
            await self._catalogue.reload()
            self._behind = False
            self._last = self._clock.air()
