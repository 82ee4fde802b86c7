"""Figures about what aired beside what was planned."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DRIFT_SECONDS = (
    *(-10.0, -1.0, -0.1, -0.05, -0.02, -0.005, 0.0),
    *(0.005, 0.02, 0.04, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 10.0),
)


class AiringFigures:
    """Drift, outcomes, steps of the ladder, files that are set aside."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.drift = Histogram(
            "exstream_asrun_drift_seconds",
            "How far the first picture of a segment was behind its published instant; negative: ahead.",
            buckets=_DRIFT_SECONDS,
            registry=registry,
        )
        self.segments = Counter(
            "exstream_asrun_segments",
            "Segments that are over, by how they went and what most of their pictures came from.",
            ["outcome", "means"],
            registry=registry,
        )
        self.ladder_steps = Counter(
            "exstream_ladder_steps",
            "Steps taken because a programme could not go on.",
            ["step"],
            registry=registry,
        )
        self.bad_files = Gauge("exstream_bad_files", "Files that are set aside.", registry=registry)
