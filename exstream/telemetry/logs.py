"""Logs: for people on the console, as JSON lines in a rotated file; neither shows a secret."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from io import FileIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from exstream.telemetry.redaction import Redaction

FILE_BYTES = 10 * 1024 * 1024
FILE_COUNT = 5

# Whoever speaks once a request or more often is heard only when somebody debugs.
_TALKATIVE = (
    "aiosqlite",
    "alembic",
    "asyncio",
    "httpcore",
    "httpx",
    "uvicorn.access",
    "uvicorn.error",
    "watchfiles",
)
_SERVER = ("uvicorn", "uvicorn.error", "uvicorn.access")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MULTILINE = frozenset({"exception", "stack", "stderr"})


@contextmanager
def write_logs(
    data_dir: Path | None, redaction: Redaction, *, level: str = "info", console: TextIO | None = None
) -> Iterator[None]:
    """Send structlog and the standard library's logging to ``console`` and ``data_dir/logs/exstream.log``.

    ``console`` is standard error by default. Without a writable folder there is no file, and a warning.
    Start uvicorn with ``log_config=None`` inside.
    """
    stream = console if console is not None else sys.stderr
    handlers: list[logging.Handler] = [_console(stream, redaction)]
    refusal = None
    if data_dir is not None:
        try:
            handlers.append(_file(data_dir / "logs" / "exstream.log", redaction))
        except OSError as error:
            refusal = error
    root = logging.getLogger()
    before = {name: logging.getLogger(name).level for name in (None, *_TALKATIVE)}
    _quieten(logging.DEBUG if level == "debug" else logging.WARNING)
    root.setLevel(level.upper())
    for handler in handlers:
        root.addHandler(handler)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_facts(), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        if refusal is not None:
            structlog.get_logger(__name__).warning(
                "no log file: make the folder writable", file=str(refusal.filename), reason=refusal.strerror
            )
        yield
    finally:
        structlog.reset_defaults()
        for name, kept in before.items():
            logging.getLogger(name).setLevel(kept)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()


def errors_only(redaction: Redaction) -> None:
    """Send structlog's errors to standard error and the rest nowhere: for commands that tell the rest themselves."""
    to_stderr(redaction, logging.ERROR)


def to_stderr(redaction: Redaction, level: int) -> None:
    """Send what structlog is told from ``level`` on to standard error, also where that is replaced for a while."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            redaction,
            without_control_characters,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _quieten(talkative: int) -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(talkative)
    for name in _SERVER:
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = True


def _facts() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(redaction: Redaction, renderer: Processor) -> logging.Formatter:
    last: Sequence[Processor] = (
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # first: what a traceback quotes is redacted too
        redaction,
        without_control_characters,
        renderer,
    )
    return ProcessorFormatter(foreign_pre_chain=[*_facts(), structlog.stdlib.ExtraAdder()], processors=last)


def without_control_characters(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """Show control characters as escapes: no title and no header steers a terminal or forges a line."""
    return {key: _plain(value, lines=key in _MULTILINE) for key, value in event.items()}


def _plain(value: object, *, lines: bool) -> object:
    if isinstance(value, str):
        text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", value)
        return text if lines else text.replace("\n", "\\n")
    if isinstance(value, Mapping):
        return {_plain(key, lines=False): _plain(member, lines=lines) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member, lines=lines) for member in value]
    return value


def _console(stream: TextIO, redaction: Redaction) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    colours = stream.isatty() and "NO_COLOR" not in os.environ
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )
    handler.setFormatter(_formatter(redaction, renderer))
    return handler


def _file(path: Path, redaction: Redaction) -> logging.Handler:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _PrivateFile(path, maxBytes=FILE_BYTES, backupCount=FILE_COUNT - 1, encoding="utf-8")
    handler.setFormatter(_formatter(redaction, structlog.processors.JSONRenderer(_json_line)))
    return handler


def _json_line(event: object, **_options: object) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)


class _PrivateFile(RotatingFileHandler):
    """A log that only its owner may read, and that says once, in a sentence, when it cannot be written."""

    _silent = False

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(FileIO(descriptor, "ab"), encoding="utf-8", write_through=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the name is the standard library's
        """Report a full or vanished disk without a traceback; the console goes on."""
        if not self._silent and sys.stderr is not None:
            self._silent = True
            sys.stderr.write(
                f"cannot write {self.baseFilename} ({sys.exception()}): entries of {record.name} and others are lost\n"
            )
