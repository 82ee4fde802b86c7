"""One call of the command line: its settings, and what is told when it ends in a way nobody foresaw."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer

from exstream.cli.outcome import say
from exstream.config import Configuration, Settings, load

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", help="The folder of everything Exstream keeps.", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]


class Invocation:
    """Made once per call, handed to the commands as the context's object."""

    def __init__(self) -> None:
        self.debug = False
        self._settings: Settings | None = None

    def configuration(self, **overrides: object) -> Configuration:
        """Read the settings, with the command line's ``overrides``; say what looks like a mistake in them.

        Raises ConfigurationError.
        """
        found = load(overrides)
        self._settings = found.settings
        for warning in found.warnings:
            say(f"exstream: warning: {warning}")
        return found

    def settings(self, **overrides: object) -> Settings:
        """Read the settings as `configuration` does."""
        return self.configuration(**overrides).settings

    def unforeseen(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        """Tell of an error that no part of the product raises on purpose; stands in for ``sys.excepthook``."""
        if self.debug:
            sys.__excepthook__(kind, error, traceback)
            return
        say(f"exstream: an unexpected error ({kind.__name__}) ended the command: this is a fault in Exstream")
        log = self._log(kind, error, traceback)
        if log is None:
            say("exstream: run the command again as `exstream --debug ...` and report what it writes")
        else:
            say(f"exstream: the details are in {log}: please report them; secrets are already left out")

    def _log(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> Path | None:
        """Write the traceback to the log file; return the file, None when it could not be written."""
        if self._settings is None:
            return None
        import structlog

        from exstream.telemetry.logs import write_logs
        from exstream.telemetry.redaction import Redaction

        path = self._settings.log_file
        before = _size(path)
        with write_logs(self._settings.data_dir, Redaction(self._settings.secrets), console=StringIO()):
            structlog.get_logger("exstream.cli").critical(
                "unexpected error", exc_info=(kind, error, traceback)
            )
        return path if _size(path) != before else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def invocation(context: typer.Context) -> Invocation:
    """Return the call that ``context`` belongs to."""
    found = context.find_object(Invocation)
    if found is None:
        raise TypeError("commands run inside exstream.cli.program")
    return found


def write_json(value: Mapping[str, Any] | list[Any]) -> None:
    """Write ``value`` to standard output for a script."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
