"""``exstream plex libraries``: which libraries of the servers are taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import write
from exstream.cli.plex_access import NO_SERVERS, changed, kept_servers, meant_server, nothing_kept
from exstream.config import Settings
from exstream.errors import ConfigurationError
from exstream.model.server import PlexLibrary, Server

if TYPE_CHECKING:
    from exstream.store.plex import PlexStore

app = typer.Typer(help="The libraries of the Plex servers.", no_args_is_help=True)

ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="SERVER",
        help="The server's name, identifier or address; needed where several would do.",
        show_default=False,
    ),
]
_Titles = Annotated[
    list[str], typer.Argument(metavar="LIBRARY...", help="Their titles, or keys.", show_default=False)
]


@dataclass(frozen=True, slots=True)
class _Listed:
    server: Server
    library: PlexLibrary


@app.command("list")
def list_libraries(
    context: typer.Context, server: ServerOption = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List the libraries of all servers, or of one."""
    settings = invocation(context).settings(data_dir=data_dir)
    _write([] if nothing_kept(settings) else asyncio.run(_read(settings, server)), as_json=as_json)


@app.command("enable")
def enable(
    context: typer.Context,
    library: _Titles,
    server: ServerOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Take libraries in, from the next synchronisation on."""
    _switch(invocation(context).settings(data_dir=data_dir), library, server, on=True, as_json=as_json)


@app.command("disable")
def disable(
    context: typer.Context,
    library: _Titles,
    server: ServerOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Leave libraries out: they are not read any more, and their items take part in no channel."""
    _switch(invocation(context).settings(data_dir=data_dir), library, server, on=False, as_json=as_json)


def _switch(settings: Settings, named: Sequence[str], server: str | None, *, on: bool, as_json: bool) -> None:
    if nothing_kept(settings):
        raise ConfigurationError(NO_SERVERS)
    switched = asyncio.run(_switched(settings, named, server, on=on))
    changed(settings)
    _write(switched, as_json=as_json)


async def _switched(
    settings: Settings, named: Sequence[str], server: str | None, *, on: bool
) -> list[_Listed]:
    async with kept_servers(settings) as store:
        listed = await _of(store, server)
        chosen = [_meant(name, listed) for name in named]
        for each in chosen:
            await store.enable_library(each.library.library.id, enabled=on)
        changed = {each.library.library.id for each in chosen}
        return [each for each in await _of(store, server) if each.library.library.id in changed]


async def _read(settings: Settings, server: str | None) -> list[_Listed]:
    async with kept_servers(settings) as store:
        return await _of(store, server)


async def _of(store: PlexStore, named: str | None) -> list[_Listed]:
    servers = await store.servers()
    chosen = servers if named is None else [meant_server(named, servers)]
    return [_Listed(server, library) for server in chosen for library in await store.libraries(server.id)]


def _meant(name: str, listed: Sequence[_Listed]) -> _Listed:
    titled = [each for each in listed if each.library.library.name.casefold() == name.casefold()]
    found = titled or [each for each in listed if each.library.section == name]
    if len(found) == 1:
        return found[0]
    if found:
        servers = ", ".join(each.server.name for each in found)
        raise ConfigurationError(
            f"there are several libraries {name!r}: name the server with --server: {servers}"
        )
    known = (
        ", ".join(each.library.library.name for each in listed) or "none: `exstream plex login` adds servers"
    )
    raise ConfigurationError(f"there is no library {name!r}: the libraries are {known}")


def _write(listed: Sequence[_Listed], *, as_json: bool) -> None:
    if as_json:
        write_json([_shown(each) for each in listed])
    elif not listed:
        write("There are no libraries yet: `exstream plex login` adds servers with theirs.")
    else:
        width = max(len(each.library.library.name) for each in listed)
        for each in listed:
            library = each.library
            state = "gone from the server" if library.gone else "on" if library.enabled else "off"
            where = ", ".join(library.roots)
            write(
                f"{library.library.name:<{width}}  {library.kind:<6}  {state:<3}  {each.server.name}: {where}"
            )


def _shown(each: _Listed) -> dict[str, Any]:
    library = each.library
    return {
        "server": each.server.name,
        "server_id": each.server.id,
        "name": library.library.name,
        "section": library.section,
        "kind": library.kind,
        "enabled": library.enabled,
        "gone": library.gone,
        "roots": list(library.roots),
    }
