"""Clients that do what they should not, beside one that records."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.referee import decode_faults, examine
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording, leaving, never_reading, resetting, stalling
from tests.reliability.server import Server, ask

MOST_BYTES = 2_000_000
"""What a client that stalls may cost, and two that come and go beside it."""
RING_BYTES = 16_000_000
"""What the channel itself may still take: its ring and its check grow for their first seconds."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_clients_that_stall_reset_or_never_read_cost_a_recording_nothing(
    server: Server, tmp_path: Path, ffmpeg: str
) -> None:
    """Ten that never read, ten that stop, forty that crash or leave: the recording of the same channel has no fault."""
    url, path = server.stream("one"), tmp_path / "one.ts"
    with Recording(url, path) as recording, ExitStack() as bad:
        eventually(lambda: recording.received > 50_000, "the recording runs")
        memory = server.figure("process_resident_memory_bytes")
        for _ in range(10):
            bad.enter_context(never_reading(url))
            bad.enter_context(stalling(url))
        for _ in range(20):
            resetting(url)
            leaving(url)
        received = recording.received
        eventually(lambda: recording.received > received + 600_000, "the recording goes on")
        assert not recording.ended.is_set()
        eventually(lambda: len(server.json("sessions")) == 21, "those that went are not counted any more")
        grown = server.figure("process_resident_memory_bytes") - memory
        assert grown < 20 * MOST_BYTES + RING_BYTES, f"{grown / 20e6:.1f} MB for each that stalls"
        bad.close()
        eventually(lambda: len(server.json("sessions")) == 1, "only the recording is left")
        data = recording.stop()
    assert examine(data).faults == []
    assert decode_faults(ffmpeg, path) == ""
    assert ask(f"{server.iptv}/livez").status == 200


def test_stalled_clients_hold_their_tuners_no_longer_than_they_are_there(
    server: Server, tmp_path: Path
) -> None:
    """Four stalled clients hold four tuners, told as 804; as soon as they crash every tuner is free again."""
    with ExitStack() as stalled:
        for place, number in enumerate(("1", "2.5", "3", "1")):
            stalled.enter_context(stalling(f"{server.tuner}/tuner{place}/v{number}"))
        eventually(lambda: server.figure("exstream_tuners_in_use") == 4, "all tuners are taken")
        refused = ask(f"{server.tuner}/tuner0/v3")
        assert (refused.status, refused.headers["x-hdhomerun-error"], refused.body) == (
            503,
            "804 Tuner In Use",
            b"",
        )
    eventually(lambda: server.figure("exstream_tuners_in_use") == 0, "all tuners are free")
    with Recording(f"{server.tuner}/auto/v2.5", tmp_path / "two.ts") as recording:
        eventually(lambda: recording.received, "the channel plays")
        assert recording.headers["x-hdhomerun-resource"] == "tuner0"
