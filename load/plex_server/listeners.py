"""Ports that may be closed and opened again, with everybody on them thrown out, as when a server is killed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Line(HttpToolsProtocol):
    """A connection whose application may get at it, to harm it."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process: it has several of these."""
        yield


class Listener:
    """One port of one application."""

    def __init__(self, application: Any, host: str, port: int = 0) -> None:
        self._application = application
        self._host = host
        self.port = port
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen; on the same port each time."""
        if self._server is not None:
            return
        # With its protocol named: else asyncio lets small answers wait until the last ones are acknowledged.
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((self._host, self.port))
        self.port = door.getsockname()[1]
        config = uvicorn.Config(
            self._application,
            http=_Line,
            ws="websockets-sansio",
            loop="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        server = _Server(config)
        self._task = asyncio.create_task(server.serve(sockets=[door]))
        while not server.started:
            await asyncio.sleep(0.005)
        self._server = server

    async def close(self) -> None:
        """Listen no more, and drop every connection without a word."""
        server, task = self._server, self._task
        if server is None or task is None:
            return
        self._server = self._task = None
        for door in server.servers:
            door.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        server.should_exit = server.force_exit = True
        await task
