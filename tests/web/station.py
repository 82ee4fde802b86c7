"""A television station in memory: everything the sites stand on, with behaviour and without ffmpeg."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

from exstream.clock import SystemClock
from exstream.errors import NoTunerFree, TuneFailed, UnknownChannel, ViewerStalled
from exstream.guide.device import Device
from exstream.jobs.board import Board
from exstream.model.bad_file import BadFile
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition, Pool, Profile, Query
from exstream.model.grid import Rate
from exstream.model.programme import Cue, Segment, SegmentKind
from exstream.playout import player, tuners
from exstream.playout.fanout import Wire
from exstream.telemetry import Metrics
from exstream.web.deps import Parts, WebOptions

HOUR = 3_600_000
PACKET = 188


def channel(id_: str, number: str, name: str, **changes: object) -> ChannelDefinition:
    """Make a channel of films."""
    made = ChannelDefinition(id_, number, name, "480p25", (Pool("films", Query()),))
    return replace(made, **changes)  # type: ignore[arg-type] # fields by name


CHANNELS = (
    channel("seven", "7", "Seven & Sons", group="Films"),
    channel("retro-toons", "102", "Retro Toons <HD>"),
    channel("nineteen", "1984.1", "Nineteen, Eighty-Four", tags=("news",)),
)
PROFILE = Profile("480p25", 854, 480, Rate(25), 1_200, 1_800)


@dataclass(slots=True, eq=False)
class Watching:
    """A session of the studio."""

    id: str
    channel: str
    peer: str
    agent: str
    tuner: int | None
    since_ms: int
    kind: tuners.Kind = "ts"
    viewer: str = ""
    bytes_sent: int = 0
    skips: int = 0
    joins: tuple[tuners.Join, ...] = ()
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class Reception:
    """A viewer: numbered packets, ``chunk`` of them every ``interval`` seconds, until stopped or ``limit``."""

    def __init__(self, session: Watching, studio: Studio) -> None:
        self._session = session
        self._studio = studio

    @property
    def tuner(self) -> int | None:
        """The tuner it holds."""
        return self._session.tuner

    async def play(self, wire: Wire) -> None:
        """Write everything to ``wire``, none of it while that is full; the studio's patience with it is limited."""
        async for data in self:
            room = asyncio.Event()
            wire.on_room(room.set)
            try:
                while wire.full:
                    room.clear()
                    await asyncio.wait_for(room.wait(), self._studio.patience)
            except TimeoutError:
                raise ViewerStalled(self._session.peer) from None
            wire.write(data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give packets whose last four bytes are their number."""
        numbers = count() if self._studio.limit is None else iter(range(self._studio.limit))
        for number in numbers:
            data = (b"\x47" + bytes(PACKET - 5) + number.to_bytes(4, "big")) * self._studio.chunk
            self._session.bytes_sent += len(data)
            yield data
            try:
                await asyncio.wait_for(self._session.stopped.wait(), self._studio.interval)
            except TimeoutError:
                continue
            return


class Studio:
    """The tuners: counts them, knows who watches, and gives every viewer packets."""

    def __init__(self, lineup: Programmed, tuner_count: int = 2) -> None:
        self._lineup = lineup
        self.tuner_count = tuner_count
        self.interval = 0.01
        self.chunk = 7
        self.limit: int | None = None
        self.patience = 30.0
        self.dark: set[str] = set()
        """Channels that give no picture."""
        self.slow = asyncio.Event()
        self.slow.set()
        """Cleared: tuning waits."""
        self._sessions: dict[str, Watching] = {}
        self._ids = count(1)
        self.tuned = 0
        self.left = asyncio.Event()

    @asynccontextmanager
    async def tune(
        self, channel: str, *, peer: str, agent: str, tuner: int | None = None, counted: bool = False
    ) -> AsyncIterator[Reception]:
        """Join a channel."""
        if self._lineup.by_id(channel) is None:
            raise UnknownChannel(channel)
        number = self._allot(tuner) if counted else None
        session = Watching(str(next(self._ids)), channel, peer, agent, number, 1_000)
        self._sessions[session.id] = session
        self.tuned += 1
        try:
            await self.slow.wait()
            if channel in self.dark:
                raise TuneFailed(f"{channel} gave no picture")
            yield Reception(session, self)
        finally:
            del self._sessions[session.id]
            self.left.set()

    def attend(
        self, channel: str, *, peer: str, agent: str, kind: tuners.Kind, viewer: str = ""
    ) -> AbstractAsyncContextManager[tuple[tuners.Session, player.Player]]:
        """Refuse: this studio has no pictures to cut into segments."""
        raise TuneFailed(f"{channel} gave no picture")

    def sent(self, session: tuners.Session, count: int) -> None:
        """Count bytes."""
        session.bytes_sent += count

    def _allot(self, wanted: int | None) -> int:
        free = [n for n in range(self.tuner_count) if n not in self.tuners_in_use()]
        if (wanted is not None and wanted not in free) or not free:
            raise NoTunerFree("taken")
        return free[0] if wanted is None else wanted

    def add(self, session: Watching) -> None:
        """Have somebody watch."""
        self._sessions[session.id] = session

    def sessions(self) -> tuple[Watching, ...]:
        """Everyone who watches."""
        return tuple(self._sessions.values())

    def stop(self, session_id: str) -> bool:
        """End a session."""
        if session_id not in self._sessions:
            return False
        self._sessions[session_id].stopped.set()
        return True

    def tuners_in_use(self) -> dict[int, Watching]:
        """The taken tuners."""
        return {s.tuner: s for s in self._sessions.values() if s.tuner is not None}


class Programmed:
    """The lineup and the timeline: back to back programmes of ``length_ms``, counted from the epoch."""

    def __init__(self, channels: Sequence[ChannelDefinition] = CHANNELS, length_ms: int = HOUR // 2) -> None:
        self.channels = tuple(channels)
        self.length_ms = length_ms
        self.faults: tuple[str, ...] = ()
        self.bad_files: list[BadFile] = []
        self.revision = 1
        self.published_until = 1 << 62
        self.reads = 0
        self.revisions: dict[str, int] = {}

    def enabled(self) -> tuple[ChannelDefinition, ...]:
        """The channels that are on."""
        return tuple(c for c in self.channels if c.enabled)

    def by_id(self, channel_id: str) -> ChannelDefinition | None:
        """Find by id."""
        return next((c for c in self.channels if c.id == channel_id), None)

    def by_number(self, number: str) -> ChannelDefinition | None:
        """Find by number."""
        return next((c for c in self.channels if c.number == number), None)

    def cue(self, channel_id: str, at_ms: int) -> Cue:
        """What is on."""
        segment = self.segment(channel_id, at_ms // self.length_ms)
        return Cue(segment, at_ms - segment.starts)

    async def rows(self, channel_id: str, start_ms: int, end_ms: int) -> list[Segment]:
        """The rows of an interval."""
        self.reads += 1
        end = min(end_ms, self.published_until)
        return [
            self.segment(channel_id, n) for n in range(start_ms // self.length_ms, -(-end // self.length_ms))
        ]

    async def rows_of(self, channels: Sequence[str], start_ms: int, end_ms: int) -> dict[str, list[Segment]]:
        """The rows of an interval, of each channel."""
        return {channel: await self.rows(channel, start_ms, end_ms) for channel in channels}

    def revision_of(self, channel_id: str) -> int:
        """Changes with the rows."""
        return self.revisions.get(channel_id, 1)

    def segment(self, channel_id: str, number: int) -> Segment:
        """The row with this number since the epoch; they take turns with the items."""
        item = ITEMS[number % len(ITEMS)]
        starts = number * self.length_ms
        return Segment(
            channel_id, SegmentKind.PROGRAMME, starts, starts + self.length_ms, item.key, 0, item.title
        )


class Timetable:
    """The publisher's side of `Programmed`."""

    def __init__(self, programmed: Programmed) -> None:
        self.cue = programmed.cue
        self.rows = programmed.rows
        self.rows_of = programmed.rows_of
        self.revision = programmed.revision_of


ITEMS = (
    Item(
        "local:1",
        ItemKind.FILM,
        "Alpha & <Omega>",
        HOUR,
        "Films",
        year=1954,
        summary="A film.",
        genres=("Drama",),
    ),
    Item("local:2", ItemKind.EPISODE, 'The "Pilot"', HOUR, "Shows", show="Night Bus", season=1, episode=2),
    Item("local:3", ItemKind.EPISODE, "Second Night", HOUR, "Shows", show="Night Bus", season=1, episode=3),
)


@dataclass
class Shelf:
    """The library."""

    current: Catalogue = field(default_factory=lambda: Catalogue.of(ITEMS))


class OneFormat:
    """Every channel is sent in the same format."""

    def of(self, channel: ChannelDefinition) -> Profile:
        """The one format."""
        return PROFILE


@dataclass
class Station:
    """The whole of it; ``parts`` is what the sites are given."""

    programmed: Programmed
    studio: Studio
    shelf: Shelf
    board: Board
    missing: list[str]
    parts: Parts


def station(
    *,
    channels: Sequence[ChannelDefinition] = CHANNELS,
    length_ms: int = HOUR // 2,
    tuner_count: int = 2,
    options: WebOptions | None = None,
) -> Station:
    """Make a station."""
    clock = SystemClock()
    programmed, shelf, missing = Programmed(channels, length_ms), Shelf(), list[str]()
    studio, board = Studio(programmed, tuner_count), Board(clock.now_ms)
    parts = Parts(
        tuners=studio,
        lineup=programmed,
        timeline=Timetable(programmed),
        catalogue=shelf,
        board=board,
        metrics=Metrics(),
        clock=clock,
        ready=lambda: missing,
        device=DEVICE,
        formats=OneFormat(),
        options=options or WebOptions(),
        bad_files=lambda: programmed.bad_files,
    )
    return Station(programmed, studio, shelf, board, missing, parts)


DEVICE = Device(
    "10A12347", "5f0c5ae1-7c6f-4d39-a3ef-7b0b7c1f0a11", "abcdefghijklmnopqrstuvwx", "Exstream test"
)
