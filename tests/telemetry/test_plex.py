"""Figures of media servers, and tokens that are learnt while the server runs."""

from __future__ import annotations

import io
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, generate_latest

from exstream.telemetry import Redaction, write_logs
from exstream.telemetry.plex import Connections, PlexFigures


def test_connections_are_read_when_they_are_asked_for() -> None:
    """What is in use, waits and streams is that of the moment; exactly one state of each breaker holds."""
    registry = CollectorRegistry()
    figures = PlexFigures(registry)
    assert b'server="Den"' not in generate_latest(registry)
    now = [Connections("Den", 2, 1, 3, "half-open")]
    figures.gauge(lambda: now)
    text = generate_latest(registry).decode()
    assert 'exstream_plex_requests_in_use{server="Den"} 2.0' in text
    assert 'exstream_plex_requests_waiting{server="Den"} 1.0' in text
    assert 'exstream_plex_streams{server="Den"} 3.0' in text
    assert text.count('exstream_plex_breaker{server="Den"') == 3
    assert 'exstream_plex_breaker{server="Den",state="half-open"} 1.0' in text
    assert 'exstream_plex_breaker{server="Den",state="closed"} 0.0' in text
    now.clear()
    assert b'server="Den"' not in generate_latest(registry)


def test_synchronisations_add_up() -> None:
    """Requests and changes are counted on, the seconds are those of the latest."""
    registry = CollectorRegistry()
    figures = PlexFigures(registry)
    for seconds in (4.0, 0.5):
        figures.synced("Den", "Films", 100.0, seconds, 3, {"added": 2, "removed": 0})
    text = generate_latest(registry).decode()
    assert 'exstream_sync_seconds{library="Films",server="Den"} 0.5' in text
    assert 'exstream_sync_requests_total{library="Films",server="Den"} 6.0' in text
    assert 'exstream_sync_changes_total{change="added",library="Films",server="Den"} 4.0' in text


def test_a_token_is_nowhere_once_it_is_learnt(tmp_path: Path) -> None:
    """Neither a message nor a traceback shows it, on the console or in the file, whatever stands around it."""
    redaction, console = Redaction(["first-secret-1"]), io.StringIO()
    with write_logs(tmp_path, redaction, console=console):
        log = structlog.get_logger("test")
        redaction.learn(["canary-9f3a"])
        redaction.learn(["canary-9f3a", ""])
        try:
            int("canary-9f3a")
        except ValueError:
            log.exception("went wrong with first-secret-1 and canary-9f3a")
    written = console.getvalue() + (tmp_path / "logs" / "exstream.log").read_text()
    assert "canary-9f3a" not in written
    assert "first-secret-1" not in written
    assert written.count("[redacted]") >= 6
