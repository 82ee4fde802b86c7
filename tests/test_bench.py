"""The benchmarks: what they read from a stream, how figures are summed up, and the table."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exstream.ffmpeg.command import programme
from exstream.model.catalogue import Source
from exstream.model.grid import Span
from exstream.model.programme import Order
from load.bench import cpu, fanout, machine, sender, start, tune
from load.bench.__main__ import MEASURES, main
from load.bench.encoder import RawFfmpeg
from load.bench.server import free_port
from load.bench.spread import milliseconds, p95
from load.bench.swarm import Swarm
from load.bench.table import Measured, NotMeasured, Row, as_json, as_table
from load.bench.transport import Transport
from tests import material

ROOT = Path(__file__).resolve().parents[1]


def _argv(path: Path) -> list[str]:
    order = Order(Source(str(path), material.media()), Span(0, 200), 0, material.SMALL)
    return [material.FFMPEG, *programme(order)]


def test_the_table_is_aligned_and_ends_with_its_warnings() -> None:
    """Columns stand below each other, met and missed targets differ, and doubts come last."""
    rows = [
        Row("tune", "350 ms", "340 ms raw ffmpeg", "<= 700 ms", met=True),
        Row("memory", "151 MiB", "", "<= 150 MiB", met=False),
        Row("rate", "8 Mbit/s"),
    ]
    measures = [
        Measured("tune", rows, 2.5, warning="somebody was busy"),
        Measured("cpu", [], 0.1, fault="no"),
    ]
    machine_line, empty, *lines = as_table("a machine", measures).splitlines()
    assert (machine_line, empty) == ("a machine", "")
    table, notes = lines[:5], lines[5:]
    assert [line[:6].strip(" -") for line in table] == ["what", "", "tune", "memory", "rate"]
    assert {line.index("|") for line in table} == {7}
    assert [line.rsplit("|", 1)[1].strip() for line in table[2:]] == ["yes", "NO", ""]
    assert notes == ["", "not measured: cpu: no", "warning: tune: somebody was busy"]


def test_scripts_get_the_same_rows() -> None:
    """JSON carries every row with its numbers."""
    row = Row("tune", "350 ms", "340 ms", "<= 700 ms", True, {"seconds": 0.35})
    read = json.loads(as_json("a machine", [Measured("tune", [row], 0.5)]))
    assert read["machine"] == "a machine"
    assert read["measures"][0]["rows"] == [
        {
            "what": "tune",
            "result": "350 ms",
            "floor": "340 ms",
            "target": "<= 700 ms",
            "met": True,
            "values": {"seconds": 0.35},
        }
    ]


def test_a_hundred_figures_have_the_ninety_fifth_as_their_p95() -> None:
    """Nearest rank: of twenty figures it is the nineteenth, of one that one."""
    assert p95(range(1, 101)) == 95
    assert p95(range(1, 21)) == 19
    assert p95([7]) == 7
    with pytest.raises(ValueError, match="nothing was measured"):
        p95([])


def test_durations_are_told_as_precisely_as_they_matter() -> None:
    """A tenth of a millisecond counts below ten."""
    assert (milliseconds(0.00249), milliseconds(0.3501)) == ("2.5 ms", "350 ms")


def test_targets_judge_what_was_measured() -> None:
    """Each measure says yes at its target and no beyond it."""
    good, bad = tune.Tune(0.4, 0.35, carded=False), tune.Tune(0.8, 0.35, carded=True)
    assert [row.met for row in tune.rows("720p25", [good] * 20)] == [None, True, True, True]
    assert [row.met for row in tune.rows("720p25", [bad] * 20)] == [None, False, False, False]
    assert cpu.rows([cpu.Share(0.02, 0.40, 0.40)])[0].met
    assert not cpu.rows([cpu.Share(0.04, 0.40, 0.40)])[0].met
    assert start.row("later start", [3.0, 3.9], [2.5], 4.0).met
    assert not start.row("later start", [3.0, 4.1], [2.5], 4.0).met


def test_one_starved_viewer_misses_the_target() -> None:
    """The slowest of the crowd counts, not the average, and so does everyone who was sent away."""
    aired = fanout.Aired(1_000_000.0, 0.1, 1.0, fanout.Troubles(0, 0, 0))
    bare = fanout.Crowd([1_000_000.0] * 300, 0, 0.1)
    served = fanout.Crowd([1_000_000.0] * 300, 0, 0.2)
    starved = fanout.Crowd([1_000_000.0] * 299 + [900_000.0], 1, 0.2)
    dear = fanout.Crowd([1_000_000.0] * 300, 0, 0.41)
    assert [row.met for row in fanout.rows(served, aired, bare)] == [True, True, True, True, None]
    assert [row.met for row in fanout.rows(starved, aired, bare)] == [True, False, False, True, None]
    assert [row.met for row in fanout.rows(dear, aired, bare)] == [True, True, True, False, None]


def test_key_frames_and_clock_are_read_from_a_real_encoding(tmp_path: Path) -> None:
    """Whatever the pieces it comes in, eight seconds hold key frames two seconds apart and as much of clock."""
    path = material.clip(tmp_path)
    data = material.run(*_argv(path)[1:])
    for piece in (len(data), 1_000):
        transport = Transport()
        for at in range(0, len(data), piece):
            transport.feed(data[at : at + piece])
        assert [(key.pts - transport.keys[0].pts) / 90_000 for key in transport.keys] == [0, 2, 4, 6]
        assert transport.received == len(data)
        assert transport.clock == pytest.approx(8, abs=0.2)


def test_a_key_frame_counts_only_when_it_is_whole(tmp_path: Path) -> None:
    """The first key frame is known with the first packet of the next picture, and not a packet earlier."""
    data = material.run(*_argv(material.clip(tmp_path))[1:])
    transport = Transport()
    transport.feed(data)
    whole = transport.keys[0].at_byte
    before = Transport()
    before.feed(data[:whole])
    assert not before.keys
    before.feed(data[whole : whole + 188])
    assert len(before.keys) == 1


def test_what_is_no_transport_stream_is_refused() -> None:
    """A page of text is not measured as if it were television."""
    with pytest.raises(ValueError, match="byte 0 of the stream is no sync byte"):
        Transport().feed(b"<html>" * 100)


def test_raw_ffmpeg_is_timed_and_ends_with_its_block(tmp_path: Path) -> None:
    """The floor gives a first key frame, its CPU time, and leaves no process behind."""
    with RawFfmpeg(_argv(material.clip(tmp_path))) as encoder:
        assert 0 < encoder.first_key_frame() < 30
        encoder.run(0.3)
        assert encoder.cpu_seconds() > 0
        pid = encoder.pid
    assert not Path(f"/proc/{pid}").exists()
    with (
        pytest.raises(NotMeasured, match="ended early"),
        RawFfmpeg([material.FFMPEG, "-i", "/nowhere"]) as encoder,
    ):
        encoder.first_key_frame()


def test_the_swarm_counts_what_a_bare_sender_sends(tmp_path: Path) -> None:
    """Viewers that come to a sender of a known rate count that rate, and nobody is sent away."""
    recording = tmp_path / "recording"
    recording.write_bytes(bytes(400_000))
    port = free_port()
    argv = [sys.executable, "-m", "load.bench.sender", str(port), str(recording), "200000"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == sender.LISTENING
        swarm = Swarm(port, "/")
        swarm.join(3, 0.2)
        swarm.take(time.perf_counter() + 0.5)
        counted = swarm.count(2.0)
        swarm.close()
        program.communicate("", timeout=10)
        assert program.returncode == 0
    assert counted.gone == 0
    assert [received > 0 and received % 20_000 == 0 for received in counted.received] == [True] * 3


def test_the_machine_is_told_with_its_load_first() -> None:
    """Whoever reads the figures sees at once whether the machine was busy."""
    assert machine.describe(0.25, "9.0").startswith("load average 0.25 · ")
    busy = machine.Watch(9.0, time.monotonic() - 100, machine.Watch.begin().busy, 0.0)
    assert busy.warning().startswith("the load average was 9.00 at its start")


def test_measures_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no measure is refused with those that are."""
    with pytest.raises(SystemExit):
        main(["tuna"])
    complaint = capsys.readouterr().err
    assert "there is no measure 'tuna'" in complaint
    assert all(name in complaint for name in MEASURES)


def test_every_measure_is_explained() -> None:
    """The page on performance has a section for each of them."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert all(f"\n### `{name}`" in page for name in MEASURES)
