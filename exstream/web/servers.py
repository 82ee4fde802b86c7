"""All sites in one process and one event loop, stopped without a traceback however many viewers there are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp
from uvicorn import Config, Server

from exstream.clock import Clock
from exstream.web.deps import Tuners
from exstream.web.receiving import PromptProtocol
from exstream.web.sockets import BACKLOG

KEEP_ALIVE_SECONDS = 15
LEAVE_SECONDS = 2.5
"""How long clients are given to finish, once the server is stopping and the viewers are told to go."""
STOP_SECONDS = 5


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """An application and the socket it is served on."""

    application: ASGIApp
    listening: socket.socket
    waited_for: bool = True
    """Whether its clients are given time to finish when the server stops."""


class _QuietServer(Server):
    """uvicorn without a hand on the signals, which belong to `exstream.app`, and asleep while nothing happens.

    By itself it looks ten times a second whether it has to end or to renew the date, which `PromptProtocol` does for
    each answer: on three sites a good part of an idle server's work.
    """

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def leave(self) -> None:
        """Have `serve` end."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """Wait until it is time to leave."""
        await self._leaving.wait()


class Servers:
    """Runs the sites until it is told to stop."""

    def __init__(
        self, sites: Sequence[Site], tuners: Tuners, clock: Clock, *, leave_seconds: float = LEAVE_SECONDS
    ) -> None:
        self._servers = [(_server(site.application), site.listening) for site in sites]
        self._waited_for = [
            server for (server, _), site in zip(self._servers, sites, strict=True) if site.waited_for
        ]
        self._tuners = tuners
        self._clock = clock
        self._leave_seconds = leave_seconds
        self._stopping = asyncio.Event()

    @property
    def started(self) -> bool:
        """Whether every site accepts requests."""
        return all(server.started for server, _ in self._servers)

    def connections(self) -> list[PromptProtocol]:
        """Return the connections that are open, of every site."""
        return _connections([server for server, _ in self._servers])

    def stop(self) -> None:
        """Make `serve` end: no new requests, viewers are told to go, the rest is cut off."""
        self._stopping.set()

    async def serve(self) -> None:
        """Serve until `stop`; returns within `STOP_SECONDS` of it."""
        async with asyncio.TaskGroup() as group:
            for server, listening in self._servers:
                address, port = listening.getsockname()[:2]
                _log.info("listening", address=address, port=port)
                group.create_task(server.serve(sockets=[listening]))
            group.create_task(self._end())

    async def _end(self) -> None:
        await self._stopping.wait()
        for server, _ in self._servers:
            server.leave()
        waited = 0.0
        while waited < self._leave_seconds and _connections(self._waited_for):
            # Again and again: a viewer may have been tuning while the first ones were sent away.
            for session in self._tuners.sessions():
                self._tuners.stop(session.id)
            await self._clock.sleep(0.1)
            waited += 0.1
        for connection in self.connections():
            connection.transport.abort()


def _connections(servers: Sequence[Server]) -> list[PromptProtocol]:
    return [
        connection
        for server in servers
        for connection in server.server_state.connections
        if isinstance(connection, PromptProtocol)
    ]


def _server(application: ASGIApp) -> _QuietServer:
    config = Config(
        application,
        http=PromptProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return _QuietServer(config)
