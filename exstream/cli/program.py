"""The commands put together, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from exstream import __version__
from exstream.cli import asrun, channels, check_stream, config, discover, doctor, library, plex, serve, sync
from exstream.cli.invocation import Invocation, invocation
from exstream.cli.outcome import ExitCode, say, tell
from exstream.errors import ExstreamError

app = typer.Typer(
    name="exstream",
    help="Your own media as round-the-clock television channels.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.add_typer(library.app, name="library")
app.add_typer(channels.app, name="channels")
app.add_typer(plex.app, name="plex")
app.command("sync-all")(sync.sync_all)
app.command("sync")(sync.sync)
app.command("discover")(discover.discover)
app.add_typer(config.app, name="config")
app.command("asrun")(asrun.asrun)
app.command("check-stream")(check_stream.check_stream)
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exstream {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Your own media as round-the-clock television channels."""
    invocation(context).debug = debug


def run(arguments: Sequence[str]) -> int:
    """Run the command that ``arguments`` name and return its exit code.

    What is no `ExstreamError` goes on to ``sys.excepthook``, which says where the details are.
    """
    this = Invocation()
    sys.excepthook = this.unforeseen
    try:
        code = get_command(app).main(
            args=list(arguments), prog_name="exstream", standalone_mode=False, obj=this
        )
    except ExstreamError as error:
        return tell(error)
    except (typer.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    except typer.TyperException as error:
        _tell_misuse(error)
        return ExitCode.FAILURE
    if code == ExitCode.INTERRUPTED:
        say("exstream: stopped")
    return int(code or ExitCode.OK)


def _tell_misuse(error: typer.TyperException) -> None:
    """Say what was wrong with the arguments; for want of a command the message is the help."""
    message = error.format_message()
    if message.startswith("Usage: "):
        say(message)
        return
    say(f"exstream: {message}")
    context: typer.Context | None = getattr(error, "ctx", None)
    say(f"Try `{context.command_path if context else 'exstream'} --help`.")
