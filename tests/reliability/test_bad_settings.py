"""Settings, definitions, ports and disks that are wrong: a sentence that says what to do, never a traceback."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.programs import free_port
from tests.referee import decode_faults, examine
from tests.reliability.library import as_run, channel
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording
from tests.reliability.server import PROGRAM, Server, ask, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def refusal(data_dir: Path, preexec: Callable[[], None] | None = None, **settings: object) -> str:
    """Return what a server says that cannot start; it ends with exit code 1, without a traceback."""
    ports = {"iptv_port": free_port(), "hdhr_port": free_port(), "host": "127.0.0.1"}
    done = subprocess.run(
        [*PROGRAM, "serve"],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env=environment(data_dir, **{**ports, **settings}),
        preexec_fn=preexec,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("setting", ["iptv_port", "hdhr_port"])
def test_a_port_in_use_is_told_with_its_holder_and_its_setting(tmp_path: Path, setting: str) -> None:
    """The sentence names the port, the program that holds it, and the variable that moves it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(tmp_path / "data", demo="false", **{setting: port})
    assert f"port {port} is taken by" in said
    assert f"(process {os.getpid()})" in said
    assert f"set EXSTREAM_{setting.upper()} to a free port" in said


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A data directory below a file is refused by name, with the setting that moves it."""
    (tmp_path / "file").write_text("not a folder")
    said = refusal(tmp_path / "file" / "data", demo="false")
    assert str(tmp_path / "file" / "data") in said
    assert "EXSTREAM_DATA_DIR" in said


def test_a_first_start_without_disk_space_is_a_sentence(tmp_path: Path) -> None:
    """When nothing can be written the server says where, and ends."""
    said = refusal(tmp_path / "data", _write_nothing, demo="false")
    assert str(tmp_path / "data") in said


def _write_nothing() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("iptv_port: [8411\n", "exstream.yaml"),
        ("tuner_cuont: 2\ntuner_count: many\n", "tuner_count"),
        ("profiles:\n  small: {width: 3, hieght: 180}\n", "hieght"),
    ],
)
def test_a_broken_file_of_settings_is_told_by_name(tmp_path: Path, written: str, told: str) -> None:
    """A file that is no YAML, a value that cannot be used, a field that does not exist: each is named."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "exstream.yaml").write_text(written)
    said = refusal(tmp_path / "data", demo="false")
    assert "exstream.yaml" in said
    assert told in said


def test_a_broken_definition_changes_nothing_on_air(server: Server, tmp_path: Path, ffmpeg: str) -> None:
    """Every fault is told with file and line by API and log; the channel, its guide and its viewer go on."""
    now = time.time()
    path, file = tmp_path / "one.ts", server.data_dir / "channels" / "one.yaml"
    good, before = file.read_text(), server.guide("one", now, now + 3_600)
    with Recording(server.stream("one"), path) as recording:
        eventually(lambda: recording.received, "the recording runs")
        file.write_text(good.replace("profile: small", "profle: small").replace("order:", "ordre:"))
        faults = eventually(lambda: server.json("faults"), "the faults are told")
        assert {fault.split(": ", 1)[0] for fault in faults} >= {"one.yaml:3", "one.yaml:6"}
        assert any("did you mean 'profile'" in fault for fault in faults)
        assert all(fault in server.console() for fault in faults)
        file.write_bytes(b"\x00\xff: [")
        eventually(lambda: server.json("faults") not in ([], faults), "the next fault is told")
        assert [each["number"] for each in server.json("channels")] == ["1", "2.5", "3"]
        received = recording.received
        eventually(lambda: recording.received > received + 200_000, "the stream goes on")
        file.write_text(good)
        eventually(lambda: server.json("faults") == [], "all is well again")
        assert not recording.ended.is_set()
        data = recording.stop()
    after = server.guide("one", before[0]["starts"] + 0.5, before[-1]["ends"] - 0.5)
    assert after == before
    assert examine(data).faults == []
    assert decode_faults(ffmpeg, path) == ""


def test_the_last_good_definition_outlives_a_restart(prepared: Server) -> None:
    """A server that starts with a broken definition airs what the file said when it was last right."""
    try:
        file = prepared.data_dir / "channels" / "two.yaml"
        file.write_text("number: [\n")
        prepared.start()
        assert [each["number"] for each in prepared.json("channels")] == ["1", "2.5", "3"]
        assert [fault.partition(":")[0] for fault in prepared.json("faults")] == ["two.yaml"]
        (prepared.data_dir / "channels" / "four.yaml").write_text(channel("4", "Channel Four"))
        eventually(lambda: len(prepared.json("channels")) == 4, "a new channel is there")
    finally:
        prepared.end()
    assert "Traceback" not in prepared.console()


def test_a_full_disk_stops_no_stream_and_loses_no_entry_of_the_as_run_log(
    server: Server, tmp_path: Path, ffmpeg: str
) -> None:
    """While no file can be written the channel goes on over boundaries; what aired is written down afterwards."""
    path = tmp_path / "one.ts"
    with Recording(server.stream("one"), path) as recording:
        eventually(lambda: as_run(server), "the log is being written")
        known = len(as_run(server))
        with server.without_disk():
            began = time.time()
            boundaries = [row["starts"] for row in server.guide("one", began, began + 60)[1:4]]
            eventually(lambda: time.time() > boundaries[-1] + 1, "three boundaries have passed")
            assert len(as_run(server)) == known
            assert ask(f"{server.iptv}/iptv/xmltv.xml").status == 200
            assert ask(f"{server.tuner}/lineup.json").status == 200
        eventually(
            lambda: (
                {starts for _, outcome, starts in as_run(server) if outcome == "aired"} >= {*boundaries[:2]}
            ),
            "the log has what it missed",
        )
        assert not recording.ended.is_set()
        data = recording.stop()
    assert examine(data).faults == []
    assert decode_faults(ffmpeg, path) == ""
    assert "the as-run log cannot be written" in server.console()
