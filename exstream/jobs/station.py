"""The order in which the running parts are made ready, and what keeps them so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from exstream.clock import Clock
from exstream.jobs.card_rack import CardRack
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.demo import DemoLibrary
from exstream.jobs.demo_order import follow_the_air
from exstream.jobs.formats import Formats
from exstream.jobs.lineup import Lineup
from exstream.jobs.publish import Publisher
from exstream.jobs.selections import Selections
from exstream.jobs.standby import Standby
from exstream.jobs.supervisor import supervised
from exstream.jobs.watch import LibraryWatch
from exstream.model.catalogue import Catalogue
from exstream.telemetry import settle_memory

Jobs = Mapping[str, Callable[[], Awaitable[object]]]
"""What runs for as long as the server does, by what people call it."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """What knows the media."""

    demo: DemoLibrary | None
    watch: LibraryWatch
    catalogue: CatalogueHolder
    selections: Selections


class Station:
    """The running parts and their order of start. ``tell`` hears when it is on the air, after so many seconds."""

    def __init__(
        self,
        lineup: Lineup,
        publisher: Publisher,
        formats: Formats,
        cards: CardRack,
        shelves: Shelves,
        standby: Standby,
        keeping: Jobs,
        clock: Clock,
        tell: Callable[[float], None],
    ) -> None:
        self._lineup = lineup
        self._publisher = publisher
        self._formats = formats
        self._cards = cards
        self._shelves = shelves
        self._standby = standby
        self._keeping = keeping
        self._clock = clock
        self._tell = tell

    async def run(self) -> None:
        """Make everything ready, then keep it so until cancelled."""
        began = time.monotonic()
        lineup, publisher, shelves = self._lineup, self._publisher, self._shelves
        shelves.catalogue.listen(self._formats.heard)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cards.fill(lineup.enabled()))
            if shelves.demo is not None:
                await shelves.demo.make_opening()
        await self._cards.fill(lineup.enabled())  # the opening may have changed what most items have
        await publisher.start()
        settle_memory()
        self._tell(time.monotonic() - began)
        await shelves.selections.look()
        lineup.listen(self._follow)
        shelves.catalogue.listen(self._follow)
        jobs = {
            **self._keeping,
            "publishing": publisher.run,
            "the channel files": lineup.watch,
            "the libraries": shelves.watch.run,
            "warm channels": self._standby.run,
        }
        if shelves.demo is not None:
            jobs["the demo library"] = shelves.demo.run
            jobs["the demo's order"] = partial(follow_the_air, shelves.demo, lineup, publisher, self._clock)
        async with asyncio.TaskGroup() as group:
            for name, job in jobs.items():
                group.create_task(supervised(name, job, self._clock))

    async def _follow(self, _catalogue: Catalogue | None = None) -> None:
        """Follow the lineup and the library: what is on, and in which formats."""
        self._publisher.wake()
        await self._cards.fill(self._lineup.enabled())
        await self._standby.wake()
