"""The Plex server that the settings name is taken in as soon as it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from exstream.clock import Clock
from exstream.errors import ConfigurationError, OutboundError, StoreError
from exstream.model.server import Server

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0

log = structlog.get_logger(__name__)


class Adoption:
    """Asks with ``adopt`` until that succeeds, or says what the user has to change."""

    def __init__(self, adopt: Callable[[], Awaitable[Server]], clock: Clock) -> None:
        self._adopt = adopt
        self._clock = clock
        self.fault = ""
        """Why there is no such server yet; empty where all is well."""

    async def run(self) -> None:
        """Return when the server is taken in, or cannot be with these settings."""
        pause = FIRST_PAUSE
        while True:
            try:
                server = await self._adopt()
            except ConfigurationError as fault:
                self._tell(str(fault))
                return
            except (OutboundError, StoreError) as fault:
                self._tell(f"{fault} (asked again in {pause:.0f} s)")
                await self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self.fault = ""
                log.info("the Plex server of the settings", server=server.name, address=server.url)
                return

    def _tell(self, fault: str) -> None:
        if not self.fault:
            log.warning("the Plex server of the settings cannot be used now", reason=fault)
        self.fault = fault
