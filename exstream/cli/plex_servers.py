"""``exstream plex servers``: which servers are known, and how to get at each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from exstream.cli.invocation import AsJson, DataDir, DryRun, invocation, write_json
from exstream.cli.outcome import say, write
from exstream.cli.plex_access import (
    NO_SERVERS,
    asked,
    asker,
    changed,
    kept_servers,
    meant_server,
    nothing_kept,
)
from exstream.cli.plex_token import DEFAULT_URL, Written, given_token, nearby_token, typed_token
from exstream.config import Settings
from exstream.errors import ConfigurationError
from exstream.model.server import Server

if TYPE_CHECKING:
    from exstream.plex.nearby import Nearby
    from exstream.plex.records import Section

app = typer.Typer(help="The Plex servers that media comes from.", no_args_is_help=True)

_Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        "--plex-url",
        metavar="URL",
        help=f"Where the server answers; {DEFAULT_URL} when nothing says otherwise.",
        show_default=False,
    ),
]
_Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="What to call it; its own name.", show_default=False),
]
_TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A file with the token and nothing else.", show_default=False),
]
_From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="A server's Preferences.xml, or an export of its registry key.",
        show_default=False,
    ),
]
_Token = Annotated[
    str | None,
    typer.Option(
        "--plex-token",
        metavar="TOKEN",
        help="The token; everyone on this machine can read it there.",
        show_default=False,
    ),
]
_NoVerify = Annotated[
    bool, typer.Option("--no-verify", help="Accept any certificate, as of a server with its own.")
]
_Named = Annotated[
    str, typer.Argument(metavar="SERVER", help="Its name, identifier or address.", show_default=False)
]


@app.command("add")
def add(
    context: typer.Context,
    url: _Url = None,
    name: _Name = None,
    token_file: _TokenFile = None,
    preferences: _From = None,
    plex_token: _Token = None,
    no_verify: _NoVerify = False,
    data_dir: DataDir = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add a server by its address, or change how to get at a known one."""
    settings = invocation(context).settings(data_dir=data_dir)
    # A token that the settings have for one address is not shown to another.
    elsewhere = url and settings.plex_url and url.rstrip("/") != settings.plex_url.rstrip("/")
    setting = "" if elsewhere else settings.plex_token
    written = Written(plex_token or "", token_file, preferences, setting)
    token = given_token(written)
    server, sections = asyncio.run(_added(settings, url, token, name, verify=not no_verify, dry_run=dry_run))
    if as_json:
        write_json(
            {**shown(server), "libraries": [section.title for section in sections], "added": not dry_run}
        )
        return
    word = "would be added" if dry_run else "is added"
    libraries = ", ".join(section.title for section in sections) or "none"
    write(f"{server.name} {word}: {server.url}, Plex {server.version}; libraries: {libraries}")


async def _added(
    settings: Settings, url: str | None, token: str, name: str | None, *, verify: bool, dry_run: bool
) -> tuple[Server, Sequence[Section]]:
    from exstream.plex.nearby import look_nearby
    from exstream.plex.signin import best_way

    nearby = look_nearby()
    identify = asker(settings, verify=verify)
    wanted = _addresses(url or settings.plex_url, nearby)
    if len(wanted) == 1:
        address, identity = wanted[0], await identify(wanted[0])
    else:
        way = await best_way("", wanted, identify)
        address, identity = way.url, way.identity
    known = await _known(settings, identity.machine)
    found = token or (known.token if known else "") or _looked_for(nearby, identity.machine, address)
    server = Server(identity.machine, name or "", address, found, verify, identity.version)
    about, sections = await asked(settings, server)
    server = replace(server, name=name or (known.name if known else "") or about.name or address)
    if not dry_run:
        async with kept_servers(settings) as store:
            await store.keep_server(server)
            await store.take_sections(server.id, sections)
    return server, sections


def _addresses(url: str, nearby: Nearby) -> list[str]:
    if not url:
        own = [address for _, preferences in nearby.found for address in preferences.addresses]
        return list(dict.fromkeys([DEFAULT_URL, *own]))
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in {"http", "https"} and parts.port != 0 else None
    except ValueError:
        host = None
    if host is None:
        raise ConfigurationError("--url is no address of a server: write it as http://192.168.1.5:32400")
    if "?" in url or "#" in url or "@" in url:
        raise ConfigurationError(
            f"--url is more than the address of {host}: write it as http://{host}:32400, and give the token with"
            " PLEX_TOKEN or --token-file"
        )
    return [url.rstrip("/")]


def _looked_for(nearby: Nearby, machine: str, address: str) -> str:
    token = nearby_token(nearby.found, machine, address)
    if token:
        return token
    for fault in nearby.faults:
        say(f"exstream: {fault}")
    return typed_token()


async def _known(settings: Settings, machine: str) -> Server | None:
    if nothing_kept(settings):
        return None
    async with kept_servers(settings) as store:
        return next((server for server in await store.servers() if server.id == machine), None)


@app.command("list")
def list_servers(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the servers."""
    settings = invocation(context).settings(data_dir=data_dir)
    listed = asyncio.run(_listed(settings))
    if as_json:
        write_json(listed)
    elif not listed:
        write(f"{NO_SERVERS[0].upper()}{NO_SERVERS[1:]}.")
    else:
        width = max(len(each["name"]) for each in listed)
        for each in listed:
            write(f"{each['name']:<{width}}  {each['url']}  {_details(each)}")


def _details(server: dict[str, Any]) -> str:
    said = [f"Plex {server['version']}"] if server["version"] else []
    said.append(f"{server['enabled']} of {server['libraries']} libraries")
    if not server["verify"]:
        said.append("certificate not checked")
    if server["fault"]:
        said.append(server["fault"])
    elif not server["signed_in"]:
        said.append("not signed in: `exstream plex login`")
    return ", ".join(said)


async def _listed(settings: Settings) -> list[dict[str, Any]]:
    if nothing_kept(settings):
        return []
    found = []
    async with kept_servers(settings) as store:
        for server in await store.servers():
            libraries = [each for each in await store.libraries(server.id) if not each.gone]
            counts = {"libraries": len(libraries), "enabled": sum(each.enabled for each in libraries)}
            found.append({**shown(server), **counts})
    return found


@app.command("remove")
def remove(
    context: typer.Context,
    server: _Named,
    data_dir: DataDir = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Forget a server with its libraries and items; nothing changes on the server."""
    settings = invocation(context).settings(data_dir=data_dir)
    gone = asyncio.run(_removed(settings, server, dry_run=dry_run))
    if as_json:
        write_json({**shown(gone), "removed": not dry_run})
        return
    word = "would be forgotten" if dry_run else "is forgotten"
    write(f"{gone.name} ({gone.url}) {word} with its libraries and items; nothing changes on the server")


async def _removed(settings: Settings, named: str, *, dry_run: bool) -> Server:
    if nothing_kept(settings):
        raise ConfigurationError(NO_SERVERS)
    async with kept_servers(settings) as store:
        server = meant_server(named, await store.servers())
        if not dry_run:
            await store.remove_server(server.id)
            changed(settings)
    return server


def shown(server: Server) -> dict[str, Any]:
    """Return what may be told of a server."""
    return {
        "name": server.name,
        "id": server.id,
        "url": server.url,
        "verify": server.verify,
        "version": server.version,
        "signed_in": bool(server.token),
        "fault": server.fault,
    }
