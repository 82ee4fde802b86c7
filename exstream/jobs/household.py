"""The media servers of this installation: taken in, kept up to date, and asked how they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from exstream.clock import Clock
from exstream.errors import OutboundError
from exstream.jobs.adoption import Adoption
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.soonest import Soonest, Upcoming
from exstream.jobs.sources_seen import Shelf, SourcesSeen
from exstream.jobs.sync.background import BackgroundSync
from exstream.jobs.sync.statistics import Statistics
from exstream.model.server import PlexLibrary, Server
from exstream.plex.adoption import adopt, asking_once, introducing
from exstream.plex.api import PlexServer
from exstream.plex.installation import client_id
from exstream.plex.items import Choice
from exstream.sources.switchboard import Switchboard
from exstream.store.plex import PlexStore
from exstream.store.turns import Turns
from exstream.telemetry.plex import Connections, PlexFigures


@dataclass(frozen=True, slots=True)
class PlexOptions:
    """What the settings say of Plex servers."""

    url: str
    """Of a server to be taken in; empty: none."""
    token: str
    section: str
    """The only library to be read, by its key or its name; empty: all that are enabled."""
    choice: Choice
    page_size: int
    at_once: int
    connections: int


class Household:
    """Connects the servers that the store knows. ``learn`` is told their tokens before anything is sent.

    Raises ConfigurationError where the data directory cannot keep this installation's identifier.
    """

    def __init__(
        self,
        store: PlexStore,
        shelf: Shelf,
        catalogue: CatalogueHolder,
        board: Board,
        clock: Clock,
        figures: PlexFigures,
        options: PlexOptions,
        data_dir: Path,
        learn: Callable[[Iterable[str]], None],
        upcoming: Upcoming,
    ) -> None:
        self._store = store
        self._clock = clock
        self._figures = figures
        self._options = options
        self._learn = learn
        self._client = client_id(data_dir)
        self.switchboard = Switchboard(self._made)
        self._soonest = Soonest(upcoming, lambda: catalogue.current.items, clock)
        self._sync = BackgroundSync(
            store,
            self.switchboard.connect,
            catalogue,
            board,
            clock,
            choice=options.choice,
            section=options.section,
            order=self._soonest,
            turns=Turns(data_dir, clock),
            finished=self._finished,
        )
        self._adoption = Adoption(self._adopted, clock)
        self.seen = SourcesSeen(
            shelf, store, lambda: catalogue.current, self._sync.faults, lambda: self._adoption.fault
        )
        figures.gauge(self._connections)

    async def open(self, stack: AsyncExitStack) -> None:
        """Connect the servers that are known, until ``stack`` is closed: channels play from them at once.

        Nothing is asked of them yet. Raises StoreError.
        """
        for server in await self._store.servers():
            with suppress(OutboundError):  # it is told when the server is asked
                await stack.enter_async_context(self.switchboard.connect(server))

    def jobs(self) -> Mapping[str, Callable[[], Awaitable[object]]]:
        """Return what has to run for as long as the server does."""
        found: dict[str, Callable[[], Awaitable[object]]] = {
            "the Plex servers": self._sync.run,
            "what airs soonest": self._soonest.run,
        }
        if self._options.url:
            found["the Plex server of the settings"] = self._adoption.run
        return found

    def _made(self, server: Server) -> PlexServer:
        self._learn([server.token])
        return PlexServer(
            server,
            self._client,
            self._clock,
            page_size=self._options.page_size,
            at_once=self._options.at_once,
            connections=self._options.connections,
        )

    async def _adopted(self) -> Server:
        identify = asking_once(self._client, self._clock)
        introduce = introducing(self._client, self._clock)
        return await adopt(self._options.url, self._options.token, self._store, identify, introduce)

    def _finished(self, server: Server, library: PlexLibrary, done: Statistics) -> None:
        changes = {"added": done.added, "updated": done.updated, "removed": done.removed}
        now = self._clock.now_ms() / 1_000
        self._figures.synced(server.name, library.library.name, now, done.seconds, done.requests, changes)

    def _connections(self) -> Iterator[Connections]:
        for client in self.switchboard.connected():
            pool = client.pool
            state = client.breaker.state.value
            yield Connections(client.server.name, pool.in_use, pool.waiting, pool.streams, state)
