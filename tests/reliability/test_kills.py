"""Processes that die: the server itself and its encoders, by force and politely."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.referee import decode_faults, examine
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording, recordings, stalling
from tests.reliability.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHANNELS = ("one", "two", "three")


def test_nothing_is_left_of_a_server_that_is_killed(server: Server, tmp_path: Path) -> None:
    """After kill -9 with three channels on air no encoder lives for longer than three seconds."""
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(lambda: len(server.encoders()) >= len(CHANNELS), "every channel has an encoder")
        server.running.kill()
        began = time.monotonic()
        eventually(lambda: not server.children(), "every process of the server is gone", seconds=3)
        took = time.monotonic() - began
        assert server.running.wait(10) == -signal.SIGKILL
        assert all(recording.ended.wait(30) for recording in recorded.values())
    assert took < 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_does_so_in_five_seconds(
    server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    """It ends with exit code 0; viewers, even one that reads nothing, are let go, encoders and ports are gone."""
    with (
        recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded,
        stalling(server.stream("one")),
    ):
        eventually(lambda: len(server.encoders()) >= len(CHANNELS), "every channel has an encoder")
        server.running.send_signal(number)
        assert server.running.wait(5) == 0
        assert server.children() == []
        assert all(recording.ended.wait(5) for recording in recorded.values())
        assert all(recording.closed_by_server for recording in recorded.values())
        data = {name: recording.stop() for name, recording in recorded.items()}
    server.start()  # the ports are free again at once
    assert {name: examine(data[name]).faults for name in ("one", "two")} == {"one": [], "two": []}


def _failures_beyond(server: Server, number: int) -> bool:
    return server.figure("exstream_feed_failures_total") > number


def _received_beyond(recording: Recording, number: int) -> bool:
    return recording.received > number


def test_encoders_that_are_killed_leave_no_mark_in_a_recording(
    server: Server, tmp_path: Path, ffmpeg: str
) -> None:
    """Every encoder is killed six times over while a client records; the stream has no fault and decodes cleanly."""
    path = tmp_path / "one.ts"
    with Recording(server.stream("one"), path) as recording:
        for number in range(6):
            for victim in eventually(server.encoders, "an encoder runs"):
                victim.kill()
            eventually(partial(_failures_beyond, server, number), "the failure was noticed")
            eventually(partial(_received_beyond, recording, recording.received), "the stream goes on")
        eventually(server.encoders, "an encoder runs again")
        eventually(
            partial(_received_beyond, recording, recording.received + 200_000), "the programme goes on"
        )
        assert not recording.ended.is_set()
        data = recording.stop()
    assert examine(data).faults == []
    assert decode_faults(ffmpeg, path) == ""


def test_no_process_runs_once_the_last_viewer_has_gone(server: Server, tmp_path: Path) -> None:
    """The channels of three viewers have encoders, a channel without a viewer has none after the linger time."""
    assert server.children() == []
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(lambda: len(server.encoders()) >= len(CHANNELS), "every channel has an encoder")
        recorded["two"].stop()
        eventually(lambda: len(server.json("sessions")) == 2, "one viewer has gone")
        eventually(lambda: server.figure("exstream_channels_on_air") == 2, "its channel has gone off air")
        assert not recorded["one"].ended.is_set()
    eventually(lambda: not server.children(), "nothing runs any more")
    eventually(lambda: server.figure("exstream_ffmpeg_processes") == 0, "the figures say so too")
    eventually(lambda: server.figure("exstream_channels_on_air") == 0, "no channel is on air")
    assert server.json("sessions") == []
