"""Keeps every media server up to date: one that is added, removed or signed in again is noticed within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from functools import partial

from exstream.clock import Clock
from exstream.errors import OutboundError, StoreError
from exstream.jobs.board import Board
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.supervisor import supervised
from exstream.jobs.sync.means import Finished, Means, unheard
from exstream.jobs.sync.ports import PlexAsking, PlexShelves
from exstream.jobs.sync.reloads import Reloads
from exstream.jobs.sync.rounds import Rounds
from exstream.jobs.sync.sync import Order, ServerSync, as_they_come
from exstream.jobs.sync.turns import Alone, Turns
from exstream.model.server import Server, ServerId
from exstream.plex.items import Choice

NEWS_SECONDS = 10.0
"""How often it is asked whether servers were added, removed or changed."""

Connect = Callable[[Server], AbstractAsyncContextManager[PlexAsking]]
"""Makes a client of a server for as long as the block lasts."""


@dataclass(slots=True)
class _Kept:
    """A server that is kept up to date."""

    server: Server
    task: asyncio.Task[None]
    rounds: Rounds | None = None


class BackgroundSync:
    """Keeps the servers in the store up to date for as long as `run` runs.

    ``section`` is the only library that is read, by its key or its name; empty: all that are enabled.
    """

    def __init__(
        self,
        shelves: PlexShelves,
        connect: Connect,
        catalogue: CatalogueHolder,
        board: Board,
        clock: Clock,
        *,
        choice: Choice = Choice.BEST,
        section: str = "",
        order: Order = as_they_come,
        turns: Turns = Alone(),
        finished: Finished = unheard,
    ) -> None:
        self._shelves = shelves
        self._connect = connect
        self._catalogue = catalogue
        self._board = board
        self._clock = clock
        self._choice = choice
        self._section = section
        self._order = order
        self._turns = turns
        self._finished = finished
        self._kept: dict[ServerId, _Kept] = {}

    def ask(self, server: ServerId) -> None:
        """Have a server asked at once what has changed."""
        kept = self._kept.get(server)
        if kept and kept.rounds:
            kept.rounds.ask()

    def faults(self) -> Mapping[ServerId, OutboundError]:
        """Return why servers cannot be read now, those that can be left out."""
        rounds = {identity: kept.rounds for identity, kept in self._kept.items() if kept.rounds}
        return {identity: each.fault for identity, each in rounds.items() if each.fault is not None}

    async def run(self) -> None:
        """Follow the servers that there are; returns only by cancellation."""
        async with asyncio.TaskGroup() as group:
            while True:
                with suppress(StoreError):  # asked again soon
                    servers = {server.id: server for server in await self._shelves.servers()}
                    self._follow(group, servers)
                await self._clock.sleep(NEWS_SECONDS)

    def _follow(self, group: asyncio.TaskGroup, servers: dict[ServerId, Server]) -> None:
        for identity, kept in list(self._kept.items()):
            if servers.get(identity) != kept.server:  # another address or token: begin anew with it
                kept.task.cancel()
                del self._kept[identity]
        for identity in servers.keys() - self._kept.keys():
            server = servers[identity]
            job = supervised(f"sync {server.name}", partial(self._keep, server), self._clock)
            self._kept[identity] = _Kept(server, group.create_task(job))

    async def _keep(self, server: Server) -> None:
        reloads = Reloads(self._catalogue, self._clock)
        async with self._connect(server) as asking:
            means = Means(
                server,
                asking,
                self._shelves,
                self._clock,
                choice=self._choice,
                committed=reloads.committed,
                finished=self._finished,
                section=self._section,
            )
            rounds = Rounds(ServerSync(means), reloads, self._board, self._order, self._turns)
            if kept := self._kept.get(server.id):
                kept.rounds = rounds
            await rounds.run()
