"""Figures about what goes out: every packet of every channel is checked while it does."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class ConformanceFigures:
    """Errors by kind, holes in the timelines, and how regular the clock is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.errors = Counter(
            "exstream_ts_errors",
            "Errors in the transport stream that goes out, by kind as docs/conformance.md names them.",
            ["channel", "kind"],
            registry=registry,
        )
        self.timeline_seconds = Counter(
            "exstream_ts_timeline_seconds",
            "Seconds missing from the timeline of pictures or sound (gap) or sent twice (overlap).",
            ["channel", "kind"],
            registry=registry,
        )
        self.pcr_jitter = Gauge(
            "exstream_ts_pcr_jitter_seconds",
            "How unlike one step between clock references is the step before it, a fading mean.",
            ["channel"],
            registry=registry,
        )
        self.pcr_longest = Gauge(
            "exstream_ts_pcr_interval_max_seconds",
            "The longest step between clock references since the channel went on air.",
            ["channel"],
            registry=registry,
        )
