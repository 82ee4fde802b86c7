"""Taking in the server that the settings name, known by what it says of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from exstream.clock import Clock
from exstream.errors import ConfigurationError
from exstream.model.server import Server
from exstream.outbound import Patience
from exstream.plex.api import PlexServer
from exstream.plex.preferences import token_of
from exstream.plex.records import Identity
from exstream.plex.signin import Identify


class KeptServers(Protocol):
    """Keeps servers; every method raises StoreError."""

    async def servers(self) -> list[Server]:
        """Return the servers, oldest first."""

    async def keep_server(self, server: Server) -> None:
        """Keep ``server``, new or not; without a token it keeps the one that it had."""


Introduce = Callable[[Server], Awaitable[str]]
"""Asks a server for its name; raises `OutboundError`."""


def asking_once(client: str, clock: Clock, *, verify: bool = True) -> Identify:
    """Return what asks an address which server answers there, once and without a token.

    ``client`` is this installation's identifier; without ``verify`` any certificate will do.
    """

    async def identify(url: str) -> Identity:
        door = Server("", url, url, verify=verify)
        async with PlexServer(door, client, clock, patience=Patience(tries=1)) as server:
            return await server.identity()

    return identify


def introducing(client: str, clock: Clock) -> Introduce:
    """Return what asks a server, with its token, for the name that people know it by. ``client`` as above."""

    async def introduce(server: Server) -> str:
        async with PlexServer(server, client, clock, patience=Patience(tries=1)) as speaking:
            return (await speaking.about()).name

    return introduce


async def _nameless(_server: Server) -> str:
    return ""


async def adopt(
    url: str, token: str, kept: KeptServers, identify: Identify, introduce: Introduce = _nameless
) -> Server:
    """Return the server at ``url`` as it is kept from now on, with ``token``; an empty one changes no token.

    A server is known by its identifier, so that a new address or token changes a known one and makes no second. One
    that is new is asked for its name by ``introduce``.
    Raises `OutboundError` where none answers there, ConfigurationError where it is new and there is no token.
    """
    given = token_of(token) if token else ""
    address = url.rstrip("/")
    identity = await identify(address)
    known = next((server for server in await kept.servers() if server.id == identity.machine), None)
    if known is None and not given:
        raise ConfigurationError(
            f"there is no token for the server at {address}: set PLEX_TOKEN, or sign in with `exstream plex login`"
        )
    if known is None:
        new = Server(identity.machine, identity.name or address, address, given, version=identity.version)
        server = replace(new, name=await introduce(new) or new.name)
    else:
        version = identity.version or known.version
        server = replace(known, url=address, version=version)
        if given:
            server = replace(server, token=given, fault="")
    if server != known:
        await kept.keep_server(server)
    return server
