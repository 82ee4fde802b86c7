"""What playout tells the metrics."""

from __future__ import annotations

from exstream.model.asrun import AsRunEntry
from exstream.model.channel import ChannelId
from exstream.model.recovery import Failure, Step
from exstream.mpegts.conformance import Finding
from exstream.telemetry import Metrics


class Figures:
    """Counts for players and tuners."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def failed(self, failure: Failure) -> None:
        """A feed could not start, broke off or hung."""
        self._metrics.feed_failures.labels(failure.value).inc()

    def stepped(self, step: Step) -> None:
        """A step of the ladder was taken."""
        self._metrics.airing.ladder_steps.labels(step.value).inc()

    def aired(self, entry: AsRunEntry) -> None:
        """A segment is over."""
        airing = self._metrics.airing
        airing.segments.labels(entry.outcome.value, entry.means.value).inc()
        if entry.drift_ms is not None:
            airing.drift.observe(entry.drift_ms / 1_000)

    def carded(self, seconds: float) -> None:
        """A card covered ``seconds`` of a programme."""
        self._metrics.card_seconds.inc(seconds)

    def skipped(self) -> None:
        """A slow viewer was moved on."""
        self._metrics.viewer_skips.inc()

    def joined(self, channel: ChannelId) -> None:
        """A viewer came."""
        self._metrics.viewers.labels(channel).inc()

    def left(self, channel: ChannelId) -> None:
        """A viewer went."""
        self._metrics.viewers.labels(channel).dec()

    def on_air(self, channels: int) -> None:
        """So many channels are on air now."""
        self._metrics.channels_on_air.set(channels)

    def taken(self, tuners: int) -> None:
        """So many tuners are in use now."""
        self._metrics.tuners_in_use.set(tuners)

    def tuned(self, seconds: float, *, cold: bool, missed: bool) -> None:
        """A viewer got first bytes after ``seconds``."""
        self._metrics.tune_seconds.labels("cold" if cold else "warm").observe(seconds)
        if missed:
            self._metrics.tune_misses.inc()

    def sent(self, count: int) -> None:
        """A viewer was given ``count`` bytes."""
        self._metrics.bytes_sent.inc(count)

    def closed(self) -> None:
        """A viewer that took nothing was closed."""
        self._metrics.viewers_closed.inc()

    def erred(self, channel: ChannelId, finding: Finding) -> None:
        """Something is wrong in what a channel sends."""
        conformance = self._metrics.conformance
        conformance.errors.labels(channel, finding.kind.value).inc()
        if finding.gap:
            conformance.timeline_seconds.labels(channel, finding.kind.value).inc(abs(finding.gap))

    def clocked(self, channel: ChannelId, jitter: float, longest: float) -> None:
        """The clock references of a channel are so regular; in seconds."""
        self._metrics.conformance.pcr_jitter.labels(channel).set(jitter)
        self._metrics.conformance.pcr_longest.labels(channel).set(longest)
