"""Who watches what, and which channels are therefore on the air."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self

import structlog

from exstream.clock import Clock
from exstream.errors import NoTunerFree, TuneFailed, ViewerStalled
from exstream.model.channel import ChannelDefinition, ChannelId
from exstream.playout.fanout import Cursor, Fanout, Line, Wire
from exstream.playout.player import Player

FIRST_BYTES_SECONDS = 5.0
"""HDHomeRun clients are told within this time that a channel gives no picture."""
REVIVE_SECONDS = 1.0
JOINS_KEPT = 4
_TELL_BYTES = 1 << 20
"""So many bytes are counted together: a figure that everybody shares is not for every piece of every viewer."""

Kind = Literal["ts", "hls", "mp4"]
"""How a viewer is sent its channel."""

log = structlog.get_logger(__name__)


class Audience(Protocol):
    """Where the figures about viewers go."""

    def joined(self, channel: ChannelId) -> None:
        """A viewer came."""

    def left(self, channel: ChannelId) -> None:
        """A viewer went."""

    def on_air(self, channels: int) -> None:
        """So many channels are on air now."""

    def taken(self, tuners: int) -> None:
        """So many tuners are in use now."""

    def tuned(self, seconds: float, *, cold: bool, missed: bool) -> None:
        """A viewer got first bytes after ``seconds``; ``missed``: they were a card's."""

    def sent(self, count: int) -> None:
        """Viewers were given ``count`` bytes."""

    def closed(self) -> None:
        """A viewer that took nothing was closed."""


class Join(NamedTuple):
    """A picture ``at`` seconds of a movie was due at ``instant_ms`` (UTC epoch milliseconds); time runs on from it."""

    at: float
    instant_ms: int


@dataclass(slots=True, eq=False)
class Session:
    """One viewer of one channel."""

    id: str
    channel: ChannelId
    peer: str
    agent: str
    tuner: int | None
    since_ms: int
    kind: Kind = "ts"
    viewer: str = ""
    """What the viewer calls itself, to find its session; empty for most."""
    bytes_sent: int = 0
    skips: int = 0
    joins: deque[Join] = field(default_factory=lambda: deque(maxlen=JOINS_KEPT))
    """Where a movie's time last joined the wall's, the latest at the end."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class Viewer:
    """A channel's bytes, from a random-access point on, until the channel ends or the session is stopped."""

    def __init__(
        self, session: Session, fanout: Fanout, first: bytes, cursor: Cursor, audience: Audience
    ) -> None:
        self._session = session
        self._fanout = fanout
        self._first = first
        self._cursor = cursor
        self._audience = audience
        self._untold = 0

    @property
    def tuner(self) -> int | None:
        """The HDHomeRun tuner it holds."""
        return self._session.tuner

    async def play(self, wire: Wire) -> None:
        """Write whole TS packets to ``wire`` as they are released; returns at the end of the stream.

        Raises `ViewerStalled` when the wire has had no room for `STALLED_SECONDS` of `exstream.playout.fanout`.
        """
        line = Line(self._cursor, wire, self._sent, self._session.stopped.set)
        wire.write(self._first)
        self._sent(len(self._first))
        self._first = b""
        self._fanout.connect(line)
        try:
            await self._session.stopped.wait()
        finally:
            self._fanout.disconnect(line)
            self._tell()
        if line.stalled:
            self._audience.closed()
            raise ViewerStalled(f"{self._session.peer} takes nothing of {self._session.channel}")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give whole TS packets as they are released, to a reader with a pace of its own."""
        data = self._first
        self._first = b""
        try:
            while data and not self._session.stopped.is_set():
                self._sent(len(data))
                yield data
                data = await self._next()
        finally:
            self._tell()

    async def _next(self) -> bytes:
        if self._session.stopped.is_set():
            return b""
        return await self._fanout.read(self._cursor)

    def _sent(self, count: int) -> None:
        self._session.bytes_sent += count
        self._session.skips = self._cursor.skips
        self._untold += count
        if self._untold >= _TELL_BYTES:
            self._tell()

    def _tell(self) -> None:
        self._audience.sent(self._untold)
        self._untold = 0


class _OnAir:
    """A channel on air and how many watch it."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.viewers = 0
        self.changed = asyncio.Event()
        self.gone = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Tuners:
    """Puts channels on air for their viewers, and takes them off ``linger`` seconds after the last one has gone."""

    def __init__(
        self,
        find: Callable[[ChannelId], ChannelDefinition],
        player_of: Callable[[ChannelDefinition], Awaitable[Player]],
        *,
        clock: Clock,
        audience: Audience,
        tuner_count: int,
        linger: float,
    ) -> None:
        self._find = find
        self._player_of = player_of
        self._clock = clock
        self._audience = audience
        self.tuner_count = tuner_count
        self._linger = linger
        self._on_air: dict[ChannelId, _OnAir] = {}
        self._sessions: dict[str, Session] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        """One for each channel on air, and for each that is just leaving it."""
        self._ids = count(1)
        self._starting: dict[ChannelId, asyncio.Lock] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End every session and take every channel off air."""
        for session in self._sessions.values():
            session.stopped.set()
        tasks = tuple(self._keeping)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def sessions(self) -> tuple[Session, ...]:
        """Return everyone who watches."""
        return tuple(self._sessions.values())

    def tuners_in_use(self) -> dict[int, Session]:
        """Return the taken tuners."""
        return {session.tuner: session for session in self._sessions.values() if session.tuner is not None}

    def on_air(self) -> tuple[ChannelDefinition, ...]:
        """Return the channels that are on air, as they were when they went there."""
        return tuple(on_air.player.channel for on_air in self._on_air.values())

    def take_off(self, channel: ChannelId) -> None:
        """End a channel and its viewers' streams; who tunes again finds it as the lineup then says."""
        on_air = self._on_air.get(channel)
        if on_air is not None and on_air.task is not None:
            on_air.task.cancel()

    def sent(self, session: Session, count: int) -> None:
        """Note that a viewer who attends was given ``count`` bytes."""
        session.bytes_sent += count
        self._audience.sent(count)

    def stop(self, session_id: str) -> bool:
        """End a session; False when there is none of that name."""
        session = self._sessions.get(session_id)
        if session is None:
            return False
        session.stopped.set()
        return True

    async def keep_warm(self, channel: ChannelId) -> None:
        """Put ``channel`` on air and hold it there until cancelled, again whenever it has gone off by a fault."""
        while True:
            on_air = await self._start(self._find(channel))
            with self._watching(on_air):
                await on_air.gone.wait()
            await self._clock.sleep(REVIVE_SECONDS)

    @asynccontextmanager
    async def attend(
        self,
        channel: ChannelId,
        *,
        peer: str,
        agent: str,
        tuner: int | None = None,
        kind: Kind = "hls",
        viewer: str = "",
    ) -> AsyncIterator[tuple[Session, Player]]:
        """Count as a viewer of a channel, which stays on air for it, for as long as the block lasts.

        ``tuner`` is the HDHomeRun tuner it holds, ``viewer`` what it calls itself; bytes and the end of the session
        are the caller's affair.
        Raises `UnknownChannel`, and what the channel's player raises when it cannot be made.
        """
        definition = self._find(channel)
        name = str(next(self._ids))
        session = Session(name, definition.id, peer, agent, tuner, self._clock.now_ms(), kind, viewer)
        self._sessions[session.id] = session
        self._audience.joined(definition.id)
        self._audience.taken(len(self.tuners_in_use()))
        try:
            on_air = await self._start(definition, kind)
            with self._watching(on_air):
                yield session, on_air.player
        finally:
            del self._sessions[session.id]
            self._audience.left(definition.id)
            self._audience.taken(len(self.tuners_in_use()))

    @asynccontextmanager
    async def tune(
        self,
        channel: ChannelId,
        *,
        peer: str,
        agent: str,
        tuner: int | None = None,
        counted: bool = False,
        kind: Kind = "ts",
    ) -> AsyncIterator[Viewer]:
        """Join a channel for as long as the block lasts.

        Raises `UnknownChannel`, `NoTunerFree` when ``counted`` and all (or ``tuner``) are taken, and `TuneFailed`
        when there are no bytes in time.
        """
        definition = self._find(channel)
        asked = self._clock.air()
        cold = definition.id not in self._on_air
        held = self._allot(definition.id, peer, tuner) if counted else None
        async with self.attend(definition.id, peer=peer, agent=agent, tuner=held, kind=kind) as (
            session,
            player,
        ):
            fanout, cursor = player.fanout, Cursor()
            first = await self._first_bytes(fanout, cursor, definition)
            self._audience.tuned(self._clock.air() - asked, cold=cold, missed=cold and player.missed)
            yield Viewer(session, fanout, first, cursor, self._audience)

    async def _first_bytes(self, fanout: Fanout, cursor: Cursor, definition: ChannelDefinition) -> bytes:
        try:
            async with asyncio.timeout(FIRST_BYTES_SECONDS):
                first = await fanout.read(cursor)
        except TimeoutError as late:
            raise TuneFailed(f"{definition.name} gave no picture in {FIRST_BYTES_SECONDS:.0f} s") from late
        if not first:
            raise TuneFailed(f"{definition.name} went off air")
        return first

    def _allot(self, channel: ChannelId, peer: str, wanted: int | None) -> int:
        """Return a free tuner; a client that tunes to the same channel again goes on with the one it holds."""
        taken = self.tuners_in_use()
        if wanted is not None:
            if not 0 <= wanted < self.tuner_count or (
                wanted in taken and (taken[wanted].peer, taken[wanted].channel) != (peer, channel)
            ):
                raise NoTunerFree(f"tuner {wanted} is in use")
            return wanted
        for tuner, session in taken.items():
            if (session.peer, session.channel) == (peer, channel):
                return tuner
        for tuner in range(self.tuner_count):
            if tuner not in taken:
                return tuner
        raise NoTunerFree(f"all {self.tuner_count} tuners are in use")

    @contextmanager
    def _watching(self, on_air: _OnAir) -> Iterator[None]:
        on_air.viewers += 1
        on_air.changed.set()
        try:
            yield
        finally:
            on_air.viewers -= 1
            on_air.changed.set()

    async def _start(self, definition: ChannelDefinition, kind: Kind = "ts") -> _OnAir:
        """Return the channel on air, having put it there if need be, with what a viewer of ``kind`` needs to begin."""
        async with self._starting.setdefault(definition.id, asyncio.Lock()):
            on_air = self._on_air.get(definition.id)
            if on_air is None:
                on_air = _OnAir(await self._player_of(definition))
                if kind == "hls":
                    on_air.player.stock_up()
                self._on_air[definition.id] = on_air
                self._audience.on_air(len(self._on_air))
                on_air.task = asyncio.create_task(self._keep(on_air), name=f"channel {definition.id}")
                self._keeping.add(on_air.task)
                on_air.task.add_done_callback(self._keeping.discard)
            return on_air

    async def _keep(self, on_air: _OnAir) -> None:
        """Run a channel until nobody has watched it for the linger time."""
        channel = on_air.player.channel.id
        player = asyncio.create_task(on_air.player.run(), name=f"player {channel}")
        try:
            while await self._wanted(on_air, player):
                on_air.changed.clear()
        finally:
            del self._on_air[channel]
            on_air.gone.set()
            self._audience.on_air(len(self._on_air))
            player.cancel()
            await asyncio.gather(player, return_exceptions=True)
            self._report(channel, player)

    async def _wanted(self, on_air: _OnAir, player: asyncio.Task[None]) -> bool:
        """Wait for a change of the audience, or for the linger time without one; return whether to go on."""
        changed = asyncio.create_task(on_air.changed.wait())
        linger = [] if on_air.viewers else [asyncio.create_task(self._clock.sleep(self._linger))]
        done, pending = await asyncio.wait([player, changed, *linger], return_when=asyncio.FIRST_COMPLETED)
        for task in pending - {player}:
            task.cancel()
        return player not in done and (changed in done or on_air.viewers > 0)

    def _report(self, channel: ChannelId, player: asyncio.Task[None]) -> None:
        if not player.cancelled() and (error := player.exception()) is not None:
            log.error("the channel went off air by a fault of ours", channel=channel, exc_info=error)
