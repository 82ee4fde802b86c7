"""The conformance check: what TR 101 290 asks of a transport stream, and what a splice must not do to it."""

from exstream.mpegts.conformance.checker import Checker, Depth, check
from exstream.mpegts.conformance.findings import Finding, Kind, Priority, Severity
from exstream.mpegts.conformance.report import Report, StreamReport

__all__ = [
    "Checker",
    "Depth",
    "Finding",
    "Kind",
    "Priority",
    "Report",
    "Severity",
    "StreamReport",
    "check",
]
