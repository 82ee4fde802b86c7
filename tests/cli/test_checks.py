"""What the doctor looks at on this machine, with real sockets and real folders."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from exstream.cli import checks
from exstream.cli.checks import Check, State
from exstream.errors import ConfigurationError


@contextmanager
def _listener() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@contextmanager
def _page(body: bytes) -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _port(number: int, page: str = "/metrics") -> Check:
    return checks.port("iptv port", "EXSTREAM_IPTV_PORT", "127.0.0.1", number, page)


def test_a_free_port_is_fine() -> None:
    """A port that nobody holds passes, and so does 0, which means any."""
    with _listener() as number:
        pass
    assert _port(number).state is State.OK
    assert _port(0) == checks.passed("iptv port", "any free port")


def test_a_taken_port_names_its_holder_and_the_setting() -> None:
    """Who holds a port and which setting moves it stand in the answer, though the holder speaks no HTTP."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        taken.settimeout(5)

        def hang_up() -> None:
            taken.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        check = _port(taken.getsockname()[1])
        thread.join()
    assert check.state is State.FAIL
    assert f"{taken!r}" not in check.text
    assert "is taken by" in check.text
    assert "EXSTREAM_IPTV_PORT" in check.remedy


def test_a_port_held_by_exstream_is_fine() -> None:
    """The doctor beside a running server is content: the figures on its port have its name."""
    with _page(b'exstream_info{version="1"} 1.0\n') as number:
        check = _port(number)
    assert check == checks.passed("iptv port", f"{number} is held by a running Exstream")


def test_a_port_held_by_another_server_fails() -> None:
    """Another HTTP server on the port is no Exstream."""
    with _page(b"It works!") as number:
        assert _port(number).state is State.FAIL


def test_an_address_of_another_machine_fails() -> None:
    """A host setting that is no address of this machine is told with its setting."""
    check = checks.port("iptv port", "EXSTREAM_IPTV_PORT", "192.0.2.1", 8411, "/metrics")
    assert check.state is State.FAIL
    assert "EXSTREAM_HOST" in check.text + check.remedy


def test_a_data_folder_that_can_be_made_passes(tmp_path: Path) -> None:
    """Before the first start the folder may be missing, as long as it can be made; looking makes nothing."""
    assert checks.data_folder(tmp_path / "new" / "data").state is not State.FAIL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("free", "state"), [(10**8, State.FAIL), (10**9, State.WARN), (10**10, State.OK)])
def test_little_room_is_told_in_time(tmp_path: Path, free: int, state: State) -> None:
    """Below 2 GB the doctor warns, below 200 MB it fails, and says which setting moves the folder."""
    check = checks.data_folder(tmp_path, lambda _folder: free)
    assert check.state is state
    assert (state is State.OK) != ("EXSTREAM_DATA_DIR" in check.remedy)
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_below_a_file_fails(tmp_path: Path) -> None:
    """A folder that cannot be made is told with the path, before a server stumbles over it."""
    (tmp_path / "file").write_bytes(b"")
    check = checks.data_folder(tmp_path / "file" / "data")
    assert (check.state, str(tmp_path / "file" / "data") in check.text) == (State.FAIL, True)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_a_data_folder_that_refuses_writing_fails() -> None:
    """A folder that even root cannot write fails."""
    check = checks.data_folder(Path("/proc/self"))
    assert check.state is State.FAIL
    assert "cannot be written" in check.text


@pytest.mark.skipif(sys.platform != "linux", reason="limits of file sizes are tested on Linux")
def test_a_disk_that_takes_no_more_bytes_fails(tmp_path: Path) -> None:
    """Where free bytes are promised but writing fails, the doctor has tried it."""
    import resource
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        check = checks.data_folder(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert check.state is State.FAIL
    assert os.strerror(27) in check.text


@pytest.mark.parametrize(
    ("now_ms", "state"), [(0, State.FAIL), (1_790_000_000_000, State.OK), (9_000_000_000_000, State.FAIL)]
)
def test_a_clock_that_is_far_off_fails(now_ms: int, state: State) -> None:
    """A machine that woke up in 1970 is told to set its clock."""
    assert checks.clock(now_ms).state is state


def test_encoders_end_with_the_server_or_a_warning_says_not() -> None:
    """On Linux there is always a guard; elsewhere the doctor warns."""
    assert "/usr/bin/setpriv" in checks.guard(("/usr/bin/setpriv", "--")).text
    assert checks.guard((), "linux").state is State.OK
    assert checks.guard((), "darwin").state is State.WARN


def test_a_missing_typeface_fails(tmp_path: Path) -> None:
    """Without a typeface there are no cards."""
    assert checks.font(tmp_path / "absent.ttf").state is State.FAIL


def test_an_error_is_split_into_what_is_wrong_and_what_to_do() -> None:
    """Sentences of errors name the fault, then the remedy after the last colon."""
    check = checks.failed("x", ConfigurationError("port 1: is taken: stop it"))
    assert (check.text, check.remedy) == ("port 1: is taken", "stop it")
    assert checks.failed("x", ConfigurationError("no remedy")).text == "no remedy"
