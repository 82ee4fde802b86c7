"""Logs on the console and in the file."""

import errno
import io
import json
import logging
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from exstream.telemetry import Redaction, write_logs

CANARY = "caNary-9xQz7LwT2kRv"


@contextmanager
def _logging(folder: Path, level: str = "info") -> Iterator[io.StringIO]:
    console = io.StringIO()
    with write_logs(folder, Redaction([CANARY]), level=level, console=console):
        yield console


def _entries(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "logs" / "exstream.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_an_entry_reaches_console_and_file(tmp_path: Path) -> None:
    """A person reads a line, a program reads JSON with time, level and logger."""
    with _logging(tmp_path) as console:
        structlog.get_logger("exstream.playout").info("on air", channel="1984.1")
    (entry,) = _entries(tmp_path)
    assert entry["event"] == "on air"
    assert entry["channel"] == "1984.1"
    assert entry["level"] == "info"
    assert entry["logger"] == "exstream.playout"
    assert entry["timestamp"].endswith("Z")
    assert "on air" in console.getvalue()
    assert "\x1b" not in console.getvalue()


def test_the_standard_library_and_uvicorn_are_routed_through(tmp_path: Path) -> None:
    """Foreign loggers end in the same file, with their arguments filled in; talkative ones are quiet."""
    with _logging(tmp_path):
        logging.getLogger("uvicorn.error").warning("Invalid request from %s", "10.0.0.9")
        logging.getLogger("uvicorn.access").info("one line a request")
        logging.getLogger("httpx").info("one line a request")
    (entry,) = _entries(tmp_path)
    assert entry["event"] == "Invalid request from 10.0.0.9"
    assert entry["logger"] == "uvicorn.error"


def test_no_secret_is_written_by_any_way_in(tmp_path: Path) -> None:
    """A canary token logged as text, value, argument, context and in a traceback appears in no output."""
    with _logging(tmp_path, "debug") as console:
        log = structlog.get_logger("exstream")
        log.info("GET /?X-Plex-Token=%s", CANARY)
        log.info("request", headers={"X-Plex-Token": CANARY}, url=f"http://h/m/{CANARY}")
        log.info("unnamed", value=f"see {CANARY} there", members=[CANARY])
        logging.getLogger("uvicorn.access").info("%s - %s", "10.0.0.9", f"/?token={CANARY}")
        logging.getLogger("httpx").debug("plain", extra={"token": CANARY})
        with structlog.contextvars.bound_contextvars(session=CANARY):
            log.info("bound")
        try:
            int(CANARY)
        except ValueError:
            log.exception("failed")
            logging.getLogger("asyncio").exception("failed, too")
    written = (tmp_path / "logs" / "exstream.log").read_text(encoding="utf-8") + console.getvalue()
    assert len(_entries(tmp_path)) == 8
    assert written.count("Traceback") == 4
    assert CANARY not in written


def test_control_characters_cannot_steer_a_terminal(tmp_path: Path) -> None:
    """Escape sequences and line breaks in a title are shown, not obeyed."""
    with _logging(tmp_path) as console:
        structlog.get_logger().info(
            "title \x1b[2J\r\n2026-11-21 [error] forged", title="a\x9bb\u202ec\nd", n=["\x07"]
        )
    shown = console.getvalue()
    assert len(shown.splitlines()) == 1
    assert not set(shown) & set("\x1b\x9b\u202e\x07\r")
    assert "\\x1b[2J" in shown


def test_the_file_is_private_and_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the owner may read it, and full files are kept up to the limit, the oldest dropped."""
    monkeypatch.setattr("exstream.telemetry.logs.FILE_BYTES", 2000)
    with _logging(tmp_path):
        for number in range(200):
            structlog.get_logger().info("entry", number=number)
    files = sorted((tmp_path / "logs").iterdir())
    assert [path.name for path in files] == ["exstream.log", *(f"exstream.log.{n}" for n in range(1, 5))]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert all(path.stat().st_size <= 2000 for path in files)
    assert _entries(tmp_path)[-1]["number"] == 199


def test_without_a_writable_folder_the_console_goes_on(tmp_path: Path) -> None:
    """A data directory that cannot hold a log is named in a warning; logging itself works."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with _logging(blocked) as console:
        structlog.get_logger().info("still here")
    assert "make the folder writable" in console.getvalue()
    assert "still here" in console.getvalue()


def test_a_full_disk_is_told_once_and_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Entries that cannot be written cost one sentence on standard error."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "exstream.log").symlink_to("/dev/full")
    monkeypatch.setattr("exstream.telemetry.logs.FILE_BYTES", 0)
    with _logging(tmp_path) as console:
        structlog.get_logger().info("one")
        structlog.get_logger().info("two")
    told = capsys.readouterr().err
    assert told.count("cannot write") == 1
    assert "Traceback" not in told
    assert errno.errorcode[errno.ENOSPC] in told or "No space left" in told
    assert "two" in console.getvalue()


def test_afterwards_logging_is_as_it_was(tmp_path: Path) -> None:
    """Leaving the block closes the file and takes every trace of the set-up away."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with _logging(tmp_path, "debug"):
        assert root.level == logging.DEBUG
    assert (root.level, list(root.handlers)) == before
    assert not structlog.is_configured()
