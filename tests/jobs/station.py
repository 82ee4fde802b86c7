"""A publisher whose lineup, catalogue and time a test can change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from exstream.jobs.publish import Publisher
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition, Order, Pool, Query
from exstream.model.programme import Segment
from exstream.store.schedules import ScheduleStore
from exstream.telemetry import Metrics
from tests.fakes import SteppedClock

MINUTE = 60_000
HOUR = 60 * MINUTE


def film(number: int, minutes: int = 50, library: str = "Films") -> Item:
    return Item(f"local:{library}{number}", ItemKind.FILM, f"{library} {number}", minutes * MINUTE, library)


def channel(name: str, library: str = "Films", *, order: Order = Order.SHUFFLE) -> ChannelDefinition:
    return ChannelDefinition(name, "7", name, "480p25", (Pool("main", Query(libraries=(library,)), order),))


@dataclass
class Station:
    """A publisher with its lineup and catalogue, and what they can be changed to."""

    store: ScheduleStore
    clock: SteppedClock
    definitions: list[ChannelDefinition]
    items: Catalogue = field(default_factory=lambda: Catalogue.of([film(number) for number in range(30)]))
    horizon_days: int = 7
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.publisher = Publisher(
            self.store,
            self,
            lambda: self.items,
            self.clock,
            self.metrics,
            horizon_days=self.horizon_days,
        )

    def enabled(self) -> Sequence[ChannelDefinition]:
        return [definition for definition in self.definitions if definition.enabled]

    @property
    def now(self) -> int:
        return self.clock.now_ms()

    async def published(self, name: str) -> list[Segment]:
        return await self.store.segments(name, 0, 1 << 60)

    async def ahead(self, name: str) -> int:
        latest = await self.store.latest(name)
        return 0 if latest is None else latest.ends - self.now

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.publisher.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def settled(self) -> None:
        """Wait until the publisher has done its round and waits for time to pass."""
        await until(lambda: self.clock.sleepers > 0 and not self.publisher._awake.is_set())

    async def next_round(self, seconds: float = 0) -> None:
        """Let time pass, and then as much again as a round needs that was not caught in the middle."""
        for each in (seconds, 61):
            await self.settled()
            await self.clock.step(each)
        await self.settled()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(4_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it did not come to rest")
