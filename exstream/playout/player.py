"""One channel on the air: keeps the running order filled from the timetable.

The player keeps no position of its own. What comes next is asked of the timetable at the picture where the stream
stands; after a failure the same question puts it back in step with the guide.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from exstream.errors import PlayoutError
from exstream.model.asrun import AsRunEntry
from exstream.model.channel import ChannelDefinition, Profile
from exstream.model.grid import CLOCK_HZ, Span
from exstream.model.programme import Segment, SegmentKind
from exstream.model.recovery import Failure, Step
from exstream.mpegts.intake import Intake
from exstream.mpegts.psi import tables
from exstream.mpegts.splice import Spliced, Splicer
from exstream.playout.air import SETTLED, Air
from exstream.playout.cards import Cards
from exstream.playout.fanout import Fanout
from exstream.playout.recovery import OPEN_SECONDS, SHORTEST, Attempt, Recovery, failure_of
from exstream.playout.restart import Move
from exstream.playout.segments import SegmentRule
from exstream.playout.slot import Reception, Slot, State
from exstream.playout.starts import PRESPAWN, prespawn_of
from exstream.playout.studio import Studio
from exstream.playout.tally import Tallies
from exstream.playout.watchdog import Watchdog
from exstream.playout.watching import Watching

LOOK = 1.0
"""How often the running order is looked at, in seconds; news have it looked at at once."""
SHORT_LOOK = 0.25
"""How often, while the lead is too small for a feed to fail unnoticed."""
KEEP_SECONDS = 20.0
"""How much of the stream is kept for viewers, and never less than two key frames."""
START_SECONDS = 1.2
"""With a smaller lead than this a new encoder will not be in time for the next picture."""
WORTH_SECONDS = 1.0
"""What is left of a segment after a failure is worth an encoder from this length on."""
LAST_WORDS_SECONDS = 0.3
"""How long an encoder that failed is waited for, to hear why."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""After a fault of ours the running order is begun anew, ever later."""
LOST_SECONDS = 60.0
"""A stream that the pump gave up is begun anew for its viewers, but not twice in this time."""

log = structlog.get_logger(__name__)


class Player:
    """Puts ``channel`` on air for as long as `run` runs; viewers read from ``fanout``."""

    def __init__(self, channel: ChannelDefinition, profile: Profile, cards: Cards, studio: Studio) -> None:
        self.channel = channel
        self._profile = profile
        self._rate = profile.rate
        self._cards = cards
        self._studio = studio
        self._clock = studio.clock
        keep = max(KEEP_SECONDS, 2 * profile.gop_seconds + studio.burst)
        self.fanout = Fanout(lambda: round(self._clock.air() * CLOCK_HZ), studio.counts.skipped, keep)
        self.started = self._clock.air()
        self._planned = self._rate.picture_at(round(self.started * 1000))
        self._air = self._new_air(self._planned)
        self._prespawn = prespawn_of(channel.id)
        self._shift = self._clock.shift_ms
        self._moves = [(0, self._shift)]
        self._slots: dict[Slot, Attempt | None] = {}
        self._rests: dict[Segment, Span] = {}
        """What lies behind the filler that stands in for a segment, and is not opened yet."""
        self._tallies = Tallies(self._rate, self._note)
        self._recovery = Recovery(profile, studio)
        self._watchdog = Watchdog(float(self._rate.seconds))
        self._lost = False
        self._lost_at = 0.0
        self._carded = 0
        self._news = asyncio.Event()
        self._steps: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []
        self._watching = Watching(channel.id, self._rate, studio.counts, studio.clock)
        self._log = log.bind(channel=channel.id)

    def _new_air(self, first: int) -> Air:
        splicer = Splicer(self._rate, tables(self.channel.name), first, self._profile.reorder)
        return Air(splicer, self._rate, self._cards, self._studio.burst, self._clock.air())

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

    def stock_up(self) -> None:
        """Begin far enough back, before `run`: who reads segments needs several of them at once."""
        self.started = SegmentRule.of(self._profile).begin(self._clock.air() + self._studio.burst)
        self._planned = self._rate.picture_at(round(self.started * 1000))
        self._air = self._new_air(self._planned)

    async def run(self) -> None:
        """Stay on air until cancelled; no encoder is left behind. Raises `PlayoutError` when it cannot go on."""
        pause, anew = FIRST_PAUSE, False
        try:
            self._studio.pump.add(self._air, self._deliver)
            while True:
                began = self._clock.air()
                try:
                    await self._direct(anew=anew)
                except PlayoutError:
                    raise
                except Exception:
                    # Whatever it is: the pump goes on, with cards at worst, and no viewer is sent away.
                    log.exception(
                        "the running order is begun anew after a fault of ours", channel=self.channel.id
                    )
                if self._clock.air() - began > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                await self._clock.sleep(pause)
                pause, anew = min(2 * pause, LONGEST_PAUSE), True
        finally:
            self.fanout.close()
            await asyncio.shield(self._close())

    async def _direct(self, *, anew: bool) -> None:
        """Keep the running order for ever; ``anew`` clears what is on it first."""
        if anew and not self._lost:
            await self._clear()
        await self._extend()
        while True:
            await self._look()

    async def _look(self) -> None:
        """Wait for news or a moment, then bring the running order up to date."""
        try:
            settled = self._air.lead(self._clock.air()) >= SETTLED
            async with asyncio.timeout(LOOK if settled else SHORT_LOOK):
                await self._news.wait()
        except TimeoutError:
            self._watch()
        self._news.clear()
        if self._faults:
            raise self._faults.pop()
        if self._lost:
            await self._replace_air()
        if self._clock.shift_ms != self._shift:
            await self._clear()
            self._shift = self._clock.shift_ms
            self._moves.append((self._rate.ticks_at(self._planned), self._shift))
            self._log.warning("the wall clock was stepped; the programme follows it", shift_ms=self._shift)
        await self._settle()
        await self._extend()

    def _deliver(self, spliced: list[Spliced] | None) -> None:
        self._lost = self._lost or spliced is None
        for piece in spliced or ():
            self.fanout.publish(piece)
            self._watching.take(piece.data)
        if self._air.over or self._lost:
            self._news.set()
        cards = self._air.card_pictures - self._carded
        if cards:
            self._carded += cards
            self._studio.counts.carded(float(cards * self._rate.seconds))

    def _note(self, entry: AsRunEntry) -> None:
        self._studio.asrun.note(entry)
        self._studio.counts.aired(entry)

    async def _extend(self) -> None:
        """Open what comes up in the next seconds; at the start the first programme has the machine for itself."""
        ahead = self._prespawn if self._air.programme_at else PRESPAWN / 4
        horizon = self._rate.picture_at(round((self._clock.air() + ahead) * 1000))
        for segment, span in tuple(self._rests.items()):
            if span.first < horizon:
                await self._step(segment, span, self._recovery.behind_filler(segment).step)
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

    async def _open(self, segment: Segment, span: Span, step: Step = Step.PLANNED) -> None:
        """Put ``segment`` on the running order; what cannot be opened takes the next step of the ladder."""
        if segment.kind is SegmentKind.CARD or segment.item is None or len(span) < SHORTEST:
            self._put(Slot(span, segment, None), None)
            return
        attempt = await self._recovery.open(segment, segment.item, span, step, self._shift)
        if attempt.feed is None:
            self._fail(attempt, attempt.failure, attempt.reason)
            return
        if attempt.span.end < span.end:
            self._rests[segment] = Span(attempt.span.end, span.end)
        way = attempt.feed.order.way
        intake = Intake(self._rate, attempt.span, way=way, reorder=self._profile.reorder)
        reception = Reception(attempt.feed, intake, self._clock.air())
        self._put(Slot(attempt.span, segment, reception), attempt)

    def _put(self, slot: Slot, attempt: Attempt | None) -> None:
        self._slots[slot] = attempt
        self._air.put(slot)
        self._studio.pump.wake()

    def _fail(self, attempt: Attempt, failure: Failure, reason: str, seconds: float = 0.0) -> None:
        """Note a failure, and have the ladder's next step taken for the rest of the attempt's span."""
        segment = attempt.segment
        setback, move = self._recovery.failed(attempt, failure, reason, seconds)
        failures = self._tallies.failed(segment, setback)
        self._studio.counts.failed(failure)
        # Once a segment: what is tried again in vain need not be told again.
        tell = self._log.warning if failures == 1 else self._log.debug
        tell(
            "feed failed",
            item=segment.item,
            reason=reason,
            failures=failures,
            step=str(attempt.step),
            next=str(move.step),
            wait=round(move.wait, 1),
        )
        task = asyncio.create_task(self._climb(segment, attempt.span, move))
        self._steps.add(task)
        task.add_done_callback(self._climbed)

    def _climbed(self, task: asyncio.Task[None]) -> None:
        self._steps.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)
            self._news.set()

    async def _climb(self, segment: Segment, span: Span, move: Move) -> None:
        """Take a step for the rest of ``span``, from where the stream will stand when an encoder has started."""
        if move.wait:
            await self._clock.sleep(move.wait)
        first = max(span.first, self._air.picture)
        now = self._clock.air()
        if self._air.lead(now) < START_SECONDS:
            first = max(first, self._rate.picture_at(round((now + START_SECONDS) * 1000)))
        if first < span.end:
            await self._step(segment, Span(first, span.end), move.step)

    async def _step(self, segment: Segment, span: Span, step: Step) -> None:
        rest = self._rests.pop(segment, None)
        if rest is not None:
            span = Span(min(max(span.first, self._air.picture), rest.end), rest.end)
        if len(span) * self._rate.seconds >= WORTH_SECONDS:
            self._studio.counts.stepped(step)
            await self._open(segment, span, step)

    def _watch(self) -> None:
        now = self._clock.air()
        lead, current = self._air.lead(now), self._air.current()
        for slot, reason in self._watchdog.look(tuple(self._slots), current, lead, now):
            self._air.drop(slot, reason)

    async def _settle(self, *, again: bool = True) -> None:
        """Close what is over and note how it went; what broke is tried ``again``."""
        while self._air.over:
            slot = self._air.over.popleft()
            attempt = self._slots.pop(slot)
            if attempt is not None:
                await self._end(slot, attempt, again=again)
        busy = {slot.segment for slot in self._slots}
        self._recovery.forget(self._tallies.close(self._air.picture, self._shift, busy=busy))

    async def _end(self, slot: Slot, attempt: Attempt, *, again: bool) -> None:
        seconds = float(slot.pictures * self._rate.seconds)
        self._tallies.aired(
            slot.segment, slot.pictures, attempt.means, attempt.drift_ms(self._rate, self._shift)
        )
        closing = asyncio.create_task(attempt.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        if slot.state is State.AIRED:
            self._recovery.aired(attempt, seconds)
        if slot.state is not State.BROKEN or not again:
            return
        # One that hangs takes its time to end; the stream does not wait for it.
        await asyncio.wait({closing}, timeout=LAST_WORDS_SECONDS)
        words = attempt.last_words()
        reason = f"{slot.reason}: {words}" if words else slot.reason
        self._fail(attempt, failure_of(attempt, slot.reason, slot.pictures), reason, seconds)

    async def _clear(self) -> None:
        """Take everything off the running order: what is on is asked anew, and the stream goes on."""
        await self._cancel_steps()
        loop = asyncio.get_running_loop()
        cleared: asyncio.Future[int] = loop.create_future()
        self._air.clear(partial(_resolve_soon, loop, cleared))
        self._studio.pump.wake()
        async with asyncio.timeout(OPEN_SECONDS):
            self._planned = await cleared
        await self._settle(again=False)
        self._recovery.forget(self._tallies.close(self._planned, self._shift, cut=True))

    async def _replace_air(self) -> None:
        """Begin a stream anew that the pump gave up: its viewers stay, its time stamps go on."""
        now = self._clock.air()
        if now - self._lost_at < LOST_SECONDS:
            raise PlayoutError(f"{self.channel.name} cannot go on")
        self._lost, self._lost_at = False, now
        await self._drop_all()
        self._planned = self._air.picture
        self._air, self._carded = self._new_air(self._planned), 0
        self._studio.pump.add(self._air, self._deliver)

    async def _drop_all(self) -> None:
        """Give up everything on the running order of a stream that is no longer on the pump."""
        await self._cancel_steps()
        for slot, attempt in self._slots.items():
            if attempt is not None:
                drift = attempt.drift_ms(self._rate, self._shift)
                self._tallies.aired(slot.segment, slot.pictures, attempt.means, drift)
                await attempt.close()
        self._slots.clear()
        self._recovery.forget(self._tallies.close(self._air.picture, self._shift, cut=True))

    async def _cancel_steps(self) -> None:
        self._rests.clear()
        for task in self._steps:
            task.cancel()
        await asyncio.gather(*self._steps, return_exceptions=True)

    async def _close(self) -> None:
        await self._studio.pump.remove(self._air)
        await self._drop_all()
        await asyncio.gather(*self._closing)


def _resolve_soon(loop: asyncio.AbstractEventLoop, future: asyncio.Future[int], picture: int) -> None:
    """Give ``picture`` to ``future`` from the pump's thread."""
    loop.call_soon_threadsafe(_resolve, future, picture)


def _resolve(future: asyncio.Future[int], picture: int) -> None:
    if not future.done():
        future.set_result(picture)
