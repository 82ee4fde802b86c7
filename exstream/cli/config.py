"""``exstream config``: what is set, and where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from exstream.cli.invocation import AsJson, DataDir, invocation, write_json
from exstream.cli.outcome import write
from exstream.config import OPTIONS, Configuration
from exstream.model.channel import Profile

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)

MASK = "********"

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


@app.callback()
def group() -> None:
    """Look at the settings."""


@app.command("show")
def show(context: typer.Context, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every setting, its value and where it comes from; secrets are masked."""
    found = invocation(context).configuration(data_dir=data_dir)
    if as_json:
        write_json({"settings": shown(found), "warnings": list(found.warnings)})
        return
    width = max(map(len, OPTIONS))
    for name, entry in shown(found).items():
        write(f"{name:<{width}}  {_line(entry['value'])}  ({entry['origin']})")


def shown(found: Configuration) -> dict[str, dict[str, Json]]:
    """Return value and origin of every setting as they may be shown."""
    return {
        name: {"value": _shown(name, getattr(found.settings, name)), "origin": found.origins[name]}
        for name in OPTIONS
    }


def _shown(name: str, value: object) -> Json:
    if OPTIONS[name].secret:
        return _masked(str(value))
    match value:
        case Path():
            return str(value)
        case Mapping():
            return {key: _profile(profile) for key, profile in value.items()}
        case tuple():
            return [str(member) for member in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _masked(value: str) -> str:
    """Return what may be shown of a secret: whether there is one; of a database's URL, its kind or its file."""
    scheme, mark, _ = value.partition("://")
    if not mark:
        return MASK if value else ""
    return value if scheme.startswith("sqlite") else f"{scheme}://{MASK}"


def _profile(profile: Profile) -> Json:
    return {
        "width": profile.width,
        "height": profile.height,
        "rate": str(profile.rate),
        "video_kbps": profile.video_kbps,
        "max_kbps": profile.max_kbps,
        "audio_kbps": profile.audio_kbps,
        "preset": profile.preset,
        "languages": list(profile.languages),
        "loudness": profile.loudness,
    }


def _line(value: Json) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return str(value).lower()
        case dict() | list():
            return ", ".join(map(str, value)) or "-"
        case _:
            return str(value)
