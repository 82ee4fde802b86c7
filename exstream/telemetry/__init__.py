"""What the server tells about itself: logs without secrets, and figures for Prometheus."""

from exstream.telemetry.logs import errors_only, write_logs
from exstream.telemetry.metrics import Metrics, settle_memory, watch_loop
from exstream.telemetry.redaction import REDACTED, Redaction

__all__ = ["REDACTED", "Metrics", "Redaction", "errors_only", "settle_memory", "watch_loop", "write_logs"]
