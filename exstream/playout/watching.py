"""The live check: what a channel sends is judged packet by packet, counted, and told when it is not clean."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

import structlog

from exstream.clock import Clock
from exstream.model.channel import ChannelId
from exstream.model.grid import Rate
from exstream.mpegts.conformance import Checker, Depth, Finding, Kind, Severity

PIECE = 512 * 1024
"""Bytes that are judged at once: larger pieces cost less, and nobody waits for the judgement."""
TELL_SECONDS = 60.0
"""How often a stream that is not clean is told in the log, at most."""

log = structlog.get_logger(__name__)


class Verdicts(Protocol):
    """Where the figures of a check go."""

    def erred(self, channel: ChannelId, finding: Finding) -> None:
        """Something is wrong in what ``channel`` sends."""

    def clocked(self, channel: ChannelId, jitter: float, longest: float) -> None:
        """The clock references of ``channel`` are so regular; in seconds."""


class Watching:
    """Checks what ``channel`` sends, from its first byte on. ``rate`` is that of its pictures."""

    def __init__(self, channel: ChannelId, rate: Rate, verdicts: Verdicts, clock: Clock) -> None:
        self._channel = channel
        self._verdicts = verdicts
        self._clock = clock
        self._checker = Checker(Depth.HEADERS, rate=rate)
        self._pieces: list[bytes] = []
        self._size = 0
        self._untold: Counter[Kind] = Counter()
        self._first: Finding | None = None
        self._told: float | None = None

    def take(self, data: bytes) -> None:
        """Take the next bytes that go out."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= PIECE:
            self.judge()

    def judge(self) -> None:
        """Judge what has been taken so far."""
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        for finding in self._checker.feed(piece):
            if finding.severity is Severity.ERROR:
                self._verdicts.erred(self._channel, finding)
                self._untold[finding.kind] += 1
                self._first = self._first or finding
        references = self._checker.references
        self._verdicts.clocked(self._channel, references.jitter, references.longest)
        self._tell()

    def _tell(self) -> None:
        """Log what has been found, unless something was logged a moment ago: then it waits."""
        now = self._clock.air()
        if self._first is None or (self._told is not None and now - self._told < TELL_SECONDS):
            return
        log.warning(
            "the stream is not clean",
            channel=self._channel,
            errors={kind.value: count for kind, count in self._untold.items()},
            first=self._first.text,
            packet=self._first.packet,
        )
        self._told, self._first = now, None
        self._untold.clear()
