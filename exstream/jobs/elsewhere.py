"""What commands change beside the server that runs is taken up by it within seconds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.jobs.catalogue import CatalogueHolder

NEWS_SECONDS = 5.0


class Elsewhere:
    """Reads the catalogue again whenever ``marked`` returns something else; begin before the catalogue is read."""

    def __init__(self, marked: Callable[[], str], catalogue: CatalogueHolder, clock: Clock) -> None:
        self._marked = marked
        self._catalogue = catalogue
        self._clock = clock
        self._taken_up = marked()

    async def run(self) -> None:
        """Look every `NEWS_SECONDS`; returns only by cancellation."""
        while True:
            mark = self._marked()
            if mark != self._taken_up:
                with suppress(StoreError):  # looked at again soon
                    await self._catalogue.reload()
                    self._taken_up = mark
            await self._clock.sleep(NEWS_SECONDS)
