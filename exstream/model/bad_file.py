"""A file that could not be played. Data only; instants are UTC epoch milliseconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that is passed over since its encoders failed again and again, and when that was."""

    path: str
    reason: str
    """The last words of the last encoder."""
    failures: int
    first_at: int
    last_at: int
    size: int = -1
    mtime_ns: int = -1
    """What the file was like, in bytes and nanoseconds of Unix time; -1: not known."""
