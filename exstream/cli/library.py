"""``exstream library``: folders of one's own media, whether or not the server is running.

A running server reads the same database and takes up what is changed here by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exstream.cli.folders import library_name, meant, media_folder, present_library
from exstream.cli.invocation import AsJson, DataDir, DryRun, invocation, write_json
from exstream.cli.outcome import ExitCode, say, write
from exstream.config import Settings
from exstream.errors import ConfigurationError
from exstream.model.catalogue import Catalogue, Item, Library, LibraryKind

if TYPE_CHECKING:
    from exstream.jobs.library import ScanResult

    _Scans = list[tuple[Library, ScanResult]]

_NONE_YET = "There are no libraries yet: `exstream library add PATH` makes a folder one."

app = typer.Typer(help="Folders of your own media.", no_args_is_help=True)

_Folder = Annotated[Path, typer.Argument(metavar="PATH", help="The folder.", show_default=False)]
_Named = Annotated[
    str, typer.Argument(metavar="PATH", help="The library's folder, or its name.", show_default=False)
]
_Perhaps = Annotated[
    str | None,
    typer.Argument(
        metavar="[PATH]", help="The library's folder, or its name; all when left out.", show_default=False
    ),
]
_Name = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What pools call it; the folder's name.", show_default=False),
]


@app.command("add")
def add(
    context: typer.Context,
    path: _Folder,
    name: _Name = None,
    data_dir: DataDir = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a folder of media a library, and look into its files."""
    settings = invocation(context).settings(data_dir=data_dir)
    folder = media_folder(path)
    if dry_run:
        _foresee(asyncio.run(_foreseen_addition(settings, folder, name)), as_json=as_json)
    else:
        _report(asyncio.run(_added(settings, folder, name)), as_json=as_json)


async def _added(settings: Settings, folder: Path, name: str | None) -> _Scans:
    from exstream.cli.scanning import scanning
    from exstream.cli.shelf import writable_shelf

    async with writable_shelf(settings) as shelf, scanning(settings, shelf) as scans:
        libraries = await shelf.libraries()
        library = present_library(folder, libraries)
        if library is None:
            new = library_name(name, folder, libraries)
            library = await shelf.add_library(LibraryKind.FOLDER, new, str(folder))
        else:
            _refuse_demo(library)
            say(f"exstream: {folder} is the library {library.name!r} already: looking for changes")
        return [(library, await scans.scan(library))]


async def _foreseen_addition(settings: Settings, folder: Path, name: str | None) -> dict[str, dict[str, Any]]:
    from exstream.cli.scanning import foreseen
    from exstream.cli.shelf import readable_shelf

    async with readable_shelf(settings) as shelf:
        libraries = await shelf.libraries()
        library = present_library(folder, libraries)
        if library is not None:
            _refuse_demo(library)
            items = _items_of(library, await shelf.load())
            return {library.name: foreseen(library.path, items, _journal(settings, library))}
        return {library_name(name, folder, libraries): foreseen(str(folder), ())}


@app.command("scan")
def scan(
    context: typer.Context,
    path: _Perhaps = None,
    data_dir: DataDir = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Look for new, changed and deleted files now."""
    settings = invocation(context).settings(data_dir=data_dir)
    if dry_run:
        _foresee(asyncio.run(_foreseen_scan(settings, path)), as_json=as_json)
    else:
        _report(asyncio.run(_scanned(settings, path)), as_json=as_json)


async def _scanned(settings: Settings, path: str | None) -> _Scans:
    from exstream.cli.scanning import scanning
    from exstream.cli.shelf import readable_shelf, try_again, writable_shelf

    async with readable_shelf(settings) as known:
        chosen = _chosen(path, await known.libraries())
    if not chosen:
        return []
    await try_again(settings, chosen)
    async with writable_shelf(settings) as shelf, scanning(settings, shelf) as scans:
        return [(library, await scans.scan(library)) for library in chosen]


async def _foreseen_scan(settings: Settings, path: str | None) -> dict[str, dict[str, Any]]:
    from exstream.cli.scanning import foreseen
    from exstream.cli.shelf import readable_shelf

    async with readable_shelf(settings) as shelf:
        catalogue = await shelf.load()
        return {
            library.name: foreseen(library.path, _items_of(library, catalogue), _journal(settings, library))
            for library in _chosen(path, await shelf.libraries())
        }


def _chosen(path: str | None, libraries: Sequence[Library]) -> list[Library]:
    if path is None:
        return [library for library in libraries if library.kind is not LibraryKind.DEMO]
    library = meant(path, libraries)
    _refuse_demo(library)
    return [library]


def _refuse_demo(library: Library) -> None:
    if library.kind is LibraryKind.DEMO:
        raise ConfigurationError(
            f"{library.name} is the demo library, which the server keeps: set EXSTREAM_DEMO=false to do without it"
        )


def _report(scans: _Scans, *, as_json: bool) -> None:
    """Tell what the scans found and end with the worst of their exit codes."""
    from exstream.cli import scanning

    if as_json:
        write_json([scanning.as_json(library, found) for library, found in scans])
    elif not scans:
        write(_NONE_YET)
    else:
        for library, found in scans:
            scanning.write_found(library, found)
    raise typer.Exit(max((scanning.verdict(found) for _, found in scans), default=ExitCode.OK))


def _foresee(seen: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    from exstream.cli.scanning import write_foreseen

    if as_json:
        write_json([{"name": name, **each} for name, each in seen.items()])
    elif not seen:
        write(_NONE_YET)
    else:
        for name, each in seen.items():
            write_foreseen(name, each)


@app.command("list")
def list_libraries(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the libraries."""
    settings = invocation(context).settings(data_dir=data_dir)
    shown = asyncio.run(_listed(settings))
    if as_json:
        write_json(shown)
    elif not shown:
        write(_NONE_YET)
    else:
        width = max(len(entry["name"]) for entry in shown)
        for entry in shown:
            said = f"{entry['name']:<{width}}  {_count(entry['items'], 'item'):>12}  {entry['path']}"
            write(said + _shortfall(entry))


def _shortfall(entry: dict[str, Any]) -> str:
    """Return what of a library is not to be seen, and where more is told."""
    unreadable = f"{_count(len(entry['unreadable']), 'file')} cannot be used" if entry["unreadable"] else ""
    missing = f"{entry['missing']} missing" if entry["missing"] else ""
    said = ", ".join(filter(None, (missing, unreadable)))
    hint = ": `exstream library scan` names them" if unreadable else ""
    return f"  ({said}{hint})" if said else ""


async def _listed(settings: Settings) -> list[dict[str, Any]]:
    from exstream.cli.shelf import readable_shelf

    async with readable_shelf(settings) as shelf:
        catalogue = await shelf.load()
        return [
            {
                "name": library.name,
                "path": library.path,
                "kind": library.kind.value,
                "items": len(items := _items_of(library, catalogue)),
                "missing": sum(item.missing for item in items),
                "unreadable": _unreadable(settings, library),
            }
            for library in await shelf.libraries()
        ]


@app.command("remove")
def remove(
    context: typer.Context,
    path: _Named,
    data_dir: DataDir = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Forget a library; its files stay where they are."""
    settings = invocation(context).settings(data_dir=data_dir)
    library, items = asyncio.run(_removed(settings, path, dry_run=dry_run))
    if as_json:
        write_json({"name": library.name, "path": library.path, "items": items, "removed": not dry_run})
        return
    word = "would be forgotten" if dry_run else "is forgotten"
    write(f"{library.name} with {_count(items, 'item')} {word}; the files in {library.path} stay")


async def _removed(settings: Settings, path: str, *, dry_run: bool) -> tuple[Library, int]:
    from exstream.cli.shelf import readable_shelf, writable_shelf

    async with readable_shelf(settings) as shelf:
        library = meant(path, await shelf.libraries())
        items = len(_items_of(library, await shelf.load()))
    _refuse_demo(library)
    if not dry_run:
        async with writable_shelf(settings) as shelf:
            await shelf.remove_library(library.id)
        _journal(settings, library).unlink(missing_ok=True)
    return library, items


def _unreadable(settings: Settings, library: Library) -> dict[str, str]:
    """Return why files could not be used when they were last looked into, by their paths below the folder."""
    from exstream.jobs.journal import Journal

    known = Journal.read(_journal(settings, library)).files
    return {path: file.fault for path, file in sorted(known.items()) if file.fault}


def _journal(settings: Settings, library: Library) -> Path:
    """Return the file in which scans remember what they found in the library's files."""
    return settings.journals_dir / f"{library.id}.json"


def _items_of(library: Library, catalogue: Catalogue) -> Sequence[Item]:
    return [item for item in catalogue.items.values() if item.library == library.name]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
