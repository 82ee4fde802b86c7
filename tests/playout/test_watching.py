"""The live check of a channel: counted, told in the log, and cheap."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from exstream.mpegts.packets import PACKET
from exstream.playout.figures import Figures
from exstream.playout.watching import PIECE, TELL_SECONDS, Watching
from exstream.telemetry import Metrics
from tests import material
from tests.fakes import SteppedClock
from tests.mpegts.recordings import AUDIO, VIDEO, cut, recounted, spliced, unit

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return what a channel has sent."""
    return spliced(tmp_path_factory.mktemp("watching"), material.SMALL)


class Watch:
    """A watched channel, its figures and its clock."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.clock = SteppedClock(1_760_000_000_000)
        self.watching = Watching("one", material.SMALL.rate, Figures(self.metrics), self.clock)

    def send(self, data: bytes) -> None:
        """Give the check pieces as the pump makes them, then what is left."""
        for at in range(0, len(data), 50 * PACKET):
            self.watching.take(data[at : at + 50 * PACKET])
        self.watching.judge()

    def figures(self) -> dict[str, float]:
        """Return the figures of the check, by name and kind."""
        return {
            "|".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
            for family in text_string_to_metric_families(self.metrics.exposition().decode())
            for sample in family.samples
            if sample.name.startswith("exstream_ts_") and not sample.name.endswith("_created")
        }


def without(data: bytes, pid: int, number: int) -> bytes:
    """Take one PES packet out, continuity counters and all."""
    packets = cut(data)
    gone = unit(packets, pid, number)
    return b"".join(recounted([packet for row, packet in enumerate(packets) if row not in gone]))


async def test_a_clean_channel_has_no_errors(good: bytes) -> None:
    """Nothing is counted and nothing is told of a clean stream; its clock is regular."""
    watch = Watch()
    with structlog.testing.capture_logs() as logs:
        watch.send(good)
    figures = watch.figures()

    assert logs == []
    assert set(figures) == {"exstream_ts_pcr_jitter_seconds|one", "exstream_ts_pcr_interval_max_seconds|one"}
    assert figures["exstream_ts_pcr_interval_max_seconds|one"] <= 0.04
    assert figures["exstream_ts_pcr_jitter_seconds|one"] < 0.01


async def test_errors_are_counted_by_kind_and_holes_by_length(good: bytes) -> None:
    """Two lost packets of sound are two errors, and as many seconds as are missing."""
    watch = Watch()
    with structlog.testing.capture_logs() as logs:
        watch.send(without(without(good, AUDIO, 20), AUDIO, 40))
    figures = watch.figures()

    assert figures["exstream_ts_errors_total|one|sound_gap"] == 2
    assert 0.04 < figures["exstream_ts_timeline_seconds_total|one|sound_gap"] < 0.7
    [told] = logs
    assert (told["log_level"], told["channel"], told["errors"]) == ("warning", "one", {"sound_gap": 2})
    assert "sound are missing" in told["first"]


async def test_a_bad_stream_does_not_fill_the_log(good: bytes) -> None:
    """What goes wrong within a minute of a warning is told together, at the end of it."""
    watch = Watch()
    bad = without(good, VIDEO, 90)
    with structlog.testing.capture_logs() as logs:
        for _ in range(4):
            watch.send(bad)
            await watch.clock.step(TELL_SECONDS / 4)
        watch.send(bad)

    assert len(logs) == 2
    assert sum(logs[1]["errors"].values()) > sum(logs[0]["errors"].values())
    assert logs[0]["errors"] == {"picture_gap": 1}


async def test_a_piece_is_judged_when_it_is_large_enough(good: bytes) -> None:
    """What waits for judgement is bounded, and judged without being asked."""
    watch = Watch()
    for at in range(0, 2 * PIECE, PACKET):
        watch.watching.take(good[at : at + PACKET])
    assert watch.figures()["exstream_ts_pcr_interval_max_seconds|one"] > 0
    assert watch.watching._size < PIECE


def test_the_work_of_a_channel_can_be_watched(tmp_path: Path) -> None:
    """A channel at the other rates is as clean as one of 25 pictures a second."""
    for profile in (material.CINEMA, material.FAST):
        metrics, clock = Metrics(), SteppedClock(0)
        watching = Watching(profile.name, profile.rate, Figures(metrics), clock)
        watching.take(spliced(tmp_path, profile))
        watching.judge()
        assert b"exstream_ts_errors_total{" not in metrics.exposition()
