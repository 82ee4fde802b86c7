"""An ffmpeg that is old, broken or lacks something: the doctor says so, and the server does what can be done."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest

from tests import material
from tests.referee import examine
from tests.reliability.library import channel, settle, station
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording
from tests.reliability.server import Server, ask, command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

OLD = 'case "$*" in *-version*) echo "ffmpeg version 4.4.1 Copyright"; exit 0;; esac'
WITHOUT_ENCODER = (
    'case "$*" in *libx264*) echo "Unknown encoder \'libx264\'" >&2; exit 1;; '
    '*-encoders*) "$FFMPEG" -hide_banner -encoders | grep -v libx264; exit 0;; esac'
)
WITHOUT_FILTER = (
    'case "$*" in *-filters*) "$FFMPEG" -hide_banner -filters | grep -v bwdif; exit 0;; '
    "*bwdif*) echo \"No such filter: 'bwdif'\" >&2; exit 8;; esac"
)
CRASHING = 'case "$*" in *-version*) echo "ffmpeg version 7.1.9 Copyright"; exit 0;; esac; kill -SEGV $$'
INTERLACED = (
    "-f lavfi -i testsrc2=s=320x180:r=50:d=6 -f lavfi -i sine=f=300:r=48000:d=6 -vf tinterlace=interleave_top,"
    "fieldorder=tff -flags +ildct+ilme -c:v mpeg2video -b:v 2M -pix_fmt yuv420p -c:a mp2"
)


def stub(folder: Path, script: str) -> Path:
    """Write a program that behaves like ffmpeg but for what ``script`` does."""
    program = folder / "ffmpeg"
    program.write_text(f'#!/bin/sh\nFFMPEG="{material.FFMPEG}"\n{script}\nexec "$FFMPEG" "$@"\n')
    program.chmod(0o755)
    return program


def prepared(folder: Path, script: str) -> tuple[Server, Path]:
    """Return a server, not yet started, with one plain and one interlaced film and such an ffmpeg; and the program."""
    films, program = folder / "films", stub(folder, script)
    films.mkdir()
    material.clip(films, "plain.mp4", seconds=6)
    material.run("-v", "error", *INTERLACED.split(), str(films / "woven.ts"))
    settle(films)
    channels = {
        "plain": channel("1", "Plain", pool="{title: plain}"),
        "woven": channel("2", "Woven", pool="{title: woven}"),
    }
    return station(folder / "server", films, channels, ffmpeg=program), program


def doctor(server: Server, program: Path) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the doctor's exit code and what it says, by the names of its checks."""
    done = command(server.data_dir, "doctor", "--json", ffmpeg=program)
    assert "Traceback" not in done.stderr
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)}


@contextmanager
def alive(server: Server) -> Iterator[None]:
    """Run a server that may never become ready."""
    server.start("/livez")
    try:
        yield
        assert ask(f"{server.iptv}/livez").status == 200
    finally:
        server.end()
    assert "Traceback" not in server.console()


def test_an_old_ffmpeg_is_told_and_used(tmp_path: Path) -> None:
    """A version before 5.1 is a warning of the doctor's and of the server's; what works with it is on air."""
    server, program = prepared(tmp_path, OLD)
    code, said = doctor(server, program)
    assert (code, said["ffmpeg"]["state"]) == (0, "warn")
    assert "version 4.4.1 is older than 5.1" in said["ffmpeg"]["text"]
    with alive(server), Recording(server.stream("plain"), tmp_path / "plain.ts") as recording:
        eventually(lambda: recording.received > 400_000, "it plays")
        assert examine(recording.stop()).faults == []
    assert "version 4.4.1 is older than 5.1" in server.console()


@pytest.mark.parametrize("script", [WITHOUT_ENCODER, CRASHING], ids=["no encoder", "crashing"])
def test_an_ffmpeg_that_cannot_encode_leaves_a_server_that_says_so(tmp_path: Path, script: str) -> None:
    """The doctor fails, the server is alive and not ready and says why; its guide and lineup are there."""
    server, program = prepared(tmp_path, script)
    code, said = doctor(server, program)
    assert (code, said["encoders"]["state"]) == (1, "fail")
    assert "libx264" in said["encoders"]["text"]
    assert "EXSTREAM_FFMPEG" in said["encoders"]["remedy"]
    with alive(server):
        eventually(lambda: "set EXSTREAM_FFMPEG to another ffmpeg" in server.console(), "the console says it")
        ready = ask(f"{server.iptv}/readyz")
        assert (ready.status, bool(json.loads(ready.body)["missing"])) == (503, True)
        assert len(server.json("channels")) == 2
        assert ask(f"{server.iptv}/iptv/xmltv.xml").status == 200
        assert ask(f"{server.tuner}/lineup.json").status == 200
        refused = ask(server.stream("plain"))
        assert (refused.status, refused.headers["x-hdhomerun-error"]) == (503, "807 No Video Data")


def test_a_missing_filter_costs_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    """Without a deinterlacer the doctor fails; plain films air, woven ones give way to cards without a fault."""
    server, program = prepared(tmp_path, WITHOUT_FILTER)
    code, said = doctor(server, program)
    assert (code, said["encoders"]["state"]) == (1, "fail")
    assert "bwdif" in said["encoders"]["text"]
    with (
        alive(server),
        Recording(server.stream("plain"), tmp_path / "plain.ts") as plain,
        Recording(server.stream("woven"), tmp_path / "woven.ts") as woven,
    ):
        eventually(lambda: min(plain.received, woven.received) > 150_000, "both are on air")
        eventually(lambda: server.figure("exstream_feed_failures_total") > 0, "the woven film has failed")
        assert not woven.ended.is_set()
        faults = [examine(recording.stop()).faults for recording in (plain, woven)]
    assert faults == [[], []]
    assert "No such filter" in server.console()


def test_a_missing_typeface_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the typeface's package has lost its files the doctor fails, with what to do; the server is alive."""
    package = Path(str(files("fontpkg_fira_sans")))
    bare = tmp_path / "site" / "fontpkg_fira_sans"
    bare.mkdir(parents=True)
    shutil.copy(package / "__init__.py", bare)
    server, program = prepared(tmp_path, "")
    monkeypatch.setenv("PYTHONPATH", str(bare.parent) + ":" + ":".join(path for path in sys.path if path))
    code, said = doctor(server, program)
    assert (code, said["font"]["state"]) == (1, "fail")
    assert "install Exstream again" in said["font"]["remedy"]
    with alive(server):
        assert ask(f"{server.iptv}/").status == 200
