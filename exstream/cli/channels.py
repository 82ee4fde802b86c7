"""``exstream channels``: the channels as they are defined."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import ExitCode, say, write
from exstream.cli.selection import misnamed
from exstream.cli.sending import sendings
from exstream.config import Settings

if TYPE_CHECKING:
    from exstream.definitions import Definitions

app = typer.Typer(help="The channels as they are defined.", no_args_is_help=True)


@app.command("list")
def list_channels(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the channels as they are defined."""
    settings = invocation(context).settings(data_dir=data_dir)
    found = read(settings)
    if as_json:
        write_json(_shown(found, settings))
    else:
        _write(found, settings)
    for fault in found.faults:
        say(f"exstream: {fault}")
    raise typer.Exit(ExitCode.PARTIAL if found.faults else ExitCode.OK)


@app.command("check")
def check(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Look for faults in the channel definitions, and tell them all."""
    settings = invocation(context).settings(data_dir=data_dir)
    found = read(settings)
    found = replace(found, faults=(*found.faults, *asyncio.run(misnamed(settings, found))))
    if as_json:
        write_json(
            {
                "folder": str(folder(settings)),
                "channels": len(found.channels),
                "faults": list(found.faults),
                "copying": {name: sent.shown() for name, sent in sendings(settings, found.channels).items()},
            }
        )
    else:
        for fault in found.faults:
            write(fault)
        for name, sent in sendings(settings, found.channels).items():
            write(f"{name}: {sent.sentence()}")
            for reason in sent.reasons():
                write(f"    {reason}")
        write(said(found, folder(settings)))
    raise typer.Exit(ExitCode.FAILURE if found.faults else ExitCode.OK)


def read(settings: Settings) -> Definitions:
    """Read the definitions as a server would; without their folder there are no channels."""
    from exstream.definitions import Definitions, load_directory
    from exstream.jobs.lineup import remembered

    path = folder(settings)
    if not path.exists():
        return Definitions()
    return load_directory(
        path, settings.profiles.keys(), remembered(settings.last_good_file), settings.timezone
    )


def folder(settings: Settings) -> Path:
    """Return where the definitions are: before the first start, the shipped ones that it will copy."""
    if settings.channels_dir.exists() or not settings.demo:
        return settings.channels_dir
    from exstream.resources import data_path

    return data_path("channels")


def said(found: Definitions, path: Path) -> str:
    """Return in a sentence how many channels and faults there are."""
    faults = f"{len(found.faults)} fault{'' if len(found.faults) == 1 else 's'}"
    channels = f"{len(found.channels)} channel{'' if len(found.channels) == 1 else 's'}"
    return f"{channels} and {faults} in {path}"


def _shown(found: Definitions, settings: Settings) -> list[dict[str, object]]:
    sent = sendings(settings, found.channels)
    return [
        {
            "id": channel.id,
            "number": channel.number,
            "name": channel.name,
            "profile": channel.profile,
            "copying": sent[channel.id].shown() if channel.id in sent else None,
            "enabled": channel.enabled,
            "file": name,
        }
        for channel in found.channels
        for name, definition in found.files.items()
        if definition is channel
    ]


def _write(found: Definitions, settings: Settings) -> None:
    if not found.channels:
        write(f"There are no channels in {folder(settings)}")
        return
    sent = sendings(settings, found.channels)
    width = max(len(channel.name) for channel in found.channels)
    for channel in found.channels:
        state = "" if channel.enabled else "  (not enabled)"
        write(f"{channel.number:>8}  {channel.name:<{width}}  {channel.profile}  {channel.id}{state}")
        if channel.id in sent:
            write(f"{'':>8}  {sent[channel.id].sentence()}")
