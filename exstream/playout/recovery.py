"""The attempts to put a segment on air: what is opened at each step of the ladder, and what became of it."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from exstream.errors import FeedError, FileUnavailable, SourceUnavailable
from exstream.model.asrun import Means
from exstream.model.catalogue import ItemKey, Source
from exstream.model.channel import Profile
from exstream.model.grid import Rate, Span
from exstream.model.programme import Order, Segment, Way
from exstream.model.recovery import FAULTS_OF_THE_FILE, Failure, Setback, Step
from exstream.playout.air import ENDED_EARLY, TOO_LATE
from exstream.playout.ports import Feed
from exstream.playout.restart import Move, shows_unfit
from exstream.playout.studio import Studio

OPEN_SECONDS = 5.0
SOUND_SECONDS = 6.0
"""What has aired this long was in order, and no false start: after it the ladder begins at its top again."""
SHORTEST = 2
"""Pictures. A single one is encoded without the reorder delay that joins rely on; a card stands in for it."""
CHEAPEST_PRESET = "ultrafast"
_ENDED_FROM_OUTSIDE = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, 255})
"""Exit statuses of an encoder that somebody else has ended; ffmpeg says 255 when it was asked politely."""
_WANTS = (
    "Cannot allocate memory",
    "Resource temporarily unavailable",
    "Too many open files",
    "No space left",
)
"""What an encoder says when the machine has not given it what it needs."""
_NAMED = {
    "hung": Failure.HUNG,
    "too slow": Failure.SLOW,
    TOO_LATE: Failure.LATE,
    "a fault of ours": Failure.OURS,
}
_ENCODED = frozenset({Step.TRANSCODE, Step.CHEAPER, Step.CAREFUL})
_SUBSTITUTES = frozenset({Step.COPY, Step.FILLER})
_ENDED = (ENDED_EARLY, "exit status")
"""How the reasons begin for which a feed is given up; any other is what is wrong with a copied item."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One step's try to fill ``span`` with pictures for ``segment``; without a ``feed`` it has failed already."""

    segment: Segment
    span: Span
    step: Step
    location: str = ""
    feed: Feed | None = None
    way: Way | None = None
    spawned: float = 0.0
    """Air time at which the encoder was started; 0 when none was."""
    failure: Failure = Failure.MISSING
    reason: str = ""

    @property
    def means(self) -> Means:
        """What the pictures of it are."""
        if self.step is Step.FILLER:
            return Means.FILLER
        return Means.TRANSCODE if self.way is None else Means(self.way.value)

    @property
    def returncode(self) -> int | None:
        """How its encoder ended; None while it runs, and without one."""
        return None if self.feed is None else self.feed.returncode

    def last_words(self) -> str:
        """Return why its source gave out, else the last line that its encoder wrote."""
        return "" if self.feed is None else self.feed.lost or self.feed.stderr().rpartition("\n")[2]

    def drift_ms(self, rate: Rate, shift_ms: int) -> int | None:
        """Return by how much its pictures air later than the segment says; None if they are no part of it."""
        if self.feed is None or self.step is Step.FILLER:
            return None
        order = self.feed.order
        belongs = self.segment.starts + order.offset_ms - self.segment.offset
        return round(rate.ms_at(order.span.first)) + shift_ms - belongs

    async def close(self) -> None:
        """Stop its encoder; it is gone when this returns."""
        if self.feed is not None:
            await self.feed.close()


@dataclass(frozen=True, slots=True)
class _Choice:
    source: Source
    span: Span
    offset_ms: int
    inside: bool
    """It is planned to begin in the middle, where no key frame need be."""


@dataclass(slots=True)
class _Story:
    """What a segment has suffered: all of it since it last aired as it should, and what it has shown for good."""

    setbacks: list[Setback] = field(default_factory=list)
    unfit: bool = False
    """The item had better not be sent as it is."""
    slow: bool = False
    """Its encoder could not keep up with the clock."""


class Recovery:
    """Knows what each segment of one channel has suffered, and carries out the ladder's next step."""

    def __init__(self, profile: Profile, studio: Studio) -> None:
        self._profile = profile
        self._rate = profile.rate
        self._studio = studio
        self._clock = studio.clock
        self._stories: defaultdict[Segment, _Story] = defaultdict(_Story)

    async def open(self, segment: Segment, item: ItemKey, span: Span, step: Step, shift_ms: int) -> Attempt:
        """Open a feed for ``span``, or the first part of it; the attempt says how that went.

        ``shift_ms`` is what is added to air time to get schedule time.
        """
        attempt = Attempt(segment, span, step)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                choice = await self._choose(attempt, item, shift_ms)
                attempt.location = choice.source.location
                feed = await self._studio.feeds.open(self._order(segment, choice, step))
        except TimeoutError:
            attempt.reason = f"no answer within {OPEN_SECONDS:.0f} s"
        except (SourceUnavailable, FileUnavailable) as fault:
            attempt.reason = str(fault)
        except (FeedError, OSError) as fault:
            attempt.failure, attempt.reason = Failure.REFUSED, str(fault)
        else:
            attempt.feed, attempt.span, attempt.spawned = feed, choice.span, self._clock.air()
            attempt.way = feed.order.way if self._profile.copy else Way.TRANSCODE
        return attempt

    async def _choose(self, attempt: Attempt, item: ItemKey, shift_ms: int) -> _Choice:
        """Return what is to be opened; raises `SourceUnavailable` when there is no such thing."""
        studio, segment, span = self._studio, attempt.segment, attempt.span
        failed = frozenset(setback.location for setback in self._stories[segment].setbacks)
        if attempt.step is Step.FILLER:
            return await self._filler(segment, span, failed, shift_ms)
        if attempt.step is Step.COPY:
            copies = await studio.substitutes.copies(item)
            source = next((copy for copy in copies if copy.location not in failed), None)
            if source is None:
                raise SourceUnavailable("there is no other copy")
        else:
            source = await studio.sources.resolve(item)
        # Counted in pictures: the first one shows the beginning of the item, the last one nothing beyond its end.
        begins = self._rate.picture_at(segment.starts - shift_ms)
        into = max(0, round(self._rate.ms_at(span.first) - self._rate.ms_at(begins)))
        return _Choice(source, span, segment.offset + into, segment.offset > 0)

    async def _filler(self, segment: Segment, span: Span, failed: Collection[str], shift_ms: int) -> _Choice:
        rate = self._rate
        at = round(rate.ms_at(span.first)) + shift_ms
        filling = await self._studio.substitutes.filler(segment, at, failed)
        if filling is None:
            raise SourceUnavailable("there is no filler")
        begins = rate.picture_at(filling.starts - shift_ms)
        first = max(span.first, begins)
        end = min(span.end, rate.picture_at(filling.ends - shift_ms))
        if end - first < SHORTEST:
            raise SourceUnavailable("there is no filler that fits")
        into = round(rate.ms_at(first) - rate.ms_at(begins))
        return _Choice(filling.source, Span(first, end), filling.offset_ms + into, filling.offset_ms > 0)

    def _order(self, segment: Segment, choice: _Choice, step: Step) -> Order:
        story = self._stories[segment]
        profile = replace(self._profile, preset=CHEAPEST_PRESET) if story.slow else self._profile
        unfit = step in _ENCODED or (story.unfit and step not in _SUBSTITUTES)
        way = Way.TRANSCODE if unfit or choice.inside else Way.COPY
        careful = step is Step.CAREFUL or (step is Step.AGAIN and not story.slow)
        return Order(choice.source, choice.span, choice.offset_ms, profile, way, careful)

    def failed(
        self, attempt: Attempt, failure: Failure, reason: str, seconds: float = 0.0
    ) -> tuple[Setback, Move]:
        """Note that ``attempt`` failed after ``seconds`` of its pictures; return that, and what to try next."""
        story, suspicions = self._stories[attempt.segment], self._studio.suspicions
        now = round(self._clock.air() * 1_000)
        spawned = round(attempt.spawned * 1_000)
        setback = Setback(now, attempt.step, failure, reason, attempt.location, spawned, attempt.way)
        own, sound = attempt.step not in _SUBSTITUTES, seconds >= SOUND_SECONDS
        if own:
            story.unfit = story.unfit or shows_unfit(setback)
            story.slow = story.slow or failure is Failure.SLOW
        if sound:
            suspicions.clear(attempt.location)
        if own and sound:
            # It counts as what was planned: every step may help again.
            story.setbacks[:] = [replace(setback, step=Step.PLANNED)]
        else:
            story.setbacks.append(setback)
        if failure in FAULTS_OF_THE_FILE and attempt.location and attempt.spawned:
            suspicions.suspect(attempt.location, reason)
        cheaper = self._profile.preset != CHEAPEST_PRESET
        return setback, self._studio.ladder.after(story.setbacks, now, cheaper=cheaper)

    def aired(self, attempt: Attempt, seconds: float) -> None:
        """Note that ``attempt`` was on air to its end, with ``seconds`` of its pictures."""
        length = float(len(attempt.span) * self._rate.seconds)
        if seconds >= min(SOUND_SECONDS, length * 0.9):
            self._studio.suspicions.clear(attempt.location)

    def behind_filler(self, segment: Segment) -> Move:
        """Return what follows a filler that has stood in for ``segment``."""
        now = round(self._clock.air() * 1_000)
        return self._studio.ladder.behind(self._stories[segment].setbacks, now)

    def forget(self, segments: Iterable[Segment]) -> None:
        """Drop what is known of segments that are over."""
        for segment in segments:
            self._stories.pop(segment, None)


def failure_of(attempt: Attempt, reason: str, pictures: int) -> Failure:
    """Tell how ``attempt`` failed, which was given up for ``reason`` after so many pictures and has ended."""
    if attempt.feed is not None and attempt.feed.lost:
        return Failure.MISSING
    for beginning, failure in _NAMED.items():
        if reason.startswith(beginning):
            return Failure.SILENT if failure is Failure.HUNG and not pictures else failure
    if not reason.startswith(_ENDED) and attempt.way in {Way.COPY, Way.AUDIO}:
        return Failure.IRREGULAR
    words = "" if attempt.feed is None else attempt.feed.stderr()
    if attempt.returncode in _ENDED_FROM_OUTSIDE or any(want in words for want in _WANTS):
        return Failure.KILLED
    return Failure.BROKE if pictures else Failure.REFUSED
