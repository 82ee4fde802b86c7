"""The near part of every published timeline, in memory: what the player asks at every boundary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from exstream.model.channel import ChannelId
from exstream.model.programme import Cue, Segment, SegmentKind
from exstream.schedule.civil import HOUR_MS
from exstream.schedule.timetable import Timeline

BACK_MS = 6 * HOUR_MS
AHEAD_MS = 36 * HOUR_MS
_ROLL_MS = 30 * HOUR_MS
"""A window that reaches less far ahead is read anew."""


@dataclass(frozen=True, slots=True)
class _Window:
    """All published rows of one channel that touch ``since`` .. ``until``."""

    since: int
    until: int
    timeline: Timeline


class Windows:
    """Timelines by channel. Immutable ones, replaced whole: any thread may read."""

    def __init__(self) -> None:
        self._windows: dict[ChannelId, _Window] = {}

    def __contains__(self, channel: ChannelId) -> bool:
        return channel in self._windows

    def put(self, channel: ChannelId, since: int, until: int, rows: Iterable[Segment]) -> None:
        """Take over the published rows that touch ``since`` .. ``until``."""
        self._windows[channel] = _Window(since, until, Timeline(channel, rows))

    def extend(self, channel: ChannelId, rows: Iterable[Segment]) -> None:
        """Add what was just published after the rest, as far as the window reaches."""
        window = self._windows[channel]
        near = [row for row in rows if row.starts < window.until and row.ends > window.since]
        if near:
            timeline = Timeline(channel, (*window.timeline.rows, *near))
            self._windows[channel] = replace(window, timeline=timeline)

    def drop(self, channel: ChannelId) -> None:
        """Forget a channel."""
        self._windows.pop(channel, None)

    def stale(self, channel: ChannelId, now_ms: int) -> bool:
        """Tell whether the window should be read anew."""
        window = self._windows.get(channel)
        return window is None or now_ms < window.since or now_ms + _ROLL_MS > window.until

    def cue(self, channel: ChannelId, at_ms: int) -> Cue:
        """Return what is on; a card where nothing is published, or on a channel that is not here."""
        window = self._windows.get(channel)
        return (window.timeline if window else Timeline(channel, ())).on_air(at_ms)

    def rows(self, channel: ChannelId, start_ms: int, end_ms: int) -> tuple[Segment, ...] | None:
        """Return the rows that touch ``start_ms`` .. ``end_ms``; None when the window does not reach that far."""
        window = self._windows.get(channel)
        if window is None or start_ms < window.since or end_ms > window.until:
            return None
        return window.timeline.between(start_ms, end_ms)

    def covers(self, channel: ChannelId, at_ms: int) -> bool:
        """Tell whether a published row is on at ``at_ms``."""
        window = self._windows.get(channel)
        return window is not None and bool(window.timeline.between(at_ms, at_ms + 1))

    def without_programmes_from(self, channel: ChannelId, at_ms: int) -> int | None:
        """Return the first instant from ``at_ms`` on at which programmes may begin, if none is published from there on.

        That is within a card at once, and else where a row ends; None when there are programmes, or no rows.
        """
        window = self._windows[channel]
        rows = window.timeline.between(at_ms, window.until)
        if not rows or any(row.kind is SegmentKind.PROGRAMME for row in rows):
            return None
        on_air = rows[0]
        return on_air.ends if on_air.starts < at_ms and on_air.kind is not SegmentKind.CARD else at_ms
