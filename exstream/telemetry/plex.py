"""Figures about media servers: their connections, and what keeping up to date with them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections to one server now. ``breaker`` is closed, half-open or open."""

    server: str
    in_use: int
    waiting: int
    streams: int
    breaker: str


class PlexFigures(Collector):
    """Read whenever they are asked for: connections; counted: what synchronisations did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._connections: Callable[[], Iterable[Connections]] = tuple
        of = ["server", "library"]
        self._seconds = Gauge(
            "exstream_sync_seconds",
            "How long the latest look for changes in a library took.",
            of,
            registry=registry,
        )
        self._at = Gauge(
            "exstream_sync_last_timestamp_seconds",
            "When a library was last looked at, Unix time.",
            of,
            registry=registry,
        )
        self._requests = Counter(
            "exstream_sync_requests", "Requests for what a library holds.", of, registry=registry
        )
        self._changes = Counter(
            "exstream_sync_changes",
            "Items that were added, updated or removed.",
            [*of, "change"],
            registry=registry,
        )
        registry.register(self)

    def gauge(self, connections: Callable[[], Iterable[Connections]]) -> None:
        """Read the connections from there."""
        self._connections = connections

    def synced(
        self, server: str, library: str, at: float, seconds: float, requests: int, changes: dict[str, int]
    ) -> None:
        """Note that a library was looked at, at Unix time ``at``."""
        self._seconds.labels(server, library).set(seconds)
        self._at.labels(server, library).set(at)
        self._requests.labels(server, library).inc(requests)
        for change, count in changes.items():
            self._changes.labels(server, library, change).inc(count)

    def collect(self) -> Iterator[Metric]:
        """Yield the connections of every server as they are now."""
        now = list(self._connections())
        yield _family(
            "requests_in_use",
            "Requests that a server answers just now.",
            [(each.server, each.in_use) for each in now],
        )
        yield _family(
            "requests_waiting",
            "Requests that wait for their turn.",
            [(each.server, each.waiting) for each in now],
        )
        yield _family(
            "streams",
            "Files that are read from a server just now.",
            [(each.server, each.streams) for each in now],
        )
        breaker = GaugeMetricFamily(
            "exstream_plex_breaker",
            "Whether a server is asked: 1 at the state that holds, closed, half-open (one asks for all) or open.",
            labels=["server", "state"],
        )
        for each in now:
            for state in ("closed", "half-open", "open"):
                breaker.add_metric([each.server, state], float(each.breaker == state))
        yield breaker


def _family(name: str, meaning: str, values: Iterable[tuple[str, int]]) -> Metric:
    family = GaugeMetricFamily(f"exstream_plex_{name}", meaning, labels=["server"])
    for server, value in values:
        family.add_metric([server], value)
    return family
