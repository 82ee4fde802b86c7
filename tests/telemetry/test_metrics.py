"""Figures for Prometheus."""

import asyncio
import gc
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exstream import __version__
from exstream.telemetry import Metrics, settle_memory, watch_loop


def _samples(metrics: Metrics) -> dict[str, float]:
    return {
        "|".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def test_what_is_counted_is_exposed() -> None:
    """Each figure appears under its name, with its labels."""
    metrics = Metrics()
    metrics.tune_seconds.labels("cold").observe(0.3)
    metrics.tune_misses.inc()
    metrics.viewers.labels("1984.1").set(2)
    metrics.bytes_sent.inc(188)
    metrics.feed_failures.labels("stalled").inc()
    metrics.card_seconds.inc(1.5)
    metrics.viewer_skips.inc()
    metrics.tuners_in_use.set(3)
    samples = _samples(metrics)
    assert samples["exstream_tune_seconds_count|cold"] == 1
    assert samples["exstream_tune_seconds_bucket|0.35|cold"] == 1
    assert samples["exstream_tune_seconds_bucket|0.25|cold"] == 0
    assert samples["exstream_viewers|1984.1"] == 2
    assert samples["exstream_sent_bytes_total"] == 188
    assert samples["exstream_feed_failures_total|stalled"] == 1
    assert samples["exstream_card_seconds_total"] == 1.5
    assert samples["exstream_tuners_in_use"] == 3
    assert samples[f"exstream_info|{__version__}"] == 1
    assert samples["process_resident_memory_bytes"] > 0


def test_two_servers_in_one_process_count_apart() -> None:
    """The figures belong to the object, not to the process."""
    first, second = Metrics(), Metrics()
    first.tune_misses.inc()
    assert _samples(first)["exstream_tune_misses_total"] == 1
    assert _samples(second)["exstream_tune_misses_total"] == 0


def test_the_pool_is_read_when_asked() -> None:
    """The pool's gauges show its state at the time of the request."""
    metrics, busy = Metrics(), [1]
    metrics.gauge_pool(connections=lambda: 20, in_use=lambda: busy[0])
    assert _samples(metrics)["exstream_db_pool_checked_out"] == 1
    busy[0] = 7
    assert _samples(metrics)["exstream_db_pool_checked_out"] == 7
    assert _samples(metrics)["exstream_db_pool_connections"] == 20


def _late_wakes(metrics: Metrics) -> float:
    samples, name = _samples(metrics), "exstream_event_loop_lag_seconds"
    return samples[f"{name}_count"] - samples[f"{name}_bucket|0.025"]


@pytest.mark.anyio
async def test_a_blocked_event_loop_shows() -> None:
    """Whoever holds the loop for 60 ms is seen as at least one late wake."""
    metrics = Metrics()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(watch_loop(metrics, interval=0.01, calm=0.01))
        await asyncio.sleep(0.05)
        before = _late_wakes(metrics)
        time.sleep(0.06)
        while _late_wakes(metrics) == before:
            await asyncio.sleep(0.01)
        watch.cancel()
    assert _samples(metrics)["exstream_event_loop_lag_seconds_sum"] >= 0.05


@pytest.mark.anyio
async def test_an_idle_server_is_left_asleep() -> None:
    """The loop is woken often while the server works, and a tenth as often while it does not."""
    metrics = Metrics()

    def wakes() -> float:
        return _samples(metrics)["exstream_event_loop_lag_seconds_count"]

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        watch = tasks.create_task(watch_loop(metrics, interval=0.01, calm=0.1))
        for _ in range(100):
            await asyncio.sleep(0.001)
            sum(range(50_000))
        busy = wakes()
        await asyncio.sleep(0.1)
        before = wakes()
        await asyncio.sleep(0.5)
        calm = wakes() - before
        watch.cancel()
    assert busy >= 8
    assert 3 <= calm <= 6


def test_what_stays_is_passed_over_by_collections() -> None:
    """After the server has started, a collection of garbage looks only through what came later."""
    before = len(gc.get_objects())
    try:
        settle_memory()
        assert gc.get_freeze_count() > before / 2
        assert len(gc.get_objects()) < before / 2
    finally:
        gc.unfreeze()
