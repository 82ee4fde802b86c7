"""Figures for Prometheus, on a registry of their own: made once by ``app`` and given to whoever counts."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from time import process_time
from typing import NoReturn

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from exstream import __version__
from exstream.telemetry.airing import AiringFigures
from exstream.telemetry.conformance import ConformanceFigures
from exstream.telemetry.plex import PlexFigures
from exstream.telemetry.sources import SourceFigures

_TUNE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Fine below 50 ms: so late it may wake once in a hundred times."""
LAG_INTERVAL = 0.05
"""How often the event loop is to wake, in seconds: twenty times a second tell a 99th percentile within seconds."""
CALM_INTERVAL = 0.5
"""How often while the server does next to nothing: being woken would be most of its work."""
CALM_SHARE = 0.04
"""Next to nothing: so much of a core."""


class Metrics:
    """Every figure of one server. Counters and gauges may be touched from any thread."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Info("exstream", "The running version.", registry=registry).info({"version": __version__})
        self.tune_seconds = Histogram(
            "exstream_tune_seconds",
            "From a viewer's request to the programme's first key frame; start is cold or warm.",
            ["start"],
            buckets=_TUNE_SECONDS,
            registry=registry,
        )
        self.tune_misses = Counter(
            "exstream_tune_misses", "Tunes that saw a card before the programme.", registry=registry
        )
        self.viewers = Gauge("exstream_viewers", "Viewers now.", ["channel"], registry=registry)
        self.viewer_skips = Counter(
            "exstream_viewer_skips", "Slow viewers moved on to a newer key frame.", registry=registry
        )
        self.viewers_closed = Counter(
            "exstream_viewers_closed", "Viewers closed because they read too slowly.", registry=registry
        )
        self.bytes_sent = Counter(
            "exstream_sent_bytes", "Transport stream bytes given to viewers.", registry=registry
        )
        self.channels_on_air = Gauge(
            "exstream_channels_on_air", "Channels with a running player.", registry=registry
        )
        self.feed_failures = Counter(
            "exstream_feed_failures",
            "Feeds that could not start, broke off or hung.",
            ["reason"],
            registry=registry,
        )
        self.card_seconds = Counter(
            "exstream_card_seconds", "Seconds of cards sent on air.", registry=registry
        )
        self.ffmpeg_processes = Gauge(
            "exstream_ffmpeg_processes", "Running ffmpeg processes.", registry=registry
        )
        self.airing = AiringFigures(registry)
        self.conformance = ConformanceFigures(registry)
        self.plex = PlexFigures(registry)
        self.sources = SourceFigures(registry)
        self.tuners_in_use = Gauge("exstream_tuners_in_use", "HDHomeRun tuners taken.", registry=registry)
        self._measure_inside(registry)

    def _measure_inside(self, registry: CollectorRegistry) -> None:
        self.event_loop_lag = Histogram(
            "exstream_event_loop_lag_seconds",
            "How late the event loop wakes.",
            buckets=_LAG_SECONDS,
            registry=registry,
        )
        self.pump_tick = Histogram(
            "exstream_pump_tick_seconds", "One round of the pump.", buckets=_LAG_SECONDS, registry=registry
        )
        self.published_until = Gauge(
            "exstream_published_until_seconds",
            "End of the published timeline, Unix time.",
            ["channel"],
            registry=registry,
        )
        self._pool_size = Gauge(
            "exstream_db_pool_connections", "Open database connections.", registry=registry
        )
        self._pool_in_use = Gauge(
            "exstream_db_pool_checked_out", "Database connections in use.", registry=registry
        )

    def gauge_pool(self, *, connections: Callable[[], float], in_use: Callable[[], float]) -> None:
        """Read the database pool's figures whenever they are asked for."""
        self._pool_size.set_function(connections)
        self._pool_in_use.set_function(in_use)

    def exposition(self) -> bytes:
        """Return all figures in Prometheus's text format, to be sent as ``content_type``."""
        return generate_latest(self.registry)


def settle_memory() -> None:
    """Take what is there now for what stays: later collections of garbage, which hold the loop, pass over it."""
    gc.collect()
    gc.freeze()


async def watch_loop(
    metrics: Metrics, *, interval: float = LAG_INTERVAL, calm: float = CALM_INTERVAL
) -> NoReturn:
    """Measure for ever how many seconds late the event loop wakes: every ``interval``, every ``calm`` while it can be.

    What is measured is therefore mostly the time in which there is work: a server that is idle looks no better.
    """
    loop = asyncio.get_running_loop()
    pause = interval
    while True:
        began, spent = loop.time(), process_time()
        wake: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(began + pause, wake.set_result, None)
        try:
            await wake
        finally:
            timer.cancel()
        passed = loop.time() - began
        metrics.event_loop_lag.observe(max(0.0, passed - pause))
        pause = calm if process_time() - spent < CALM_SHARE * passed else interval
