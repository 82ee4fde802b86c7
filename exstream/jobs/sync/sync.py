"""One server brought up to date: its libraries, one after the other, then what holds items together, then details."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import structlog

from exstream.errors import Misunderstood, NotAllowed, NotThere
from exstream.jobs.sync.changes import read_changes
from exstream.jobs.sync.groupings import read_groupings
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.passes import full_pass
from exstream.jobs.sync.plan import HOUR_MS, SECOND_LOOK_MS, Due, Pass, Wishes, due, wanted
from exstream.jobs.sync.reading import BATCH, NOTHING_KNOWN, Reading, batched
from exstream.jobs.sync.refresh import refresh
from exstream.jobs.sync.rehearsal import Rehearsal
from exstream.jobs.sync.search import found, sync_found
from exstream.jobs.sync.statistics import Statistics
from exstream.jobs.sync.vanished import forget
from exstream.model.catalogue import ItemKey
from exstream.model.server import Known, PlexLibrary
from exstream.model.server import Mapping as PathMapping
from exstream.plex.records import Section

Order = Callable[[Collection[ItemKey]], Sequence[ItemKey]]
"""Puts items in the order in which their details are wanted."""

log = structlog.get_logger(__name__)


def as_they_come(keys: Collection[ItemKey]) -> Sequence[ItemKey]:
    """Return ``keys`` in their own order."""
    return list(keys)


def never() -> bool:
    """Return False."""
    return False


class ServerSync:
    """Brings one server up to date. Not for two tasks at once."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self._groupings_at = 0
        self._groupings_due: list[PlexLibrary] = []
        self._refused: dict[ItemKey, str] = {}

    async def run(self, wishes: Wishes = Wishes()) -> Statistics:
        """Read every library that is due, and return what was done; details are left to `details`.

        A library that the server does not tell properly is named among the faults and the others go on. Raises
        OutboundError where the whole server cannot be read, and StoreError; what is written by then stays.
        """
        means = replace(self.means, shelves=Rehearsal(self.means.shelves)) if wishes.dry_run else self.means
        statistics = Statistics()
        before, began = means.asking.requests, means.clock.air()
        try:
            await self._run(means, self._narrowed(wishes), statistics)
        finally:
            statistics.requests = means.asking.requests - before
            statistics.seconds = means.clock.air() - began
        log.info("a server is up to date", server=means.server.name, summary=statistics.summary())
        return statistics

    def _narrowed(self, wishes: Wishes) -> Wishes:
        return wishes if wishes.section else replace(wishes, section=self.means.section)

    async def _run(self, means: Means, wishes: Wishes, statistics: Statistics) -> None:
        sections, libraries = await self.libraries(means)
        mappings = await means.shelves.mappings(means.server.id)
        listed = {section.key: section for section in sections}
        due_ones = [library for library in libraries if wanted(library, wishes)]
        moved = False
        for number, library in enumerate(due_ones, 1):
            means.reporter.library(library.library.name, number, len(due_ones))
            plan = due(listed[library.section], library.state, means.clock.now_ms(), wishes)
            before, began = means.asking.requests, means.clock.air()
            reading = await self._reading(means, library, mappings, wishes)
            try:
                await self._read(reading, listed[library.section], plan, wishes)
            except (Misunderstood, NotAllowed, NotThere) as fault:
                reading.fault(f"what is known of it is kept: {fault}")
            reading.statistics.requests = means.asking.requests - before
            reading.statistics.seconds = means.clock.air() - began
            means.finished(means.server, library, reading.statistics)
            moved |= plan.reading is Pass.FULL or plan.moved or reading.statistics.changed
            statistics.add(reading.statistics)
        for library in libraries:
            if library.gone and not wishes.section:
                await self._lost(means, library, mappings, wishes, statistics)
        age = means.clock.now_ms() - self._groupings_read(due_ones)
        if not wishes.dry_run and (moved or age >= HOUR_MS):
            self._groupings_due = due_ones

    async def libraries(self, means: Means | None = None) -> tuple[Sequence[Section], list[PlexLibrary]]:
        """Return what libraries the server has, taken note of. Raises Misunderstood where another one answers."""
        means = means or self.means
        identity = await means.asking.identity()
        if identity.machine != means.server.id:
            raise Misunderstood(
                f"{means.server.url} is not {means.server.name} any more: another server answers there"
            )
        sections = await means.asking.sections()
        return sections, await means.shelves.take_sections(means.server.id, sections)

    async def _read(self, reading: Reading, section: Section, plan: Due, wishes: Wishes) -> None:
        name = reading.library.library.name
        log.debug("a library is read", library=name, reading=plan.reading.value, why=plan.why)
        if plan.reading is Pass.CHANGES:
            if await read_changes(reading, section, moved=plan.moved):
                reading.statistics.skipped = max(0, reading.statistics.total - reading.statistics.processed)
                return
            log.info("a library is read whole: what has changed in it does not add up", library=name)
        await full_pass(reading, section, force=wishes.force)

    async def _lost(
        self,
        means: Means,
        library: PlexLibrary,
        mappings: Sequence[PathMapping],
        wishes: Wishes,
        statistics: Statistics,
    ) -> None:
        """Mark what a library held that the server has no more, at the second look, and drop it when it is due."""
        if library.kind == "photo":
            return
        reading = await self._reading(means, library, mappings, wishes)
        await reading.look_up_all()
        left = [key for key, known in reading.known.items() if not known.missing_since]
        if not left:
            await forget(reading)
            statistics.add(reading.statistics)
            return
        now = means.clock.now_ms()
        known_gone = library.state.held_back >= len(left) and now - library.state.full_at >= SECOND_LOOK_MS
        if known_gone or wishes.force:
            await reading.miss(left)
            # When it is back, every entry of it is looked at.
            await means.shelves.keep_state(reading.id, replace(library.state, held_back=0, full_at=0))
        elif library.state.held_back < len(left):
            reading.fault(f"the server has no such library any more; its {len(left)} items are kept for now")
            await means.shelves.keep_state(
                reading.id, replace(library.state, held_back=len(left), full_at=now)
            )
        statistics.add(reading.statistics)

    async def _reading(
        self,
        means: Means,
        library: PlexLibrary,
        mappings: Sequence[PathMapping],
        wishes: Wishes,
        known: Mapping[ItemKey, Known] = NOTHING_KNOWN,
    ) -> Reading:
        return Reading(
            means,
            library,
            # A share that hangs must not hold anybody else.
            await asyncio.to_thread(means.around, library, mappings),
            dict(await means.shelves.known_shows(library.library.id)),
            Statistics(),
            deep=wishes.deep,
            known=known,
        )

    def _groupings_read(self, libraries: Sequence[PlexLibrary]) -> int:
        """Return since when the groupings are surely known: by this object, else by the last full pass."""
        return max(self._groupings_at, min((each.state.full_at for each in libraries), default=0))

    async def refresh(self, changed: Collection[str], deleted: Collection[str] = ()) -> Statistics:
        """Read what the server has told of, by rating keys; raises as `run`.

        What was ``deleted`` is missing if it is not there when it is asked for.
        """
        statistics = Statistics()
        before, began = self.means.asking.requests, self.means.clock.air()
        libraries = await self.means.shelves.libraries(self.means.server.id)
        readings = await self._readings(self.means, libraries, statistics)
        if await refresh(readings, changed, deleted):
            self._groupings_due = [reading.library for reading in readings]
        statistics.requests = self.means.asking.requests - before
        statistics.seconds = self.means.clock.air() - began
        return statistics

    async def titled(self, title: str, year: int | None = None, wishes: Wishes = Wishes()) -> Statistics:
        """Bring only what is called ``title`` up to date, whole shows with all their episodes. Raises as `run`."""
        means = replace(self.means, shelves=Rehearsal(self.means.shelves)) if wishes.dry_run else self.means
        statistics = Statistics()
        before, began = means.asking.requests, means.clock.air()
        wishes = self._narrowed(wishes)
        _, libraries = await self.libraries(means)
        hits = await found(means.asking, [each for each in libraries if wanted(each, wishes)], title, year)
        with_hits = list(dict.fromkeys(hit.library for hit in hits))
        for number, library in enumerate(with_hits, 1):
            means.reporter.library(library.library.name, number, len(with_hits))
            (reading,) = await self._readings(means, [library], statistics, wishes)
            records = [hit.record for hit in hits if hit.library == library]
            await sync_found(reading, records, force=wishes.force)
        if not hits:
            named = f"{title} ({year})" if year else title
            statistics.faults.append(
                f"{means.server.name} has nothing called {named} in the libraries that are on"
            )
        statistics.requests = means.asking.requests - before
        statistics.seconds = means.clock.air() - began
        return statistics

    async def _readings(
        self,
        means: Means,
        libraries: Sequence[PlexLibrary],
        statistics: Statistics,
        wishes: Wishes = Wishes(),
    ) -> list[Reading]:
        """Return readings of those of ``libraries`` that are wanted, which count into ``statistics``."""
        mappings = await means.shelves.mappings(means.server.id)
        readings = []
        for library in libraries:
            if wanted(library, self._narrowed(wishes)):
                reading = await self._reading(means, library, mappings, wishes)
                reading.statistics = statistics
                readings.append(reading)
        return readings

    async def details(
        self,
        order: Order = as_they_come,
        *,
        interrupted: Callable[[], bool] = never,
        statistics: Statistics | None = None,
    ) -> int:
        """Read collections and playlists if they are due, then streams, markers and labels of what was only listed.

        The first of ``order`` first. Return how many are left: none, unless ``interrupted`` is true after a batch.
        What was done is added to ``statistics``. Raises as `run`.
        """
        statistics = Statistics() if statistics is None else statistics
        before, began = self.means.asking.requests, self.means.clock.air()
        try:
            await self._groupings(statistics)
            return await self._details(order, interrupted, statistics)
        finally:
            statistics.requests += self.means.asking.requests - before
            statistics.seconds += self.means.clock.air() - began

    async def _groupings(self, statistics: Statistics) -> None:
        if self._groupings_due:
            due_ones = {each.library.id for each in self._groupings_due}
            libraries = await self.means.shelves.libraries(self.means.server.id)
            now = [each for each in libraries if each.library.id in due_ones]
            await read_groupings(self.means, now, statistics)
            self._groupings_due, self._groupings_at = [], self.means.clock.now_ms()

    async def _details(self, order: Order, interrupted: Callable[[], bool], statistics: Statistics) -> int:
        means = self.means
        readings = await self._unfilled(means, statistics)
        wished = list(order(readings))
        left = len(wished)
        for batch in batched(wished, BATCH):
            if interrupted():
                break
            means.reporter.phase(f"details, {left} to go")
            for reading in dict.fromkeys(readings[key] for key in batch):
                keys = [key for key in batch if readings[key] is reading]
                await reading.fill(keys)
                # What the server does not tell is not asked for again until it changes.
                self._refused |= {
                    key: known.digest for key in keys if (known := reading.known[key]).digest != known.details
                }
            left -= len(batch)
        return left

    async def _unfilled(self, means: Means, statistics: Statistics) -> dict[ItemKey, Reading]:
        """Return the items whose details are to be read, each with the reading of its library."""
        readings: dict[ItemKey, Reading] = {}
        mappings = await means.shelves.mappings(means.server.id)
        wishes = self._narrowed(Wishes())
        for library in await means.shelves.libraries(means.server.id):
            if not wanted(library, wishes):
                continue
            unfilled = await means.shelves.unfilled(library.library.id)
            due_ones = [key for key, known in unfilled.items() if self._refused.get(key) != known.digest]
            if due_ones:
                reading = await self._reading(means, library, mappings, wishes, unfilled)
                reading.statistics = statistics
                readings |= dict.fromkeys(due_ones, reading)
        return readings
