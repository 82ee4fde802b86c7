"""The benchmarks of copy channels and of recovery: how they judge what was measured."""

from __future__ import annotations

import json
import math
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

from exstream.ffmpeg.command import programme
from exstream.model.catalogue import Source
from exstream.model.grid import Span
from exstream.model.programme import Order
from load.bench import copycpu, copytune, hls, lineup, recovery
from load.bench.cpu import Share
from load.bench.media import CABLE, Clip, make
from load.bench.recovery import Outage
from load.bench.server import free_port
from load.bench.spectators import Spectator, clock_references
from load.bench.transport import Transport
from load.bench.tune import Tune
from tests import material

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Encode eight seconds of a transport stream."""
    path = material.clip(tmp_path_factory.mktemp("stream"))
    order = Order(Source(str(path), material.media()), Span(0, 200), 0, material.SMALL)
    return material.run(*programme(order))


def test_one_failed_tune_misses_the_target() -> None:
    """Each kind of film is judged by its own p95; a tune that failed, or saw a card, is told."""
    good, late = Tune(0.1, 0.05, carded=False), Tune(0.3, 0.05, carded=True)
    tunes = {channel: [good] * 15 for channel in copytune.CHANNELS}
    assert [row.met for row in copytune.rows(tunes, [])] == [True] * 5
    assert [row.met for row in copytune.rows(tunes, ["two-mp4: ended"])] == [True] * 4 + [False]
    worse = {**tunes, "ten-mkv": [late] * 15}
    assert [row.met for row in copytune.rows(worse, [])] == [True] * 3 + [False, False]


def test_the_server_and_its_encoder_count_together() -> None:
    """A copy channel may take 1.2 % of a core, whoever takes it."""
    assert copycpu.rows([Share(0.009, 0.002, 0.002)])[0].met
    assert not copycpu.rows([Share(0.009, 0.004, 0.002)])[0].met


def test_one_viewer_whose_picture_stands_still_misses_the_target() -> None:
    """The lowest stock of all counts, everyone who was sent away counts as starved, and memory has its bounds."""
    mib = 2**20
    fine = lineup.Lineup([0.8, 1.2], 0, [0.1, 0.2], 0.4, 0.2, 11 * mib, 24 * mib, 23 * mib)
    assert [row.met for row in lineup.rows(2, fine)] == [True, None, True, True]
    assert lineup.rows(2, fine._replace(lowest=[0.8, -0.01]))[0].met is False
    assert lineup.rows(2, fine._replace(gone=1))[0].met is False
    fat = fine._replace(encoder_memory=14 * mib, grown=26 * mib)
    assert [row.met for row in lineup.rows(2, fat)] == [True, None, False, False]


def test_a_silence_that_is_too_long_misses_the_target() -> None:
    """Two seconds after a kill and six after a hang are allowed; the programme's own outage is told beside it."""
    short = [Outage(channel, 1.9, 3.0) for channel in recovery.CHANNELS]
    long = [Outage(channel, 2.1, 3.0) for channel in recovery.CHANNELS]
    assert [row.met for row in recovery.rows(signal.SIGKILL, short)] == [True, None, None]
    assert recovery.rows(signal.SIGKILL, long)[0].met is False
    assert recovery.rows(signal.SIGSTOP, long)[0].met


def test_the_slowest_player_by_hls_has_to_be_in_time() -> None:
    """Cold and warm channels are judged by their slowest tune."""
    assert [row.met for row in hls.rows([1.0, 2.9], [0.1])] == [True, True]
    assert [row.met for row in hls.rows([1.0, 3.1], [0.1])] == [False, True]


def test_a_spectator_is_starved_when_the_stream_falls_behind_its_clock(stream: bytes) -> None:
    """Who has received everything at once has it in stock; who gets the rest ten seconds later stood still."""
    half = len(stream) // 376 * 188
    seen = {}
    for name, later in (("at once", 100.2), ("late", 110.0)):
        spectator = Spectator(name, None, 100.0)  # type: ignore[arg-type]  # it is handed its bytes here
        spectator.take(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n" + stream[:half], 100.1)
        spectator.take(stream[half : half + 100], later)
        spectator.take(stream[half + 100 :], later)
        seen[name] = spectator.result(later)
    assert seen["at once"].lowest > 2
    assert seen["late"].lowest == pytest.approx(seen["at once"].lowest - 9.8, abs=0.01)
    assert seen["late"].lowest < 0
    assert [each.received for each in seen.values()] == [len(stream)] * 2
    assert seen["late"].answered_after == pytest.approx(0.1)


def test_a_spectator_who_is_refused_is_gone() -> None:
    """An answer that is no stream counts as sent away, and as starved."""
    spectator = Spectator("one", None, 100.0)  # type: ignore[arg-type]  # it is handed its bytes here
    spectator.take(b"HTTP/1.1 503 Busy\r\n\r\n", 100.1)
    seen = spectator.result(101.0)
    assert seen.gone
    assert (seen.lowest, seen.answered_after) == (-math.inf, math.inf)


def test_clock_references_are_read_in_bulk(stream: bytes) -> None:
    """First and last are those that the parser finds packet by packet; what is no stream is refused."""
    transport = Transport()
    transport.feed(stream)
    first, last = clock_references(stream)
    assert (last - first) / 90_000 == pytest.approx(transport.clock)
    assert clock_references(b"") == []
    with pytest.raises(ValueError, match="sync byte"):
        clock_references(b"x" + stream[:187])


def test_spectators_of_a_server_that_hangs_up_are_gone() -> None:
    """The program tells of everyone who watched, also where nothing came."""
    port = free_port()
    listener = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", "/dev"]
    argv = [
        sys.executable,
        "-m",
        "load.bench.spectators",
        str(port),
        "a",
        "b",
        "--stagger",
        "0",
        "--watch",
        "1",
    ]
    with subprocess.Popen(listener, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as web:
        try:
            _until_open(port)
            told = subprocess.run(
                argv, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
            ).stdout
        finally:
            web.kill()
    assert [(each["channel"], each["gone"]) for each in json.loads(told)] == [("a", True), ("b", True)]


def _until_open(port: int) -> None:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nobody listens")


def test_the_sources_that_can_be_copied_have_no_hole(tmp_path: Path) -> None:
    """A film that repeats its period has every picture at its place, at the bit rate it is named for."""
    clip = Clip("short.mp4", "320x180", "25", 2, 2, 12, CABLE.quality)
    path = make(clip, tmp_path / "media")
    with av.open(str(path)) as container:
        stamps = sorted(
            float(packet.pts * packet.time_base)
            for packet in container.demux(video=0)
            if packet.pts is not None and packet.time_base is not None
        )
    assert stamps == pytest.approx([picture * 0.04 for picture in range(1_000)])
    assert path.stat().st_size * 8 / 40 == pytest.approx(8e6, rel=0.25)
