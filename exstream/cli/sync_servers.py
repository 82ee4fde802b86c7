"""Which servers a synchronisation is about, and how they are opened."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exstream.cli.plex_access import NO_SERVERS, asker, kept_servers, nothing_kept
from exstream.cli.plex_token import Written, given_token
from exstream.clock import SystemClock
from exstream.config import Settings
from exstream.errors import ConfigurationError, OutboundError
from exstream.model.server import Server

if TYPE_CHECKING:
    from exstream.cli.invocation import Invocation
    from exstream.plex.adoption import KeptServers
    from exstream.plex.api import PlexServer
    from exstream.store.plex import PlexStore

Debug = Annotated[bool, typer.Option("--debug", help="Say what is asked, read and compared.")]
DbPath = Annotated[
    Path | None,
    typer.Option(
        "--db-path", metavar="PATH", help="A SQLite file in the place of the database.", show_default=False
    ),
]
PlexUrl = Annotated[
    str | None,
    typer.Option("--plex-url", metavar="URL", help="Only the server at this address.", show_default=False),
]
PlexToken = Annotated[
    str | None,
    typer.Option(
        "--plex-token",
        metavar="TOKEN",
        help="Its token; everyone on this machine can read it there.",
        show_default=False,
    ),
]
PlexSection = Annotated[
    str | None,
    typer.Option(
        "--plex-section", metavar="K", help="Only this library, by its key or its name.", show_default=False
    ),
]
PageSize = Annotated[
    int | None,
    typer.Option(
        "--page-size",
        metavar="N",
        min=1,
        max=2_000,
        help="So many items in a page at most.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says of servers."""

    settings: Settings
    url: str
    token: str
    only: bool
    """Only the server at ``url``."""
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """The servers, and why the one at the configured address is not among them."""

    servers: tuple[Server, ...]
    absent: OutboundError | None = None


def asked_for(
    call: Invocation,
    *,
    data_dir: Path | None,
    db_path: Path | None,
    plex_url: str | None,
    plex_token: str | None,
    plex_section: str | None = None,
    page_size: int | None = None,
    debug: bool = False,
) -> Asked:
    """Read the settings and the options; warn of a token that others can see. Raises ConfigurationError."""
    from exstream.config import load

    call.debug = call.debug or debug
    database = None if db_path is None else f"sqlite+aiosqlite:///{db_path.expanduser().absolute()}"
    settings = call.settings(
        data_dir=data_dir,
        database_url=database,
        plex_url=plex_url,
        plex_section=plex_section,
        plex_page_size=page_size,
    )
    token = given_token(Written(argument=plex_token or ""))
    if token and not settings.plex_url:
        raise ConfigurationError(
            "--plex-token belongs to a server: name its address with --plex-url, or set PLEX_BASE_URL"
        )
    # A token that the settings have for one address is not shown to another.
    configured = load({"data_dir": data_dir}).settings.plex_url
    elsewhere = configured.rstrip("/") != settings.plex_url.rstrip("/")
    found = token or ("" if elsewhere else settings.plex_token)
    return Asked(settings, settings.plex_url.rstrip("/"), found, plex_url is not None, debug)


@asynccontextmanager
async def opened(asked: Asked, *, dry_run: bool) -> AsyncIterator[PlexStore]:
    """Give what is kept of servers; a rehearsal makes no database where there is none. Raises StoreError."""
    if not (dry_run and nothing_kept(asked.settings)):
        async with kept_servers(asked.settings) as store:
            yield store
        return
    with tempfile.TemporaryDirectory(prefix="exstream-") as folder:
        aside = replace(asked.settings, database_url=f"sqlite+aiosqlite:///{folder}/rehearsal.db")
        async with kept_servers(aside) as store:
            yield store


async def chosen(asked: Asked, store: PlexStore, *, dry_run: bool) -> Chosen:
    """Return the servers that are meant, having taken in the one at the configured address.

    Raises ConfigurationError where there is none, or no token for it, and OutboundError where it was the only one.
    """
    absent = None
    if asked.url:
        try:
            named = await _adopted(asked, _Untouched(store) if dry_run else store)
        except OutboundError as fault:
            absent = fault
        else:
            if asked.only:
                return _listening(asked, Chosen((named,)))
            others = [each for each in await store.servers() if each.id != named.id]
            return _listening(asked, Chosen((named, *others)))
    servers = await store.servers()
    known = [each for each in servers if each.url.rstrip("/") == asked.url]
    if asked.only and not known and absent:
        raise absent
    if asked.only:
        servers = known
    if not servers:
        if absent:
            raise absent
        raise ConfigurationError(f"{NO_SERVERS}; or set PLEX_BASE_URL and PLEX_TOKEN")
    return _listening(asked, Chosen(tuple(servers), None if known else absent))


async def _adopted(asked: Asked, kept: KeptServers) -> Server:
    from exstream.plex.adoption import adopt, introducing
    from exstream.plex.installation import client_id

    introduce = introducing(client_id(asked.settings.data_dir), SystemClock())
    return await adopt(asked.url, asked.token, kept, asker(asked.settings, verify=True), introduce)


def _listening(asked: Asked, found: Chosen) -> Chosen:
    """Have the log told on standard error, without any token."""
    from exstream.telemetry import Redaction
    from exstream.telemetry.logs import to_stderr

    secrets = (*asked.settings.secrets, asked.token, *(server.token for server in found.servers))
    to_stderr(Redaction(secrets), logging.DEBUG if asked.debug else logging.ERROR)
    return found


def speaking(settings: Settings, server: Server) -> PlexServer:
    """Return what asks ``server``, to be used as a context; raises `SignInNeeded` where there is no token for it."""
    from exstream.errors import SignInNeeded
    from exstream.plex.api import PlexServer
    from exstream.plex.installation import client_id

    if server.fault:
        raise SignInNeeded(server.fault)
    return PlexServer(
        server,
        client_id(settings.data_dir),
        SystemClock(),
        page_size=settings.plex_page_size,
        at_once=settings.plex_requests,
        connections=settings.plex_pool,
    )


class _Untouched:
    """Servers that are read and not written."""

    def __init__(self, store: PlexStore) -> None:
        self._store = store

    async def servers(self) -> list[Server]:
        return await self._store.servers()

    async def keep_server(self, server: Server) -> None:
        """Keep nothing."""
