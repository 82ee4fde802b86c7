"""The horizon keeper: publishes whole days ahead of air, and keeps what is near in memory for the player."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol

import structlog

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.jobs import drafts
from exstream.jobs.drafts import Change, Place
from exstream.jobs.window import AHEAD_MS, BACK_MS, Windows
from exstream.model.catalogue import Catalogue
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.model.programme import Cue, DaySchedule, Segment, SegmentKind
from exstream.schedule.civil import HOUR_MS, MINUTE_MS
from exstream.schedule.planner import Planner, day_of
from exstream.schedule.timetable import REPLAN_NOTICE_MS, replan
from exstream.store.schedules import PublishedDay, ScheduleStore
from exstream.telemetry import Metrics

DAY_MS = 24 * HOUR_MS
LEAST_AHEAD_MS = 2 * DAY_MS
"""What is published before a channel counts as ready."""
KEPT_MS = 14 * DAY_MS
_FAR_FUTURE_MS = 1 << 60
_ROUND_SECONDS = 60.0
_RETRY_SECONDS = 20.0
_PRUNE_MS = 6 * HOUR_MS

log = structlog.get_logger(__name__)


class Lineup(Protocol):
    """The channels on air now."""

    def enabled(self) -> Sequence[ChannelDefinition]:
        """Return them in the order of their numbers, which is the order they are planned in."""


class Publisher:
    """Publishes the timelines of all enabled channels, and answers what is on.

    `start` makes the server ready, `run` keeps it so; `wake` tells that the lineup or the catalogue has changed.
    """

    def __init__(
        self,
        store: ScheduleStore,
        lineup: Lineup,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        metrics: Metrics,
        *,
        horizon_days: int = 7,
    ) -> None:
        self._store = store
        self._lineup = lineup
        self._catalogue = catalogue
        self._clock = clock
        self._metrics = metrics
        self._horizon_ms = max(horizon_days * DAY_MS, LEAST_AHEAD_MS)
        self._definitions: dict[ChannelId, ChannelDefinition] = {}
        self._latest: dict[ChannelId, PublishedDay | None] = {}
        self._revisions: dict[ChannelId, int] = {}
        self._planners: dict[ChannelId, Planner] = {}
        self._windows = Windows()
        self._planned_from = Catalogue()
        self._checked: Catalogue | None = None
        self._pruned_at = 0
        self._changing = asyncio.Lock()
        self._awake = asyncio.Event()

    # What others ask.

    def cue(self, channel: ChannelId, at_ms: int) -> Cue:
        """Return what is on at schedule time ``at_ms``; a card where nothing is published."""
        return self._windows.cue(channel, at_ms)

    def revision(self, channel: ChannelId) -> int:
        """Return a number that grows whenever rows of ``channel`` change or are added."""
        return self._revisions.get(channel, 0)

    async def rows(self, channel: ChannelId, start_ms: int, end_ms: int) -> Sequence[Segment]:
        """Return the published rows that touch ``start_ms`` .. ``end_ms``. Raises StoreError."""
        near = self._windows.rows(channel, start_ms, end_ms)
        return near if near is not None else await self._store.segments(channel, start_ms, end_ms)

    async def rows_of(
        self, channels: Sequence[ChannelId], start_ms: int, end_ms: int
    ) -> Mapping[ChannelId, Sequence[Segment]]:
        """Do as `rows` for each of ``channels``, in one go. Raises StoreError."""
        near = {channel: self._windows.rows(channel, start_ms, end_ms) for channel in channels}
        far = [channel for channel, rows in near.items() if rows is None]
        read = await self._store.segments_of(far, start_ms, end_ms) if far else {}
        return {channel: read.get(channel, ()) if rows is None else rows for channel, rows in near.items()}

    def unready(self) -> tuple[ChannelId, ...]:
        """Return the enabled channels that have nothing published for this instant."""
        now = self._clock.now_ms()
        channels = (definition.id for definition in self._lineup.enabled())
        return tuple(channel for channel in channels if not self._windows.covers(channel, now))

    def wake(self) -> None:
        """Look at the lineup and the catalogue soon."""
        self._awake.set()

    async def heard(self, _catalogue: Catalogue) -> None:
        """Do as `wake`: what the catalogue's holder calls."""
        self.wake()

    # What keeps the promise.

    async def start(self) -> None:
        """Publish the next two days of every enabled channel, as far as they are not yet. Raises StoreError."""
        await self._follow_lineup()
        await self._replace_cards(self._catalogue())
        await self._leave_a_wrong_future()
        while self._behind(LEAST_AHEAD_MS):
            await self._publish_round(LEAST_AHEAD_MS)

    async def run(self) -> NoReturn:
        """Keep the horizon for ever; a database that fails is asked again later, what is in memory stays on air."""
        while True:
            pause = _ROUND_SECONDS
            try:
                await self._round()
            except StoreError as error:
                log.warning("the timelines could not be extended", reason=str(error))
                self._latest.clear()  # somebody else may have published: read it again
                pause = _RETRY_SECONDS
            await self._wait(pause)

    async def preview(self, channel: ChannelId) -> Change | None:
        """Return what `apply` would change; None when the channel is not on air. Raises StoreError."""
        async with self._changing:
            found = await self._redraft(channel)
        return None if found is None else found[0]

    async def apply(self, channel: ChannelId) -> Change | None:
        """Replan ``channel`` by its present definition, from its first programme in ten minutes or more.

        Returns what changed; None when the channel is not on air. Raises StoreError.
        """
        async with self._changing:
            found = await self._redraft(channel)
            if found is None:
                return None
            change, days = found
            await self._supersede(channel, change.at_ms, days)
        log.info("a definition was applied", **_told(change))
        self.wake()
        return change

    # One round.

    async def _round(self) -> None:
        self._awake.clear()
        await self._follow_lineup()
        await self._follow_catalogue()
        for channel in list(self._definitions):
            if self._windows.stale(channel, self._clock.now_ms()):
                async with self._changing:
                    await self._read_window(channel)
        while self._behind(self._horizon_ms) and not self._awake.is_set():
            await self._publish_round(self._least_reached())
        if not self._awake.is_set():
            self._planners.clear()  # the pools of a large library, sorted, are not kept for tomorrow
        await self._prune()

    async def _follow_lineup(self) -> None:
        """Take up new channels and definitions, let go of channels that are off the air; their rows are kept."""
        enabled = {definition.id: definition for definition in self._lineup.enabled()}
        for channel in [channel for channel in self._definitions if channel not in enabled]:
            async with self._changing:
                self._let_go(channel)
        for channel in enabled:
            if channel not in self._latest:
                async with self._changing:
                    self._latest[channel] = await self._store.latest(channel)
                    await self._read_window(channel)
        self._definitions = enabled
        self._show_horizons()

    def _let_go(self, channel: ChannelId) -> None:
        self._windows.drop(channel)
        self._definitions.pop(channel, None)
        self._planners.pop(channel, None)
        self._latest.pop(channel, None)
        self._metrics.published_until.remove(channel)

    async def _follow_catalogue(self) -> None:
        """Act on what became of the items since the last time; new items act beyond the horizon by themselves."""
        catalogue = self._catalogue()
        before = self._checked
        if not catalogue.version or (before is not None and before.version == catalogue.version):
            return  # a catalogue without a version was never loaded: nothing is known to be gone
        if before is None or not before.items.keys() <= catalogue.items.keys():
            for definition in list(self._definitions.values()):
                await self._replace_gone(definition, catalogue)
        await self._replace_cards(catalogue)
        self._checked = catalogue

    async def _replace_gone(self, definition: ChannelDefinition, catalogue: Catalogue) -> None:
        channel, now = definition.id, self._clock.now_ms()
        async with self._changing:
            rows = await self._store.segments(channel, now, _FAR_FUTURE_MS)
            replacements = await asyncio.to_thread(replan, rows, catalogue, definition, now)
            if not replacements:
                return
            for old, new in drafts.substituted(rows, replacements):
                await self._store.replace(channel, old, new)
            await self._read_window(channel)
            self._changed(channel)
        log.warning(
            "rows whose items are gone were replaced",
            channel=channel,
            rows=len(replacements),
            first_ms=replacements[0].row.starts,
            titles=sorted({replacement.row.title for replacement in replacements})[:10],
        )

    async def _replace_cards(self, catalogue: Catalogue) -> None:
        """Put programmes on the channels whose pools were empty when they were planned."""
        next_minute = (self._clock.now_ms() // MINUTE_MS + 1) * MINUTE_MS
        for channel in list(self._definitions):
            at = self._windows.without_programmes_from(channel, next_minute)
            if at is None:
                continue
            planner = await self._planner(channel, catalogue)
            if not drafts.airs_programmes(planner):
                continue
            async with self._changing:
                days = await self._draft(planner, at, at + LEAST_AHEAD_MS)
                await self._supersede(channel, at, days)
            log.info("programmes take the place of cards", channel=channel, at_ms=at)

    async def _leave_a_wrong_future(self) -> None:
        """Give up timelines that a clock set far ahead once left behind: nothing of them covers the days at hand."""
        now = self._clock.now_ms()
        for channel, latest in tuple(self._latest.items()):
            if latest is None or latest.ends <= now + self._horizon_ms + 2 * DAY_MS:
                continue
            rows = await self._store.segments(channel, now, now + LEAST_AHEAD_MS)
            if rows and rows[0].starts <= now and rows[-1].ends >= now + LEAST_AHEAD_MS:
                continue
            async with self._changing:
                await self._store.forget(channel)
                self._latest[channel] = None
                await self._read_window(channel)
                self._changed(channel)
            log.warning("a timeline of another time was given up", channel=channel, ended=latest.ends)

    async def _prune(self) -> None:
        now = self._clock.now_ms()
        if now - self._pruned_at >= _PRUNE_MS:
            dropped = await self._store.prune(now - KEPT_MS)
            self._pruned_at = now
            log.debug("old rows were dropped", rows=dropped)

    async def _wait(self, seconds: float) -> None:
        """Wait for `wake`, but not for long."""
        waiting = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._awake.wait()),
        }
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    # Planning and publishing.

    def _behind(self, ahead_ms: int) -> list[ChannelDefinition]:
        """Return the channels that are published less far ahead than asked, in the order they are planned in."""
        until = self._clock.now_ms() + ahead_ms
        return [
            definition
            for channel, definition in self._definitions.items()
            if (latest := self._latest.get(channel)) is None or latest.ends < until
        ]

    def _least_reached(self) -> int:
        """Return how far ahead to publish next: those that have less than two days come first."""
        return LEAST_AHEAD_MS if self._behind(LEAST_AHEAD_MS) else self._horizon_ms

    async def _publish_round(self, ahead_ms: int) -> None:
        """Publish one more day of every channel that is behind."""
        now = self._clock.now_ms()
        behind = self._behind(ahead_ms)
        places = [
            drafts.next_place(definition, self._latest.get(definition.id), now) for definition in behind
        ]
        spans = [drafts.day_span(definition, place) for definition, place in zip(behind, places, strict=True)]
        rows = await self._on_air(min(span[0] for span in spans), max(span[1] for span in spans))
        for definition in behind:
            async with self._changing:
                if definition.id not in self._definitions:
                    continue
                place = drafts.next_place(definition, self._latest.get(definition.id), now)
                planner = await self._planner(definition.id, self._catalogue())
                (day,) = await asyncio.to_thread(drafts.draft, planner, rows, place, place.starts)
                await self._store.append(day)
                rows.setdefault(definition.id, []).extend(day.segments)
                self._windows.extend(definition.id, day.segments)
                self._latest[definition.id] = PublishedDay(day.day, day.starts, day.ends, day.cursors)
                self._changed(definition.id)

    async def _redraft(self, channel: ChannelId) -> tuple[Change, list[DaySchedule]] | None:
        latest = await self._store.latest(channel)
        if channel not in self._definitions or latest is None:
            return None
        soonest = self._clock.now_ms() + REPLAN_NOTICE_MS
        rows = await self._store.segments(channel, soonest, _FAR_FUTURE_MS)
        starting = [row for row in rows if row.starts >= soonest]
        programmes = (row.starts for row in starting if row.kind is SegmentKind.PROGRAMME)
        at = next(programmes, starting[0].starts if starting else latest.ends)
        planner = await self._planner(channel, self._catalogue())
        days = await self._draft(planner, at, max(latest.ends, at))
        before = (row for row in starting if row.starts >= at)
        after = (row for day in days for row in day.segments)
        return Change.between(channel, at, before, after), days

    async def _draft(self, planner: Planner, at: int, until: int) -> list[DaySchedule]:
        """Plan a channel anew from ``at``, in the middle of a day that has begun."""
        channel = planner.definition.id
        ended = [day for day in await self._store.days(channel) if day.ends <= at]
        aired = await self._store.segments(channel, ended[-1].ends if ended else 0, at)
        rows = await self._on_air(at, until + drafts.LONGEST_OVERRUN_MS + DAY_MS)
        cursors = drafts.cursors_after(planner, ended[-1].cursors if ended else {}, aired)
        place = Place(day_of(planner.definition, at), at, cursors)
        return await asyncio.to_thread(drafts.draft, planner, rows, place, until)

    async def _on_air(self, start_ms: int, end_ms: int) -> dict[ChannelId, list[Segment]]:
        """Return what the enabled channels have published between two instants."""
        rows = await self._store.all_segments(start_ms, end_ms)
        return {channel: segments for channel, segments in rows.items() if channel in self._definitions}

    async def _supersede(self, channel: ChannelId, at: int, days: Sequence[DaySchedule]) -> None:
        await self._store.supersede(channel, at, days)
        self._latest[channel] = await self._store.latest(channel)
        await self._read_window(channel)
        self._changed(channel)

    async def _planner(self, channel: ChannelId, catalogue: Catalogue) -> Planner:
        """Return the planner of a channel's present definition; making one goes through the whole catalogue."""
        if catalogue.version != self._planned_from.version:
            self._planned_from = catalogue
            self._planners.clear()
        definition, found = self._definitions[channel], self._planners.get(channel)
        if found is None or found.definition != definition:
            found = await asyncio.to_thread(Planner, definition, catalogue)
            self._planners[channel] = found
        return found

    async def _read_window(self, channel: ChannelId) -> None:
        now = self._clock.now_ms()
        since, until = now - BACK_MS, now + AHEAD_MS
        self._windows.put(channel, since, until, await self._store.segments(channel, since, until))

    def _changed(self, channel: ChannelId) -> None:
        self._revisions[channel] = self._revisions.get(channel, 0) + 1
        self._show_horizons()

    def _show_horizons(self) -> None:
        for channel, latest in self._latest.items():
            if latest is not None:
                self._metrics.published_until.labels(channel).set(latest.ends / 1000)


def _told(change: Change) -> dict[str, object]:
    """Say what changed, for the log."""
    return {
        "channel": change.channel,
        "at_ms": change.at_ms,
        "removed": len(change.removed),
        "added": len(change.added),
        "first_removed": [row.title for row in change.removed[:5]],
        "first_added": [row.title for row in change.added[:5]],
    }
