"""The clients of servers that are connected now: one each, for synchronisation and for those who read files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from exstream.model.server import Server, ServerId
from exstream.plex.api import PlexServer


class Switchboard:
    """Connects servers with what ``make`` makes, and knows who is connected."""

    def __init__(self, make: Callable[[Server], PlexServer]) -> None:
        self._make = make
        self._connected: dict[ServerId, PlexServer] = {}

    @asynccontextmanager
    async def connect(self, server: Server) -> AsyncIterator[PlexServer]:
        """Give a client of ``server`` for as long as the block lasts; all others find it meanwhile."""
        async with self._make(server) as client:
            self._connected[server.id] = client
            try:
                yield client
            finally:
                if self._connected.get(server.id) is client:
                    del self._connected[server.id]

    def of(self, server: ServerId) -> PlexServer | None:
        """Return the client of a server that is connected."""
        return self._connected.get(server)

    def connected(self) -> tuple[PlexServer, ...]:
        """Return every client that there is now, for figures."""
        return tuple(self._connected.values())
