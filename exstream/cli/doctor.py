"""``exstream doctor``: everything the server needs, one line each, with what to do where it is not as it should be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from exstream.cli import channels, checks
from exstream.cli.checks import Check, State
from exstream.cli.invocation import AsJson, DataDir, DryRun, invocation, write_json
from exstream.cli.outcome import ExitCode, plain
from exstream.cli.selection import misnamed
from exstream.config import Configuration, Settings
from exstream.errors import ConfigurationError

_COLOURS = {State.OK: typer.colors.GREEN, State.WARN: typer.colors.YELLOW, State.FAIL: typer.colors.RED}


_Fix = Annotated[
    bool,
    typer.Option(
        "--fix",
        help="Put right what does not fit together in the catalogue, after a backup, and nothing else.",
    ),
]


def doctor(
    context: typer.Context,
    fix: _Fix = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Look whether Exstream has all it needs: this machine, the configured database, and the Plex servers."""
    found = invocation(context).configuration(data_dir=data_dir)
    if dry_run and not fix:
        raise ConfigurationError("--dry-run belongs to --fix: without it nothing is ever changed")
    if fix:
        _fix(found.settings, dry_run=dry_run, as_json=as_json)
    done = asyncio.run(_look(found, show=not as_json))
    if as_json:
        write_json([asdict(check) for check in done])
    raise typer.Exit(verdict(done))


def _fix(settings: Settings, *, dry_run: bool, as_json: bool) -> None:
    from exstream.cli import repair

    done = repair.repair(settings, dry_run=dry_run)
    if as_json:
        write_json(repair.as_json(done))
    else:
        repair.write_repair(done)
    raise typer.Exit(repair.verdict(done))


def verdict(done: Iterable[Check]) -> ExitCode:
    """Return the exit code: a failure here counts more than a system elsewhere that does not answer."""
    failures = [check for check in done if check.state is State.FAIL]
    if not failures:
        return ExitCode.OK
    return ExitCode.UNREACHABLE if all(check.unreachable for check in failures) else ExitCode.FAILURE


async def _look(found: Configuration, *, show: bool) -> list[Check]:
    done = []
    async for check in _all_checks(found):
        done.append(check)
        if show:
            _write(check)
    return done


def _write(check: Check) -> None:
    mark = typer.style(f"{check.state:<4}", fg=_COLOURS[check.state])
    typer.echo(f"{mark}  {check.name:<10}  {plain(check.text)}")
    if check.remedy and check.state is not State.OK:
        typer.echo(f"{'':<6}{'':<10}  -> {plain(check.remedy)}")


async def _all_checks(found: Configuration) -> AsyncIterator[Check]:
    from exstream.cli.encoders import ffmpeg
    from exstream.cli.stored import stored
    from exstream.clock import SystemClock
    from exstream.ffmpeg.font import font_file
    from exstream.ffmpeg.guard import setpriv_guard

    settings = found.settings
    for check in _settings(found):
        yield check
    async for check in ffmpeg(settings):
        yield check
    yield checks.guard(setpriv_guard())
    yield checks.font(font_file())
    yield checks.data_folder(settings.data_dir)
    yield checks.port("iptv port", "EXSTREAM_IPTV_PORT", settings.host, settings.iptv_port, "/metrics")
    yield checks.port("tuner port", "EXSTREAM_HDHR_PORT", settings.host, settings.hdhr_port, "/discover.json")
    async for check in stored(settings):
        yield check
    async for check in _channels(settings):
        yield check
    yield checks.clock(SystemClock().now_ms())


def _settings(found: Configuration) -> Iterator[Check]:
    for warning in found.warnings:
        yield Check("settings", State.WARN, warning, "correct the name, or remove it")
    if not found.warnings:
        config = found.settings.config
        absent = " is not there: no setting comes from a file of settings"
        yield checks.passed("settings", f"{config}{'' if config.is_file() else absent}")


async def _channels(settings: Settings) -> AsyncIterator[Check]:
    found = channels.read(settings)
    for fault in found.faults:
        yield Check(
            "channels", State.FAIL, fault, "correct the file; a running server keeps what was good before"
        )
    absent = await misnamed(settings, found)
    for fault in absent:
        yield Check(
            "channels",
            State.WARN,
            fault,
            "correct the name, or add what it names: nothing comes of it till then",
        )
    if not found.faults and not absent:
        yield checks.passed("channels", channels.said(found, channels.folder(settings)))
