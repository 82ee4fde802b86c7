"""The air follows the lineup and the formats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import cast

import pytest

from exstream.jobs.formats import Formats
from exstream.jobs.standby import Standby
from exstream.model.catalogue import Catalogue
from exstream.model.channel import COPY, ChannelDefinition, Pool, Query
from exstream.playout.tuners import Tuners
from tests.fakes import until
from tests.jobs.test_formats import film

pytestmark = pytest.mark.anyio

FILMS = ChannelDefinition("films", "7", "Films", COPY, (Pool("films", Query()),), warm=True)


@dataclass
class Watching:
    """Somebody who watches ``channel``."""

    channel: str


class Air:
    """Channels on air, warm or watched; what is taken off may come back at once."""

    def __init__(self, formats: Formats) -> None:
        self._formats = formats
        self.playing: dict[str, ChannelDefinition] = {}
        self.viewers: list[Watching] = []
        self.taken_off: list[str] = []
        self.lineup = [FILMS]

    def on_air(self) -> tuple[ChannelDefinition, ...]:
        return tuple(self.playing.values())

    def sessions(self) -> tuple[Watching, ...]:
        return tuple(self.viewers)

    def take_off(self, channel: str) -> None:
        self.taken_off.append(channel)
        del self.playing[channel]

    async def keep_warm(self, channel: str) -> None:
        definition = next(each for each in self.lineup if each.id == channel)
        self._formats.take(definition)
        self.playing[channel] = definition
        await asyncio.Event().wait()

    def enabled(self) -> tuple[ChannelDefinition, ...]:
        return tuple(self.lineup)

    def by_id(self, channel: str) -> ChannelDefinition | None:
        return next((each for each in self.lineup if each.id == channel), None)


@asynccontextmanager
async def standing_by(air: Air, formats: Formats) -> AsyncIterator[Standby]:
    """Run a standby with the warm channel on air."""
    standby = Standby(air, cast("Tuners", air), formats)
    running = asyncio.create_task(standby.run())
    try:
        await until(lambda: "films" in air.playing)
        yield standby
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_a_new_format_waits_until_nobody_watches() -> None:
    """The library may change what a channel that copies is sent in, but not under its viewers."""
    catalogue = Catalogue.of([film(1)])
    formats = Formats({}, lambda: catalogue)
    air = Air(formats)
    async with standing_by(air, formats) as standby:
        air.viewers.append(Watching("films"))
        await formats.heard(Catalogue.of([film(1), film(2, 1_280, hours=9)]))
        await standby.wake()
        await until(lambda: not standby._changed.is_set())
        assert air.taken_off == []
        assert formats.is_outdated(FILMS)

        air.viewers.clear()
        await standby.wake()
        await until(lambda: air.taken_off == ["films"] and "films" in air.playing)
        assert not formats.is_outdated(FILMS)
        await standby.wake()
        await until(lambda: not standby._changed.is_set())
        assert air.taken_off == ["films"]


async def test_another_definition_takes_effect_at_once() -> None:
    """Who edits the channel's file wants to see it, viewers or not; what has left the lineup leaves the air."""
    formats = Formats({}, Catalogue)
    air = Air(formats)
    async with standing_by(air, formats) as standby:
        air.viewers.append(Watching("films"))
        air.lineup = [replace(FILMS, name="Cinema")]
        await standby.wake()
        await until(lambda: air.taken_off == ["films"] and "films" in air.playing)
        air.lineup = []
        await standby.wake()
        await until(lambda: air.taken_off == ["films", "films"] and not air.playing)
