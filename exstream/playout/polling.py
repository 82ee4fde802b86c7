"""Who watches by HLS: viewers that hold no connection are counted by the playlists they read, and forgotten in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from exstream.clock import Clock
from exstream.errors import TuneFailed
from exstream.model.channel import ChannelId
from exstream.playout.broadcast import Broadcast
from exstream.playout.player import Player
from exstream.playout.segments import Shift
from exstream.playout.tuners import Session

PATIENCE_TARGETS = 3
"""A viewer that has read no playlist for so many target durations has gone."""
LOOK = 1.0
"""How often it is looked whether a viewer is still there, in seconds."""


class Seats(Protocol):
    """Where viewers are counted: `exstream.playout.tuners.Tuners`."""

    def attend(
        self, channel: ChannelId, *, peer: str, agent: str, kind: Literal["hls"]
    ) -> AbstractAsyncContextManager[tuple[Session, Player]]:
        """Count as a viewer for as long as the block lasts."""

    def sent(self, session: Session, count: int) -> None:
        """Note that a viewer was given ``count`` bytes."""


class Reader(NamedTuple):
    """Who asks: ``token`` is what the master playlist handed out, or empty."""

    token: str
    peer: str
    agent: str

    @property
    def name(self) -> str:
        """What is the same at every request of one viewer."""
        return self.token or f"{self.peer} {self.agent}"


@dataclass(eq=False)
class _Viewer:
    reader: Reader
    seen: float
    tuned: asyncio.Future[Broadcast] = field(default_factory=asyncio.Future)
    session: Session | None = None
    task: asyncio.Task[None] | None = None


class Polling:
    """Keeps channels on air for those who read their playlists."""

    def __init__(self, seats: Seats, clock: Clock) -> None:
        self._seats = seats
        self._clock = clock
        self._viewers: dict[tuple[ChannelId, str], _Viewer] = {}
        self._sent_away: dict[tuple[ChannelId, str], float] = {}
        self._broadcasts: dict[ChannelId, Broadcast] = {}
        self._shifts: dict[ChannelId, Shift | None] = {}

    async def read(self, channel: ChannelId, reader: Reader) -> Broadcast:
        """Count the reading of a playlist; return the channel's segments, having put it on air if need be.

        Raises `UnknownChannel`, and `TuneFailed` for a viewer whose session was ended a moment ago.
        """
        key = (channel, reader.name)
        viewer = self._viewers.get(key)
        if viewer is None or (viewer.tuned.done() and viewer.tuned.result().ended):
            self._refuse_if_sent_away(key)
            viewer = _Viewer(reader, self._clock.air())
            viewer.task = asyncio.create_task(self._attend(key, viewer), name=f"hls viewer of {channel}")
            self._viewers[key] = viewer
        viewer.seen = self._clock.air()
        if viewer.task is not None:
            either: list[asyncio.Future[Any]] = [viewer.tuned, viewer.task]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not viewer.tuned.done():
                viewer.task.result()
        return viewer.tuned.result()

    def on_air(self, channel: ChannelId) -> Broadcast | None:
        """Return a channel's segments if anybody reads its playlist."""
        return self._broadcasts.get(channel)

    def sent(self, channel: ChannelId, reader: Reader, count: int) -> None:
        """Note that ``count`` bytes of a segment went to whoever asked for it."""
        for (watched, _), viewer in self._viewers.items():
            same = (viewer.reader.peer, viewer.reader.agent) == (reader.peer, reader.agent)
            if watched == channel and same and viewer.session is not None:
                self._seats.sent(viewer.session, count)
                return

    def _refuse_if_sent_away(self, key: tuple[ChannelId, str]) -> None:
        now = self._clock.air()
        self._sent_away = {name: until for name, until in self._sent_away.items() if until > now}
        if key in self._sent_away:
            raise TuneFailed("this session has been ended")

    async def _attend(self, key: tuple[ChannelId, str], viewer: _Viewer) -> None:
        """Hold a seat for ``viewer`` until it reads no more, is sent away, or the channel goes off air."""
        channel, reader = key[0], viewer.reader
        try:
            async with (
                self._seats.attend(channel, peer=reader.peer, agent=reader.agent, kind="hls") as (
                    session,
                    player,
                ),
                self._broadcast(channel, player) as broadcast,
            ):
                viewer.session = session
                viewer.tuned.set_result(broadcast)
                patience = PATIENCE_TARGETS * broadcast.rule.target
                while not session.stopped.is_set() and not broadcast.ended:
                    left = viewer.seen + patience - self._clock.air()
                    if left <= 0:
                        break
                    await self._clock.sleep(min(left, LOOK))
                if session.stopped.is_set():
                    self._sent_away[key] = self._clock.air() + patience
        finally:
            if self._viewers.get(key) is viewer:
                del self._viewers[key]

    @asynccontextmanager
    async def _broadcast(self, channel: ChannelId, player: Player) -> AsyncIterator[Broadcast]:
        """Share the channel's segments among its viewers; the first one begins them, the last one ends them."""
        broadcast = self._broadcasts.get(channel)
        if broadcast is None or broadcast.player is not player:
            broadcast = Broadcast(player, self._shifts.get(channel))
            self._broadcasts[channel] = broadcast
        broadcast.viewers += 1
        try:
            yield broadcast
        finally:
            broadcast.viewers -= 1
            if not broadcast.viewers:
                self._shifts[channel] = broadcast.close()
                if self._broadcasts.get(channel) is broadcast:
                    del self._broadcasts[channel]
