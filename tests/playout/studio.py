"""A studio for the tests: real encoders on real clips, a timetable that repeats a list, a clock of any speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from exstream.errors import FeedError, SourceUnavailable, UnknownChannel
from exstream.ffmpeg.feed import FfmpegFeed, FfmpegFeeds
from exstream.ffmpeg.process import Processes
from exstream.model.asrun import AsRunEntry
from exstream.model.catalogue import Item, ItemKey, ItemKind, Media, Source
from exstream.model.channel import ChannelDefinition, ChannelId, Profile
from exstream.model.programme import Cue, Order, Segment, SegmentKind
from exstream.model.recovery import Failure, Step
from exstream.mpegts.conformance import Finding
from exstream.playout.cards import Cards
from exstream.playout.player import Player
from exstream.playout.ports import Feeds, Filling, Sources, Substitutes
from exstream.playout.pump import Pump
from exstream.playout.restart import Ladder
from exstream.playout.studio import Studio
from exstream.playout.tuners import Tuners
from exstream.sources.substitutes import filling
from tests import material


class SpeedyClock:
    """Air time that runs ``speed`` times as fast as the machine's; its wall can be stepped."""

    def __init__(self, start: float, speed: float = 1.0) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()
        self.shift_ms = 0

    def set(self, air: float) -> None:
        """Go on from another air time."""
        self._start, self._began = air, time.monotonic()

    def air(self) -> float:
        """Return air time."""
        return self._start + (time.monotonic() - self._began) * self._speed

    def now_ms(self) -> int:
        """Return schedule time."""
        return round(self.air() * 1000) + self.shift_ms

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of air time."""
        await asyncio.sleep(seconds / self._speed)


@dataclass
class Rota:
    """A timetable: each of ``items`` for ``length_ms``, over and over; None is a planned card."""

    items: Sequence[ItemKey | None]
    length_ms: int

    def cue(self, channel: ChannelId, at_ms: int) -> Cue:
        """Return what is on."""
        number, offset = divmod(at_ms, self.length_ms)
        item = self.items[number % len(self.items)]
        kind = SegmentKind.CARD if item is None else SegmentKind.PROGRAMME
        starts = number * self.length_ms
        return Cue(Segment(channel, kind, starts, starts + self.length_ms, item), offset)


@dataclass
class Shelf:
    """Sources by path; what is said of each file can be a lie. It knows no substitutes but those it is told."""

    media: dict[ItemKey, Media] = field(default_factory=dict)
    others: dict[ItemKey, str] = field(default_factory=dict)
    """Another file of the same title, by the path of the first."""
    fillers: dict[str, int] = field(default_factory=dict)
    """The lengths of the fillers in milliseconds, by path."""
    suspects: list[str] = field(default_factory=list)
    """The paths of files whose encoders failed."""
    sound: set[str] = field(default_factory=set)
    """The paths of files that aired as they should."""

    async def resolve(self, item: ItemKey) -> Source:
        """Return the file of that name."""
        if item == "nowhere":
            raise SourceUnavailable("nowhere is no longer in the library")
        return Source(item, self.media.get(item, material.media()))

    async def copies(self, item: ItemKey) -> Sequence[Source]:
        """Return the other file."""
        other = self.others.get(item)
        return [Source(other, material.media())] if other else []

    async def filler(self, segment: Segment, at_ms: int, without: Collection[str] = ()) -> Filling | None:
        """Lay out the fillers as the product does."""
        items = [
            Item(
                path, ItemKind.FILLER, path, length, "Fillers", path=path, media=material.media(length / 1000)
            )
            for path, length in self.fillers.items()
            if path not in without
        ]
        return filling(items, segment, at_ms)

    def suspect(self, location: str, reason: str) -> None:
        """Keep whom to suspect."""
        self.suspects.append(location)

    def clear(self, location: str) -> None:
        """Keep what is in order."""
        self.sound.add(location)


@dataclass
class Notes:
    """What a player reports: as-run entries and figures."""

    entries: list[AsRunEntry] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    card_seconds: float = 0.0
    skips: int = 0
    tunes: list[tuple[float, bool, bool]] = field(default_factory=list)
    channels: int = 0
    closings: int = 0
    findings: list[Finding] = field(default_factory=list)

    def erred(self, channel: ChannelId, finding: Finding) -> None:
        """Keep what the live check finds."""
        self.findings.append(finding)

    def clocked(self, channel: ChannelId, jitter: float, longest: float) -> None:
        """Clock references."""

    def note(self, entry: AsRunEntry) -> None:
        """Keep an as-run entry."""
        self.entries.append(entry)

    def failed(self, failure: Failure) -> None:
        """Count a failure."""
        self.failures.append(failure)

    def stepped(self, step: Step) -> None:
        """Keep a step of the ladder."""
        self.steps.append(step)

    def aired(self, entry: AsRunEntry) -> None:
        """A segment is over."""

    def carded(self, seconds: float) -> None:
        """Count a card."""
        self.card_seconds += seconds

    def skipped(self) -> None:
        """Count a skip."""
        self.skips += 1

    def joined(self, channel: ChannelId) -> None:
        """A viewer came."""

    def left(self, channel: ChannelId) -> None:
        """A viewer went."""

    def on_air(self, channels: int) -> None:
        """Keep how many channels are on air."""
        self.channels = channels

    def taken(self, tuners: int) -> None:
        """Tuners in use."""

    def tuned(self, seconds: float, *, cold: bool, missed: bool) -> None:
        """Keep how a tune went."""
        self.tunes.append((seconds, cold, missed))

    def sent(self, count: int) -> None:
        """Bytes sent."""

    def closed(self) -> None:
        """Count a viewer that was closed."""
        self.closings += 1


class Opened(FfmpegFeeds):
    """Feeds that are remembered, so that a test can harm them."""

    def __init__(self, processes: Processes) -> None:
        super().__init__(processes, _no_probe)
        self.feeds: list[FfmpegFeed] = []

    async def open(self, order: Order) -> FfmpegFeed:
        """Open and remember."""
        feed = await super().open(order)
        self.feeds.append(feed)
        return feed


Wired = Callable[[Opened], tuple[Sources, Substitutes, Feeds]]
"""Makes what the studio gets its items and its feeds from; is given the plain feeds."""


async def _no_probe(path: str) -> Media:
    raise FeedError(f"{path} has not been probed")


@dataclass
class Station:
    """A running studio of one channel called "one"."""

    tuners: Tuners
    processes: Processes
    feeds: Opened
    notes: Notes
    clock: SpeedyClock
    pump: Pump
    profile: Profile
    shelf: Shelf

    async def record(self, seconds: float, path: Path | None = None) -> bytes:
        """Watch for ``seconds`` of air time and return the bytes, kept in ``path`` too."""
        pieces: list[bytes] = []
        ends = self.clock.air() + seconds
        async with self.tuners.tune("one", peer="127.0.0.1", agent="test") as viewer:
            async for data in viewer:
                pieces.append(data)
                if self.clock.air() > ends:
                    break
        if path is not None:
            path.write_bytes(b"".join(pieces))
        return b"".join(pieces)


@asynccontextmanager
async def station(
    timetable: Rota,
    *,
    clock: SpeedyClock | None = None,
    shelf: Shelf | None = None,
    profile: Profile = material.SMALL,
    linger: float = 0.2,
    tuner_count: int = 2,
    ffmpeg: str = material.FFMPEG,
    wired: Wired | None = None,
) -> AsyncIterator[Station]:
    """Put a channel together for as long as the block lasts; ``wired`` replaces where items and feeds come from."""
    clock = clock or SpeedyClock(time.time())
    notes = Notes()
    card = material.plain_card(profile)
    definition = ChannelDefinition("one", "1", "Channel One", profile.name, ())

    def find(channel: ChannelId) -> ChannelDefinition:
        if channel != "one":
            raise UnknownChannel(f"there is no channel {channel}")
        return definition

    async with Processes(ffmpeg) as processes, Pump(clock, lambda _: None) as pump:
        feeds = Opened(processes)
        shelf = shelf or Shelf()
        sources, substitutes, opening = wired(feeds) if wired else (shelf, shelf, feeds)
        studio = Studio(timetable, sources, substitutes, opening, shelf, notes, pump, clock, notes, Ladder())

        async def player_of(channel: ChannelDefinition) -> Player:
            return Player(channel, profile, Cards(card, card, card, card), studio)

        tuners = Tuners(find, player_of, clock=clock, audience=notes, tuner_count=tuner_count, linger=linger)
        async with tuners:
            yield Station(tuners, processes, feeds, notes, clock, pump, profile, shelf)
