"""How commands get at media servers, and at what is kept of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from exstream.cli.outcome import say
from exstream.clock import SystemClock
from exstream.config import Settings
from exstream.errors import ConfigurationError
from exstream.model.server import Server

if TYPE_CHECKING:
    from exstream.plex.records import Identity, Section
    from exstream.plex.signin import Identify
    from exstream.store.plex import PlexStore

NO_SERVERS = "there are no servers yet: `exstream plex login` adds those of an account, `exstream plex servers add` one"


@asynccontextmanager
async def kept_servers(settings: Settings) -> AsyncIterator[PlexStore]:
    """Give what is kept of servers, made or brought up to date if need be; raises StoreError."""
    from exstream.store.database import Database
    from exstream.store.plex import PlexStore
    from exstream.store.vault import Vault

    database = Database(settings.database_url, pool_size=2, max_overflow=2)
    try:
        await database.open()
        yield PlexStore(database, Vault(settings.data_dir))
    finally:
        await database.dispose()


@asynccontextmanager
async def turn(settings: Settings, server: Server) -> AsyncIterator[None]:
    """Let no other program synchronise ``server`` during the block, after waiting for one that does; tell then that
    something was changed. Raises StoreError.
    """
    from exstream.store.turns import Turns

    turns = Turns(settings.data_dir, SystemClock())

    def waiting() -> None:
        say(f"exstream: another Exstream reads {server.name} just now: waiting until it is done")

    async with turns.taken(server.id, waiting=waiting):
        try:
            yield
        finally:
            turns.mark()


def changed(settings: Settings) -> None:
    """Have a server that runs take up what was changed."""
    from exstream.store.turns import Turns

    Turns(settings.data_dir, SystemClock()).mark()


def nothing_kept(settings: Settings) -> bool:
    """Tell whether there is no database yet: reading makes none."""
    from exstream.cli.shelf import sqlite_file

    file = sqlite_file(settings.database_url)
    return file is not None and not file.exists()


def asker(settings: Settings, *, verify: bool) -> Identify:
    """Return what asks an address which server answers there, once and without a token."""
    from exstream.plex.adoption import asking_once
    from exstream.plex.installation import client_id
    from exstream.telemetry import Redaction, errors_only

    errors_only(Redaction(settings.secrets))
    return asking_once(client_id(settings.data_dir), SystemClock(), verify=verify)


async def asked(settings: Settings, server: Server) -> tuple[Identity, Sequence[Section]]:
    """Return what ``server`` says of itself, and its libraries: proof that it accepts its token."""
    from exstream.plex.api import PlexServer
    from exstream.plex.installation import client_id
    from exstream.telemetry import Redaction, errors_only

    errors_only(Redaction((*settings.secrets, server.token)))
    async with PlexServer(server, client_id(settings.data_dir), SystemClock()) as speaking:
        return await speaking.about(), await speaking.sections()


def meant_server(named: str | None, servers: Sequence[Server]) -> Server:
    """Return the server of that name, identifier or address, the only one for None; raise ConfigurationError."""
    if not servers:
        raise ConfigurationError(NO_SERVERS)
    known = ", ".join(server.name for server in servers)
    if named is None:
        if len(servers) > 1:
            raise ConfigurationError(f"there are several servers: name one with --server: {known}")
        return servers[0]
    wanted = named.casefold().rstrip("/")
    said = [(server.id, server.url.rstrip("/"), server.name) for server in servers]
    for way in zip(*said, strict=True):
        found = [server for server, told in zip(servers, way, strict=True) if told.casefold() == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(server.id for server in found)
            raise ConfigurationError(
                f"several servers are called {named!r}: name one by its identifier: {ids}"
            )
    raise ConfigurationError(f"{named} is no server: the servers are {known}")
