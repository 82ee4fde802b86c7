"""What `exstream doctor` looks at in media servers: that they answer and accept their tokens; where items play from."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from exstream.cli.checks import Check, State, failed, passed
from exstream.config import Settings
from exstream.errors import Busy, OutboundError, SignInNeeded, StoreError, Unreachable

if TYPE_CHECKING:
    from exstream.model.catalogue import Catalogue, Item
    from exstream.model.server import Server
    from exstream.store.database import Database

_NAME = "plex"
_SIGN_IN = "`exstream plex login`, or `exstream plex servers add` with another token"


async def plex_servers(settings: Settings, database: Database) -> AsyncIterator[Check]:
    """Ask every server once, and count where the files of its items are."""
    from exstream.store.catalogue import CatalogueStore
    from exstream.store.plex import PlexStore
    from exstream.store.vault import Vault
    from exstream.telemetry import Redaction, errors_only

    try:
        servers = await PlexStore(database, Vault(settings.data_dir)).servers()
        catalogue = await CatalogueStore(database).load() if servers else None
    except StoreError as error:
        yield failed(_NAME, error)
        return
    errors_only(Redaction((*settings.secrets, *(server.token for server in servers))))
    for server in servers:
        yield await _answers(settings, server)
        if catalogue is not None:
            yield await asyncio.to_thread(_coverage, server, catalogue)


async def _answers(settings: Settings, server: Server) -> Check:
    if server.fault or not server.token:
        said = server.fault or "there is no token for it"
        return Check(_NAME, State.FAIL, f"{server.name}: {said}", _SIGN_IN)
    try:
        version, libraries = await _asked(settings, server)
    except SignInNeeded:
        return Check(_NAME, State.FAIL, f"{server.name} does not accept the token it was given", _SIGN_IN)
    except Busy as error:
        remedy = "wait until it is done with that; it is asked again by itself"
        return Check(_NAME, State.FAIL, f"{server.name}: {error}", remedy, unreachable=True)
    except Unreachable as error:
        remedy = "start it, or give its new address with `exstream plex servers add --url`"
        return Check(_NAME, State.FAIL, f"{server.name}: {error}", remedy, unreachable=True)
    except OutboundError as error:
        return Check(_NAME, State.FAIL, f"{server.name}: {error}", "look whether the address is right")
    return passed(_NAME, f"{server.name} answers at {server.url}, Plex {version}, {libraries} libraries")


async def _asked(settings: Settings, server: Server) -> tuple[str, int]:
    from exstream.clock import SystemClock
    from exstream.errors import Misunderstood
    from exstream.outbound import ONCE
    from exstream.plex.api import PlexServer
    from exstream.plex.installation import client_id

    client = client_id(settings.data_dir)
    async with PlexServer(server, client, SystemClock(), patience=ONCE) as speaking:
        identity = await speaking.about()
        if identity.machine != server.id:
            raise Misunderstood("another server answers at its address")
        return identity.version, len(await speaking.sections())


def _coverage(server: Server, catalogue: Catalogue) -> Check:
    """Count from where the items of ``server`` play."""
    mine = [item for item in catalogue.items.values() if item.key.rpartition(":")[0] == server.id]
    counts = Counter(_origin(item) for item in mine)
    text = (
        f"{server.name}: of {len(mine)} items {counts['disk']} play from a disk of this machine,"
        f" {counts['server']} through Plex, {counts['nowhere']} from nowhere"
    )
    if counts["nowhere"]:
        remedy = "they are missing on the server, or have no file there: `exstream sync-all` looks again"
        return Check(_NAME, State.WARN, text, remedy)
    return passed(_NAME, text)


def _origin(item: Item) -> str:
    """Tell from where an item plays: a disk of this machine, its server, or nowhere."""
    if item.missing:
        return "nowhere"
    files = [item.path, *(part.file for version in item.versions for part in version.parts)]
    if any(path and os.access(path, os.R_OK) for path in files):
        return "disk"
    return "server" if any(part.key for version in item.versions for part in version.parts) else "nowhere"
