"""``exstream plex map``: where the folders of a server lie on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import ExitCode, say, write
from exstream.cli.plex_access import NO_SERVERS, kept_servers, meant_server, nothing_kept, turn
from exstream.cli.plex_libraries import ServerOption
from exstream.config import Settings
from exstream.errors import ConfigurationError
from exstream.model.server import Localise, Mapping, Server

if TYPE_CHECKING:
    from exstream.store.plex import PlexStore

app = typer.Typer(help="Where the folders of Plex servers lie on this machine.", no_args_is_help=True)

_PlexPath = Annotated[
    str, typer.Argument(metavar="PLEX_PATH", help="The folder as the server calls it.", show_default=False)
]
_LocalPath = Annotated[
    Path, typer.Argument(metavar="LOCAL_PATH", help="The same folder here.", show_default=False)
]
_File = Annotated[
    str | None,
    typer.Argument(
        metavar="[PLEX_PATH]",
        help="A file or folder as the server calls it; the libraries' folders when left out.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class _Tested:
    """What a path of a server becomes; ``fault`` says why it cannot be read, empty where it can."""

    server: str
    plex_path: str
    local_path: str
    fault: str


@app.command("add")
def add(
    context: typer.Context,
    plex_path: _PlexPath,
    local_path: _LocalPath,
    server: ServerOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say where a folder of a server lies here; the longest folder that fits a file counts."""
    settings = invocation(context).settings(data_dir=data_dir)
    folder = _local_folder(local_path)
    mapping, name = asyncio.run(_added(settings, _plex_folder(plex_path), folder, server))
    if fault := _fault(folder):
        say(
            f"exstream: warning: {folder} {fault}: its files come from the server until they can be read here"
        )
    _write([(mapping, name)], as_json=as_json)


def _plex_folder(path: str) -> str:
    from exstream.plex.paths import is_windows

    if not (path.startswith("/") or is_windows(path)):
        raise ConfigurationError(
            f"{path!r} is no whole path of a server: `exstream plex libraries list` shows its folders"
        )
    return path.rstrip("/\\") or "/"


def _local_folder(path: Path) -> str:
    try:
        return os.path.abspath(path.expanduser())  # noqa: PTH100 -- a mount point's link is kept as it was named
    except RuntimeError as error:
        raise ConfigurationError(f"{path}: there is no such home directory: write the whole path") from error


async def _added(settings: Settings, plex_path: str, local: str, named: str | None) -> tuple[Mapping, str]:
    _refuse_nothing(settings)
    async with kept_servers(settings) as store:
        server = meant_server(named, await store.servers())
        mapping = Mapping(server.id, plex_path, local)
        # A synchronisation that goes on would write where files lay before.
        async with turn(settings, server):
            await store.add_mapping(mapping, _localise(server))
    return mapping, server.name


@app.command("list")
def list_mappings(
    context: typer.Context, server: ServerOption = None, data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """List where folders of servers lie here."""
    settings = invocation(context).settings(data_dir=data_dir)
    _write([] if nothing_kept(settings) else asyncio.run(_listed(settings, server)), as_json=as_json)


async def _listed(settings: Settings, named: str | None) -> list[tuple[Mapping, str]]:
    async with kept_servers(settings) as store:
        return [
            (mapping, server.name)
            for server in await _chosen(store, named)
            for mapping in await store.mappings(server.id)
        ]


@app.command("remove")
def remove(
    context: typer.Context,
    plex_path: _PlexPath,
    server: ServerOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Forget where a folder of a server lies here; no file is touched."""
    settings = invocation(context).settings(data_dir=data_dir)
    gone, name = asyncio.run(_removed(settings, _plex_folder(plex_path), server))
    if as_json:
        write_json({**_shown(gone, name), "removed": True})
    else:
        write(f"{gone.plex_path} of {name} is not mapped any more; the files in {gone.local_path} stay")


async def _removed(settings: Settings, plex_path: str, named: str | None) -> tuple[Mapping, str]:
    _refuse_nothing(settings)
    async with kept_servers(settings) as store:
        found = [
            (mapping, server)
            for server in await _chosen(store, named)
            for mapping in await store.mappings(server.id)
            if mapping.plex_path == plex_path
        ]
        if len(found) > 1:
            servers = ", ".join(server.name for _, server in found)
            raise ConfigurationError(f"several servers map {plex_path}: name one with --server: {servers}")
        if not found:
            raise ConfigurationError(f"{plex_path} is not mapped: `exstream plex map list` shows what is")
        mapping, server = found[0]
        async with turn(settings, server):
            await store.remove_mapping(server.id, mapping.id, _localise(server))
    return mapping, server.name


@app.command("test")
def try_path(
    context: typer.Context,
    plex_path: _File = None,
    server: ServerOption = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what a path of a server becomes here, and whether it can be read."""
    settings = invocation(context).settings(data_dir=data_dir)
    _refuse_nothing(settings)
    tested = asyncio.run(_tested(settings, plex_path, server))
    if as_json:
        write_json([_as_json(each) for each in tested])
    else:
        _write_tests(tested)
    faults = sum(bool(each.fault) for each in tested)
    if faults:
        raise typer.Exit(ExitCode.PARTIAL if faults < len(tested) else ExitCode.FAILURE)


async def _tested(settings: Settings, path: str | None, named: str | None) -> list[_Tested]:
    found = []
    async with kept_servers(settings) as store:
        servers = await store.servers()
        chosen = [meant_server(named, servers)] if path is not None else await _chosen(store, named)
        for server in chosen:
            mappings = await store.mappings(server.id)
            libraries = [each for each in await store.libraries(server.id) if not each.gone and each.enabled]
            roots = list(dict.fromkeys(root for library in libraries for root in library.roots))
            found += [_test(server, each, mappings, roots) for each in ([path] if path else roots)]
    return found


def _test(server: Server, path: str, mappings: Sequence[Mapping], roots: Sequence[str]) -> _Tested:
    local = _localise(server)(mappings, roots)(path)
    fault = _fault(local) if local else "is not here under this name, and no mapping leads to it"
    return _Tested(server.name, path, local, fault)


def _localise(server: Server) -> Localise:
    from exstream.plex.paths import Whereabouts

    return lambda mappings, roots: Whereabouts(server.id, mappings, roots, os.path.exists).local


def _fault(path: str) -> str:
    """Return why the file or folder at ``path`` cannot be read; empty where it can."""
    if not os.path.exists(path):  # noqa: PTH110 -- as `Whereabouts` asks
        return "is not there"
    right = os.R_OK | os.X_OK if Path(path).is_dir() else os.R_OK
    return "" if os.access(path, right) else "may not be read by this user"


def _write_tests(tested: Sequence[_Tested]) -> None:
    if not tested:
        write("There are no folders to test: name a path, or enable a library.")
    for each in tested:
        if not each.fault:
            write(f"{each.server}: {each.plex_path} is {each.local_path}: can be read")
        elif each.local_path:
            write(f"{each.server}: {each.plex_path} is {each.local_path}, which {each.fault}")
        else:
            write(f"{each.server}: {each.plex_path} {each.fault}: its files come from the server")


def _as_json(each: _Tested) -> dict[str, Any]:
    return {
        "server": each.server,
        "plex_path": each.plex_path,
        "local_path": each.local_path,
        "readable": not each.fault,
        "fault": each.fault,
    }


async def _chosen(store: PlexStore, named: str | None) -> list[Server]:
    servers = await store.servers()
    return servers if named is None else [meant_server(named, servers)]


def _refuse_nothing(settings: Settings) -> None:
    if nothing_kept(settings):
        raise ConfigurationError(NO_SERVERS)


def _write(mappings: Sequence[tuple[Mapping, str]], *, as_json: bool) -> None:
    if as_json:
        write_json([_shown(mapping, name) for mapping, name in mappings])
    elif not mappings:
        write("No folder is mapped: files are read where the server says, or come from the server.")
    else:
        width = max(len(mapping.plex_path) for mapping, _ in mappings)
        for mapping, name in mappings:
            write(f"{name}: {mapping.plex_path:<{width}}  ->  {mapping.local_path}")


def _shown(mapping: Mapping, name: str) -> dict[str, Any]:
    return {
        "server": name,
        "server_id": mapping.server,
        "plex_path": mapping.plex_path,
        "local_path": mapping.local_path,
    }
