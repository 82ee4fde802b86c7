"""A checked stream, told to a person or to a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from exstream.cli.outcome import write
from exstream.cli.reception import Received
from exstream.mpegts.conformance import Finding, Kind, Priority, Report, Severity, StreamReport

_SHOWN = 3
"""How many places of each kind a person is shown."""
_SHOWN_WORDS = 10
_CLASSES = {Priority.FIRST: "priority 1", Priority.SECOND: "priority 2", Priority.SPLICE: "splice"}


def shown(source: str, received: Received) -> dict[str, Any]:
    """Return what was seen and found for a script."""
    report = received.report
    return {
        "source": source,
        "clean": received.clean,
        "ended": received.ended,
        "seconds": round(report.seconds, 3),
        "packets": report.packets,
        "skipped_bytes": report.skipped,
        "bit_rate": round(report.bit_rate),
        "streams": [asdict(stream) for stream in report.streams],
        "errors": _kinds(report, report.errors, Severity.ERROR),
        "warnings": _kinds(report, report.warnings, Severity.WARNING),
        "decoder": None if received.decoder is None else list(received.decoder),
    }


def _kinds(report: Report, counts: Mapping[Kind, int], severity: Severity) -> dict[str, Any]:
    return {
        kind.value: {
            "class": _CLASSES[kind.priority],
            "indicator": kind.indicator,
            "count": count,
            "first": [
                {"packet": each.packet, "seconds": each.seconds, "text": each.text}
                for each in _examples(report, kind, severity)
            ],
        }
        for kind, count in _sorted(counts)
    }


def _sorted(counts: Mapping[Kind, int]) -> list[tuple[Kind, int]]:
    return sorted(counts.items(), key=lambda entry: (entry[0].priority, entry[0].indicator, entry[0]))


def _examples(report: Report, kind: Kind, severity: Severity) -> list[Finding]:
    return [each for each in report.examples[kind] if each.severity is severity]


def write_verdict(source: str, received: Received) -> None:
    """Tell a person what was seen, then what is wrong with it."""
    report = received.report
    write(f"{source}: {report.seconds:.1f} s, {report.bit_rate / 1e6:.2f} Mbit/s, {report.packets} packets")
    for stream in report.streams:
        write(f"  PID {stream.pid:<5} {', '.join(_words(stream))}")
    for title, counts, severity in (
        ("fault", report.errors, Severity.ERROR),
        ("warning", report.warnings, Severity.WARNING),
    ):
        total = sum(counts.values())
        if total:
            write(f"{total} {title}{'' if total == 1 else 's'}:")
        for kind, count in _sorted(counts):
            _write_kind(report, kind, count, severity)
    _write_decoder(received)
    if received.clean:
        write("clean")


def _words(stream: StreamReport) -> Iterator[str]:
    yield str(stream.codec)
    if stream.format:
        yield stream.format
    if stream.codec.pictures:
        if stream.rate is not None:
            yield f"{stream.rate:.5g} pictures a second"
        yield f"{stream.units} pictures"
        yield f"{stream.keys} random-access points"
        yield f"{stream.changes} changes of parameters"
    elif stream.units:
        yield f"{stream.units} frames"


def _write_kind(report: Report, kind: Kind, count: int, severity: Severity) -> None:
    number = f" {kind.indicator}" if kind.indicator else ""
    write(f"  {kind.value} ({_CLASSES[kind.priority]}{number}): {count}")
    for each in _examples(report, kind, severity)[:_SHOWN]:
        write(f"    packet {each.packet}, {each.seconds:.3f} s: {each.text}")


def _write_decoder(received: Received) -> None:
    if received.decoder is None:
        return
    count = len(received.decoder)
    write(f"decoder: {count or 'no'} complaint{'' if count == 1 else 's'}")
    for line in received.decoder[:_SHOWN_WORDS]:
        write(f"    {line}")
