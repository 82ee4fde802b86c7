"""Keeps the air in step with the lineup: warm channels stay on, channels that changed or went leave it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from exstream.errors import PlayoutError
from exstream.jobs.formats import Formats
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.playout.tuners import Tuners


class Lineup(Protocol):
    """The channels that are on offer."""

    def enabled(self) -> tuple[ChannelDefinition, ...]:
        """Return them."""

    def by_id(self, channel: ChannelId) -> ChannelDefinition | None:
        """Return the one of that id."""


class Standby:
    """Follows ``lineup`` for as long as `run` runs; `wake` tells that it, or a format, has changed."""

    def __init__(self, lineup: Lineup, tuners: Tuners, formats: Formats) -> None:
        self._lineup = lineup
        self._tuners = tuners
        self._formats = formats
        self._warm: dict[ChannelId, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._changed.set()

    async def wake(self) -> None:
        """Look at the lineup soon: what the lineup calls."""
        self._changed.set()

    async def run(self) -> None:
        """Keep in step until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._retire()
                self._keep_warm(group)

    def _retire(self) -> None:
        """Take off air what is no longer on offer, or is sent in another way now.

        Where only the library has changed the format, viewers keep what they have.
        """
        watched = {session.channel for session in self._tuners.sessions()}
        for playing in self._tuners.on_air():
            now = self._lineup.by_id(playing.id)
            changed = now is None or (now.profile, now.name) != (playing.profile, playing.name)
            unseen = now is not None and now.id not in watched and self._formats.is_outdated(now)
            if changed or unseen:
                self._tuners.take_off(playing.id)
                self._drop(playing.id)

    def _keep_warm(self, group: asyncio.TaskGroup) -> None:
        wanted = {channel.id for channel in self._lineup.enabled() if channel.warm}
        for channel in self._warm.keys() - wanted:
            self._drop(channel)
        for channel in wanted:
            task = self._warm.get(channel)
            if task is None or task.done():
                self._warm[channel] = group.create_task(self._hold(channel))

    async def _hold(self, channel: ChannelId) -> None:
        try:
            await self._tuners.keep_warm(channel)
        except PlayoutError:
            return  # it has left the lineup meanwhile; the next change brings it back

    def _drop(self, channel: ChannelId) -> None:
        task = self._warm.pop(channel, None)
        if task is not None:
            task.cancel()
