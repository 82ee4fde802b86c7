"""One channel on the air: keeps the running order filled from the timetable.

The player keeps no position of its own. What comes next is asked of the timetable at the picture where the stream
stands; after a failure the same question puts it back in step with the guide.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from exstream.clock import Clock
from exstream.errors import FeedError, PlayoutError, SourceUnavailable
from exstream.model.catalogue import ItemKey
from exstream.model.channel import ChannelDefinition, Profile
from exstream.model.grid import CLOCK_HZ, Span
from exstream.model.programme import Order as FeedOrder
from exstream.model.programme import Segment, SegmentKind
from exstream.mpegts.intake import Intake
from exstream.mpegts.psi import tables
from exstream.mpegts.splice import Spliced, Splicer
from exstream.playout.air import Air
from exstream.playout.cards import Cards
from exstream.playout.fanout import Fanout
from exstream.playout.ports import AsRunLog, Feed, Feeds, Sources, Timetable
from exstream.playout.pump import Pump
from exstream.playout.restart import RestartPolicy
from exstream.playout.slot import Reception, Slot, State
from exstream.playout.tally import Tallies

LOOK = 0.25
"""How often the running order is looked at, in seconds."""
PRESPAWN = 6.0
"""How long before its turn a feed is opened: it encodes what its pipe holds, then waits."""
OPEN_SECONDS = 5.0
START_SECONDS = 1.2
"""With a smaller lead than this a new encoder will not be in time for the next picture."""
SHORTEST = 2
"""Pictures. A single one is encoded without the reorder delay that joins rely on; a card stands in for it."""
WORTH_SECONDS = 1.0
"""What is left of a segment after a failure is worth an encoder from this length on."""
FIRST_BYTES_SECONDS = 6.0
"""How long an encoder may take to its first bytes, once it is its turn."""
STALL_SECONDS = 2.0
STALL_LEAD = 1.0

log = structlog.get_logger(__name__)


class Counts(Protocol):
    """Where a player's figures go."""

    def failed(self, reason: str) -> None:
        """A feed could not start, broke off or hung."""

    def carded(self, seconds: float) -> None:
        """A card covered ``seconds`` of a programme."""

    def skipped(self) -> None:
        """A slow viewer was moved on."""


@dataclass(frozen=True, slots=True)
class Studio:
    """What every player works with."""

    timetable: Timetable
    sources: Sources
    feeds: Feeds
    asrun: AsRunLog
    pump: Pump
    clock: Clock
    counts: Counts
    restart: RestartPolicy
    burst: float = 2.0
    """How far the stream runs ahead of air time, in seconds."""


class Player:
    """Puts ``channel`` on air for as long as `run` runs; viewers read from ``fanout``."""

    def __init__(self, channel: ChannelDefinition, profile: Profile, cards: Cards, studio: Studio) -> None:
        self.channel = channel
        self._profile = profile
        self._rate = profile.rate
        self._studio = studio
        self._clock = studio.clock
        self.fanout = Fanout(lambda: round(self._clock.air() * CLOCK_HZ), studio.counts.skipped)
        self.started = self._clock.air()
        first = self._rate.picture_at(round(self.started * 1000))
        splicer = Splicer(self._rate, tables(channel.name), first)
        self._air = Air(splicer, self._rate, cards, studio.burst, self.started)
        self._planned = first
        self._shift = self._clock.shift_ms
        self._moves = [(0, self._shift)]
        self._slots: list[Slot] = []
        self._tallies = Tallies(self._rate, studio.asrun.note)
        self._lost = False
        self._carded = 0
        self._news = asyncio.Event()
        self._retries: set[asyncio.Task[None]] = set()
        self._log = log.bind(channel=channel.id)

    @property
    def programme_at(self) -> float:
        """Air time at which the first picture of a programme went out; 0 before."""
        return self._air.programme_at

    @property
    def missed(self) -> bool:
        """Whether a card was shown before the first picture of a programme."""
        return self._air.missed

    @property
    def profile(self) -> Profile:
        """The format in which the channel is sent."""
        return self._profile

    def shift_at(self, pts: int) -> int:
        """Return the shift by which the picture at ``pts`` (90 kHz of channel time) was chosen, in milliseconds."""
        return next(shift for since, shift in reversed(self._moves) if since <= pts)

    async def run(self) -> None:
        """Stay on air until cancelled; no encoder is left behind. Raises `PlayoutError` when it cannot go on."""
        try:
            self._studio.pump.add(self._air, self._deliver)
            await self._extend()
            while True:
                await self._look()
        finally:
            self.fanout.close()
            await asyncio.shield(self._close())

    async def _look(self) -> None:
        """Wait for news or a moment, then bring the running order up to date."""
        try:
            async with asyncio.timeout(LOOK):
                await self._news.wait()
        except TimeoutError:
            self._watch()
        self._news.clear()
        if self._lost:
            raise PlayoutError(f"{self.channel.name} cannot go on")
        if self._clock.shift_ms != self._shift:
            await self._move()
        await self._settle()
        await self._extend()

    def _deliver(self, spliced: list[Spliced] | None) -> None:
        self._lost = self._lost or spliced is None
        for piece in spliced or ():
            self.fanout.publish(piece)
        if self._air.over or self._lost:
            self._news.set()
        cards = self._air.card_pictures - self._carded
        if cards:
            self._carded += cards
            self._studio.counts.carded(float(cards * self._rate.seconds))

    async def _extend(self) -> None:
        """Open what comes up in the next seconds; at the start the first programme has the machine for itself."""
        ahead = PRESPAWN if self._air.programme_at else PRESPAWN / 4
        horizon = self._rate.picture_at(round((self._clock.air() + ahead) * 1000))
        while self._planned < max(horizon, self._air.picture + 1):
            self._planned = max(self._planned, self._air.picture)
            segment, span = self._next(self._planned)
            self._planned = span.end
            self._tallies.begin(segment, span.first)
            await self._open(segment, span)

    def _next(self, picture: int) -> tuple[Segment, Span]:
        """Return what is on at ``picture``, and its pictures from there on."""
        at = self._schedule_ms(picture)
        while True:
            segment = self._studio.timetable.cue(self.channel.id, at).segment
            end = self._rate.picture_at(segment.ends - self._shift)
            if segment.kind is SegmentKind.CARD:
                # A card may give way to a programme that is published later: it is asked again.
                end = min(end, picture + self._rate.picture_at(round(PRESPAWN * 1000)))
            if end > picture:
                return segment, Span(picture, end)
            # It is shorter than what is left of this picture.
            at = segment.ends

    def _schedule_ms(self, picture: int) -> int:
        return round(self._rate.ms_at(picture)) + self._shift

    async def _open(self, segment: Segment, span: Span) -> None:
        """Put ``segment`` on the running order; a feed that cannot be opened is tried again later."""
        reception = None
        if segment.kind is not SegmentKind.CARD and segment.item is not None and len(span) >= SHORTEST:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    feed = await self._feed(segment, segment.item, span)
            except TimeoutError:
                self._fail(segment, span, f"no answer within {OPEN_SECONDS:.0f} s", "cannot open")
                return
            except (FeedError, SourceUnavailable, OSError) as fault:
                self._fail(segment, span, str(fault), "cannot open")
                return
            reception = Reception(feed, Intake(self._rate, span), self._clock.air())
        slot = Slot(span, segment, reception)
        self._slots.append(slot)
        self._air.put(slot)
        self._studio.pump.wake()

    async def _feed(self, segment: Segment, item: ItemKey, span: Span) -> Feed:
        source = await self._studio.sources.resolve(item)
        # Counted in pictures: the first one shows the beginning of the item, the last one nothing beyond its end.
        begins = self._rate.picture_at(segment.starts - self._shift)
        into = max(0, round(self._rate.ms_at(span.first) - self._rate.ms_at(begins)))
        return await self._studio.feeds.open(FeedOrder(source, span, segment.offset + into, self._profile))

    def _fail(self, segment: Segment, span: Span, text: str, reason: str) -> None:
        """Note a failure and try the rest of ``span`` again when the policy allows."""
        failures = self._tallies.failed(segment, text)
        delay = self._studio.restart.delay(failures)
        self._studio.counts.failed(reason)
        # Once a segment: what is tried again in vain need not be told again.
        tell = self._log.warning if failures == 1 else self._log.debug
        tell("feed failed", item=segment.item, reason=text, failures=failures, retry_in=delay)
        task = asyncio.create_task(self._retry(segment, span, delay))
        self._retries.add(task)
        task.add_done_callback(self._retries.discard)

    async def _retry(self, segment: Segment, span: Span, delay: float) -> None:
        """Open the rest of ``span`` from where the stream then stands, or will when the encoder has started."""
        if delay:
            await self._clock.sleep(delay)
        first = max(span.first, self._air.picture)
        now = self._clock.air()
        if self._air.lead(now) < START_SECONDS:
            first = max(first, self._rate.picture_at(round((now + START_SECONDS) * 1000)))
        if (span.end - first) * self._rate.seconds >= WORTH_SECONDS:
            await self._open(segment, Span(first, span.end))

    def _watch(self) -> None:
        """Find encoders that hang, and waiting ones that have died."""
        now = self._clock.air()
        current = self._air.current()
        for slot in self._slots:
            reception = slot.reception
            if reception is None or slot.state is not State.WAITING:
                continue
            if slot is not current:
                if reception.feed.returncode:
                    self._air.drop(slot, f"exit status {reception.feed.returncode}")
            elif self._air.lead(now) < STALL_LEAD and not reception.ended:
                turn = self._rate.ms_at(slot.span.first) / 1000 - self._studio.burst
                patience = STALL_SECONDS if reception.heard else FIRST_BYTES_SECONDS
                if now - max(reception.heard, reception.opened, turn) > patience:
                    self._air.drop(slot, "hung")

    async def _settle(self, *, moving: bool = False) -> None:
        """Close what is over and note how it went; while the programme is ``moving``, nothing is tried again."""
        while self._air.over:
            slot = self._air.over.popleft()
            self._slots.remove(slot)
            words = ""
            if slot.reception is not None:
                await slot.reception.feed.close()
                words = slot.reception.feed.stderr().rpartition("\n")[2]
            self._tallies.aired(slot.segment, slot.pictures)
            if slot.state is State.BROKEN and not moving:
                reason = "hung" if slot.reason == "hung" else "broke off"
                self._fail(
                    slot.segment, slot.span, f"{slot.reason}: {words}" if words else slot.reason, reason
                )
        self._tallies.close(self._air.picture, self._shift, busy={slot.segment for slot in self._slots})

    async def _move(self) -> None:
        """The wall was stepped: what is on air changes, the stream goes on."""
        for task in self._retries:
            task.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
        loop = asyncio.get_running_loop()
        cleared: asyncio.Future[int] = loop.create_future()
        self._air.clear(partial(_resolve_soon, loop, cleared))
        self._studio.pump.wake()
        async with asyncio.timeout(OPEN_SECONDS):
            self._planned = await cleared
        await self._settle(moving=True)
        self._tallies.close(self._planned, self._shift, cut=True)
        self._shift = self._clock.shift_ms
        self._moves.append((self._rate.ticks_at(self._planned), self._shift))
        self._log.warning("the wall clock was stepped; the programme follows it", shift_ms=self._shift)

    async def _close(self) -> None:
        for task in self._retries:
            task.cancel()
        await asyncio.gather(*self._retries, return_exceptions=True)
        await self._studio.pump.remove(self._air)
        while self._slots:
            slot = self._slots.pop()
            if slot.reception is not None:
                await slot.reception.feed.close()
            self._tallies.aired(slot.segment, slot.pictures)
        self._tallies.close(self._air.picture, self._shift, cut=True)


def _resolve_soon(loop: asyncio.AbstractEventLoop, future: asyncio.Future[int], picture: int) -> None:
    """Give ``picture`` to ``future`` from the pump's thread."""
    loop.call_soon_threadsafe(_resolve, future, picture)


def _resolve(future: asyncio.Future[int], picture: int) -> None:
    if not future.done():
        future.set_result(picture)
