"""HLS from the same bytes: which byte range of a channel's stream is which segment, and which ones a playlist has.

Segment n starts at the first key frame in [nW, (n+1)W) of channel time, so that every server names the same pictures
alike. Nothing is copied and nothing is kept: a segment is a range of the ring.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple, Self

from exstream.model.channel import Profile
from exstream.model.grid import CLOCK_HZ, KEY_FRAME_SECONDS, Rate
from exstream.mpegts.index import RandomAccessPoint

SHORTEST_WINDOW = 4
"""Seconds. Shorter segments would be asked for more often than they are worth."""
LISTED_TARGETS = 3
"""RFC 8216 wants a playlist of at least so many target durations."""
LISTED_WINDOWS = 5
FEWEST = 3
"""Browsers give up on a live playlist of fewer segments."""
SLIVER = KEY_FRAME_SECONDS
"""How long the first segment of a channel is that goes on air for segments, in seconds: see `LiveWindow.told`."""


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """How a channel is cut, in seconds: ``window`` is W, ``target`` the target duration, the same for ever.

    ``rate`` is that of encoded pictures, whose key frames are known beforehand; None where items are sent as they are.
    """

    window: int
    target: int
    rate: Rate | None = None

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Return the rule of a profile.

        Encoded pictures and cards have a key frame within half a second of each window's start, so that segments
        are as long as the window. Where items are sent as they are, a key frame may be a whole group late.
        """
        window = max(SHORTEST_WINDOW, ceil(profile.gop_seconds))
        if profile.copy:
            return cls(window, window + ceil(profile.gop_seconds))
        return cls(window, window, profile.rate)

    @property
    def listed(self) -> int:
        """How much a playlist holds, at least, once there is so much."""
        return max(LISTED_TARGETS * self.target, LISTED_WINDOWS * self.window)

    @property
    def kept(self) -> int:
        """How long bytes are kept: while listed, and then as long again as the longest playlist and the segment."""
        longest = self.listed + self.target
        return 2 * (longest + self.target)

    def begin(self, edge: float) -> float:
        """Return where to begin a channel whose stream soon reaches ``edge``, so that a playlist has enough at once.

        Both are air time. That is two whole windows, and a short segment in front of them.
        """
        return edge // self.window * self.window - (FEWEST - 1) * self.window - SLIVER

    def number(self, pts: int) -> int:
        """Return the window in which ``pts`` (90 kHz since the epoch) lies."""
        return pts // (self.window * CLOCK_HZ)

    def start(self, number: int, rate: Rate) -> int:
        """Return where the segment of that number will begin (90 kHz since the epoch), encoded at ``rate``."""
        second = -(-number * self.window // KEY_FRAME_SECONDS) * KEY_FRAME_SECONDS
        return rate.ticks_at(rate.picture_at(second * 1_000))


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """One entry of the playlist.

    ``begin`` and ``end`` are bytes of the channel's stream, equal where the window has no key frame: a gap. ``pts`` is
    its first picture and ``ticks`` its length (90 kHz). Its pictures were due at channel time plus ``shift_ms``.
    ``steps`` counts the wall's steps up to its first picture; ``stepped``: there was one since the segment before.
    One that is ``to_come`` has no bytes yet; whoever asks for it waits.
    """

    number: int
    begin: int
    end: int
    pts: int
    ticks: int
    shift_ms: int
    steps: int = 0
    stepped: bool = False
    to_come: bool = False

    @property
    def is_gap(self) -> bool:
        """Whether there is nothing to fetch."""
        return self.begin == self.end and not self.to_come

    @property
    def starts_ms(self) -> int:
        """When its first picture was due, in UTC epoch milliseconds."""
        return round(self.pts * 1000 / CLOCK_HZ) + self.shift_ms


class Shift(NamedTuple):
    """The difference of wall and channel time, and how often the wall was stepped before it came to that."""

    ms: int
    steps: int = 0


class LiveWindow:
    """The segments of one channel, oldest first, as far back as their bytes are kept.

    ``shift_at`` tells the milliseconds between channel time and the wall at a picture's time (90 kHz). ``before`` is
    where an earlier window of the same channel ended: the count of the wall's steps goes on from there.
    """

    def __init__(
        self, rule: SegmentRule, shift_at: Callable[[int], int], before: Shift | None = None
    ) -> None:
        self.rule = rule
        self._shift_at = shift_at
        self._segments: deque[MediaSegment] = deque()
        self._open: MediaSegment | None = None
        self._newest = 0
        self.shift = before

    @property
    def following(self) -> int | None:
        """The number of the segment that is under way; None before the first key frame."""
        return self._open.number if self._open is not None else None

    def add(self, point: RandomAccessPoint) -> bool:
        """Take the next key frame of the stream; return whether it has completed a segment."""
        number, self._newest = self.rule.number(point.pts), point.pts
        under_way = self._open
        if under_way is not None and number <= under_way.number:
            return False
        self._open = self._opened(number, point)
        if under_way is None:
            return False
        self._close(under_way, point)
        self._forget(point.pts)
        return True

    def listed(self) -> list[MediaSegment]:
        """Return what the playlist has now: the newest segments, enough of them for players to stay behind."""
        wanted, chosen = self.rule.listed * CLOCK_HZ, list[MediaSegment]()
        for segment in reversed(self._segments):
            if wanted <= 0:
                break
            chosen.append(segment)
            wanted -= segment.ticks
        return chosen[::-1]

    def told(self) -> list[MediaSegment]:
        """Return what a playlist tells now: what is `listed`, or nothing while that is too little for players.

        On an encoded channel what is missing is told before it is there, as soon as what remains to be made of the
        segment under way is no longer than what can be played meanwhile.
        """
        listed, under_way, rate = self.listed(), self._open, self.rule.rate
        if len(listed) >= FEWEST:
            return listed
        if not listed or under_way is None or rate is None:
            return []
        if self.rule.start(under_way.number + 1, rate) - self._newest > sum(each.ticks for each in listed):
            return []
        return [*listed, *self._to_come(under_way, FEWEST - len(listed), rate)]

    def _to_come(self, under_way: MediaSegment, count: int, rate: Rate) -> Iterator[MediaSegment]:
        """Give the segment under way and those after it, ``count`` in all, as they will be."""
        for number in range(under_way.number, under_way.number + count):
            first = number == under_way.number
            pts = under_way.pts if first else self.rule.start(number, rate)
            yield replace(
                under_way,
                number=number,
                pts=pts,
                ticks=self.rule.start(number + 1, rate) - pts,
                stepped=under_way.stepped and first,
                to_come=True,
            )

    def find(self, number: int) -> MediaSegment | None:
        """Return a whole segment, listed or no longer so; None where there is none of that number."""
        if not self._segments:
            return None
        place = number - self._segments[0].number
        return self._segments[place] if 0 <= place < len(self._segments) else None

    def _opened(self, number: int, point: RandomAccessPoint) -> MediaSegment:
        shift_ms, last = self._shift_at(point.pts), self.shift
        stepped = last is not None and last.ms != shift_ms
        steps = last.steps + stepped if last is not None else 0
        self.shift = Shift(shift_ms, steps)
        return MediaSegment(number, point.offset, point.offset, point.pts, 0, shift_ms, steps, stepped)

    def _close(self, segment: MediaSegment, point: RandomAccessPoint) -> None:
        """Complete ``segment`` at ``point``; windows in between had no key frame and become gaps.

        The bytes then belong to the segment before the gaps, and its length is shared among them: the numbers run on,
        and so does the time.
        """
        missing = self.rule.number(point.pts) - segment.number - 1
        edges = [segment.pts + (point.pts - segment.pts) * at // (missing + 1) for at in range(missing + 2)]
        for at in range(missing + 1):
            self._segments.append(
                MediaSegment(
                    segment.number + at,
                    segment.begin if at == 0 else point.offset,
                    point.offset,
                    edges[at],
                    edges[at + 1] - edges[at],
                    segment.shift_ms,
                    segment.steps,
                    segment.stepped and at == 0,
                )
            )

    def _forget(self, pts: int) -> None:
        while self._segments and self._segments[0].pts < pts - self.rule.kept * CLOCK_HZ:
            self._segments.popleft()
