"""``exstream check-stream``: streams of every kind, and everything that is none, with exit codes and sentences."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from exstream.cli.program import run
from exstream.cli.whole_groups import WholeGroups
from exstream.mpegts.packets import PACKET
from tests import material
from tests.mpegts.recordings import AUDIO, VIDEO, cut, recounted, spliced, starts, unit
from tests.servers import Page, promised, said, streamed, web_server

SECONDS = 11.6
"""How long the recording is, about."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of a channel."""
    folder = tmp_path_factory.mktemp("check")
    path = folder / "good.ts"
    path.write_bytes(spliced(folder, material.SMALL))
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a data directory of its own for commands that read the settings."""
    monkeypatch.setenv("EXSTREAM_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def without_sound(path: Path, number: int) -> bytes:
    """Take one PES packet of sound out."""
    packets = cut(path.read_bytes())
    gone = unit(packets, AUDIO, number)
    return b"".join(recounted([packet for row, packet in enumerate(packets) if row not in gone]))


def served(page: Page, *arguments: str) -> int:
    """Run the command on a page of a server; return its exit code."""
    with web_server({"/one.ts": page}) as address:
        return run(["check-stream", f"{address}/one.ts", *arguments])


def test_a_good_file_is_clean(good: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A good recording ends with 0; it is said what is in it, and that a decoder has nothing to complain of."""
    code = run(["check-stream", str(good), "--decode"])
    out, err = capsys.readouterr()

    assert (code, err) == (0, "")
    assert "H.264, 320x180 4:2:0 8 bit, 25 pictures a second" in out
    assert "AAC, 2 channels at 48000 Hz" in out
    assert out.endswith("decoder: no complaints\nclean\n")


def test_faults_are_told_with_their_places(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording with holes ends with 1; kinds, how many, and the first places are told."""
    path = tmp_path / "bad.ts"
    path.write_bytes(without_sound(good, 30))
    code = run(["check-stream", str(path)])
    out, _ = capsys.readouterr()

    assert code == 1
    assert "1 fault:\n  sound_gap (splice): 1\n    packet " in out
    assert "of sound are missing before this" in out
    assert "\nclean" not in out


def test_a_script_reads_json(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json has what a person is told, in numbers."""
    path = tmp_path / "bad.ts"
    path.write_bytes(without_sound(good, 30))
    code = run(["check-stream", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)

    assert (code, told["clean"], told["decoder"]) == (1, False, None)
    assert told["seconds"] == pytest.approx(SECONDS, abs=0.3)
    assert [stream["codec"] for stream in told["streams"]] == ["H.264", "AAC"]
    [found] = told["errors"]["sound_gap"]["first"]
    assert found["packet"] > 0
    assert told["errors"]["sound_gap"]["count"] == 1


def test_only_as_much_as_wanted_is_checked(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--seconds ends the check of a stream that would go on."""
    hold = threading.Event()
    code = served(streamed(good.read_bytes(), hold=hold), "--seconds", "3", "--json")
    hold.set()

    assert code == 0
    assert 3 <= json.loads(capsys.readouterr().out)["seconds"] < SECONDS


def test_a_decoder_finds_what_headers_do_not_show(
    good: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pictures whose bytes are nonsense are clean as packets; the decoder complains, and the exit code is 1."""
    packets = cut(good.read_bytes())
    for row in unit(packets, VIDEO, 30)[1:-1]:
        packets[row] = packets[row][:20] + bytes(len(packets[row]) - 20)
    path = home / "nonsense.ts"
    path.write_bytes(b"".join(packets))

    assert run(["check-stream", str(path)]) == 0
    assert run(["check-stream", str(path), "--decode"]) == 1
    assert "decoder: no complaints" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("page", "code", "sentence"),
    [
        (said(404, "There is no such channel."), 1, "answers 404 Not Found: There is no such channel."),
        (said(503, "All tuners are taken."), 3, "answers 503 Service Unavailable: All tuners are taken."),
        (said(200, "<html>", "text/html"), 1, "is a web page, not a stream"),
        (streamed(b"<!DOCTYPE html><title>x</title>"), 1, "is a web page, not a stream"),
        (streamed(b"#EXTM3U\n#EXT-X-VERSION:3\n"), 1, "is a playlist, not a stream"),
        (streamed(b""), 1, "is empty: not a single byte came"),
        (streamed(bytes(50_000)), 1, "is no MPEG transport stream"),
    ],
    ids=["unknown", "busy", "page", "unmarked page", "playlist", "empty", "zeros"],
)
def test_what_is_no_stream_is_a_sentence(
    page: Page, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that a wrong address can give is said in one line, without a traceback."""
    assert served(page) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_nobody_there_is_unreachable(capsys: pytest.CaptureFixture[str]) -> None:
    """A server that is not there is exit code 3."""
    assert run(["check-stream", "http://127.0.0.1:9/one.ts"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("udp://1.2.3.4:5", "begins with http:// or https://"),
        ("/absent.ts", "No such file"),
        ("/", "directory"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(
    source: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other addresses, files that are not there and folders are usage errors."""
    assert run(["check-stream", source]) == 1
    assert sentence in capsys.readouterr().err


def test_a_stream_that_ends_or_stops_is_a_fault(
    good: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was received is judged, and it is told after how many seconds it ended, broke off or fell silent."""
    monkeypatch.setattr("exstream.cli.reception.SILENCE_SECONDS", 0.3)
    data, hold = good.read_bytes(), threading.Event()
    for page, sentence in (
        (streamed(data), "ended after 11."),
        (promised(data, len(data) + 1), "broke off"),
        (streamed(data, hold=hold), "stopped: nothing came for 0.3 s, after 11."),
    ):
        assert served(page) == 1
        out, err = capsys.readouterr()
        assert "H.264" in out
        assert "\nclean" not in out
        assert sentence in err
        assert "fault" not in out
    hold.set()


def test_standard_input_is_read(good: Path) -> None:
    """A dash reads what another program writes, and nothing but the answer is on standard output."""
    command = [sys.executable, "-m", "exstream", "check-stream", "-"]
    with good.open("rb") as file:
        done = subprocess.run(
            command, stdin=file, capture_output=True, check=False, timeout=60, env=dict(os.environ)
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"clean\n")


def test_a_decoder_gets_whole_groups_of_pictures(good: Path) -> None:
    """Wherever a recording begins and ends, what is passed on begins with tables and ends before a key frame."""
    packets = cut(good.read_bytes())
    data = b"".join(packets[333:])
    keys = [
        row
        for row in starts(packets, VIDEO)
        if row > 333 and packets[row][3] & 0x20 and packets[row][5] & 0x40
    ]
    for size in (1_000, 50_000, len(data)):
        groups = WholeGroups()
        passed = b"".join(groups.feed(data[at : at + size], VIDEO) for at in range(0, len(data), size))
        passed += groups.rest()
        assert passed[:3] == b"\x47\x40\x00"
        assert data.find(passed) + len(passed) == (keys[-1] - 333) * PACKET
