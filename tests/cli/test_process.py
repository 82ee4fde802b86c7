"""The command line as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

_PROGRAM = (sys.executable, "-m", "exstream")


def _environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EXSTREAM_")}
    ports = {"EXSTREAM_IPTV_PORT": "0", "EXSTREAM_HDHR_PORT": "0"}
    return {**kept, **ports, "EXSTREAM_DATA_DIR": str(tmp_path / "data")}


def test_help_is_quick_and_imports_nothing_heavy(tmp_path: Path) -> None:
    """Help needs neither the database, nor the web, nor ffmpeg, nor the settings' file format."""
    heavy = {
        "sqlalchemy",
        "fastapi",
        "starlette",
        "httpx",
        "av",
        "numpy",
        "PIL",
        "yaml",
        "rich",
        "structlog",
        "psutil",
    }
    listing = "import sys; from exstream.cli.program import run; run(['--help']); print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", listing],
        capture_output=True,
        text=True,
        check=True,
        env=_environment(tmp_path),
    )
    *help_lines, modules = done.stdout.splitlines()
    assert any("serve" in line for line in help_lines)
    assert heavy & {name.partition(".")[0] for name in modules.split()} == set()


def test_the_doctor_names_who_holds_a_port(tmp_path: Path) -> None:
    """A port that another program holds is told with its process, the setting that moves it, and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        number = taken.getsockname()[1]
        environment = {**_environment(tmp_path), "EXSTREAM_IPTV_PORT": str(number)}
        done = subprocess.run(
            [*_PROGRAM, "doctor"], capture_output=True, text=True, check=False, env=environment
        )
    assert done.returncode == 1
    assert f"port {number} is taken by" in done.stdout
    assert f"(process {os.getpid()})" in done.stdout
    assert "set EXSTREAM_IPTV_PORT to a free port" in done.stdout
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are tested on POSIX")
def test_ctrl_c_ends_a_scan_without_a_traceback(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a scan says so, ends with 130, and leaves no process behind."""
    films = tmp_path / "films"
    films.mkdir()
    for number in range(400):
        (films / f"{number}.mkv").write_bytes(os.urandom(64))
        os.utime(films / f"{number}.mkv", (1_700_000_000, 1_700_000_000))
    environment = _environment(tmp_path)
    command = [*_PROGRAM, "library", "add", str(films)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as scan:
        deadline = time.monotonic() + 60
        while not (tmp_path / "data" / "exstream.db").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        scan.send_signal(signal.SIGINT)
        out, err = scan.communicate(timeout=60)
    assert (scan.returncode, out) == (130, "")
    assert err == "exstream: stopped\n"


def test_a_path_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 and control characters in an argument are shown as escapes."""
    done = subprocess.run(
        [*map(os.fsencode, _PROGRAM), b"library", b"add", b"/absent/\xff\x1b[2J"],
        capture_output=True,
        check=False,
        env=_environment(tmp_path),
    )
    assert done.returncode == 1
    assert (
        done.stderr
        == b"exstream: there is no folder /absent/\\udcff\\x1b[2J: name one that holds media files\n"
    )


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    """``exstream config show | head`` ends quietly."""
    with subprocess.Popen(
        [*_PROGRAM, "config", "show"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(tmp_path),
    ) as show:
        assert show.stdout is not None
        assert show.stderr is not None
        show.stdout.close()
        assert b"Traceback" not in show.stderr.read()
