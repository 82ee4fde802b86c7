"""Figures about where bytes come from: what was known beforehand, and what servers gave."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class SourceFigures:
    """Look-ups of sources, and bytes and hiccups of each server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lookups = Counter(
            "exstream_source_lookups",
            "Look-ups of where an item's bytes are; result is hit where it was known.",
            ["result"],
            registry=registry,
        )
        self._read = Counter(
            "exstream_plex_read_bytes", "Bytes of files read from servers.", ["server"], registry=registry
        )
        self._resumed = Counter(
            "exstream_plex_read_resumes",
            "Readings that broke off and went on where they were.",
            ["server"],
            registry=registry,
        )

    def looked(self, known: bool) -> None:
        """Count a look-up."""
        self._lookups.labels("hit" if known else "miss").inc()

    def read(self, server: str, count: int) -> None:
        """Count bytes that came from a server."""
        self._read.labels(server).inc(count)

    def resumed(self, server: str) -> None:
        """Count a reading that was begun anew where it broke off."""
        self._resumed.labels(server).inc()
