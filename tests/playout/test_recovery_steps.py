"""What is opened at each step, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from exstream.errors import FeedError, FileUnavailable, SourceUnavailable
from exstream.model.asrun import Means
from exstream.model.catalogue import ItemKey, Source
from exstream.model.grid import Span
from exstream.model.programme import Order, Segment, SegmentKind, Way
from exstream.model.recovery import Failure, Step
from exstream.playout.ports import Feed, Filling
from exstream.playout.recovery import CHEAPEST_PRESET, SOUND_SECONDS, Attempt, Recovery, failure_of
from exstream.playout.restart import Ladder
from exstream.playout.studio import Studio
from tests.fakes import SteppedClock
from tests.material import SMALL

pytestmark = pytest.mark.anyio

PROFILE = replace(SMALL, preset="superfast", copy=True)
SEGMENT = Segment("one", SegmentKind.PROGRAMME, 1_000_000, 1_060_000, "item")
SPAN = Span(25_250, 26_500)
"""From ten seconds into the segment to its end."""


@dataclass
class Opened:
    """A feed that runs as it was ordered, or has ended."""

    order: Order
    returncode: int | None = None
    words: str = ""
    fd: int = -1
    lost: str = ""

    def stderr(self) -> str:
        """Its last words."""
        return self.words

    async def close(self) -> None:
        """It is gone."""


@dataclass
class House:
    """Sources, substitutes, feeds and suspicions in one."""

    refusal: Exception | None = None
    others: list[str] = field(default_factory=list)
    filling: Filling | None = None
    orders: list[Order] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    clock: SteppedClock = field(default_factory=lambda: SteppedClock(1_010_000))
    ladder: Ladder = field(default_factory=Ladder)

    async def resolve(self, item: ItemKey) -> Source:
        """Return the item's file."""
        return Source("/own.mkv", None)

    async def copies(self, item: ItemKey) -> Sequence[Source]:
        """Return the other files."""
        return [Source(path, None) for path in self.others]

    async def filler(self, segment: Segment, at_ms: int, without: Collection[str] = ()) -> Filling | None:
        """Return the filler, if it has not failed."""
        return self.filling if self.filling and self.filling.source.location not in without else None

    async def open(self, order: Order) -> Feed:
        """Open, or refuse."""
        self.orders.append(order)
        if self.refusal is not None:
            raise self.refusal
        return Opened(order)

    def suspect(self, location: str, reason: str) -> None:
        """Keep it."""
        self.suspects.append(location)

    def clear(self, location: str) -> None:
        """Keep it."""
        self.cleared.append(location)

    def recovery(self) -> Recovery:
        """Return the attempts of a channel in this house."""
        studio = Studio(
            cast("Any", self), self, self, self, self, cast("Any", self), cast("Any", self), self.clock,
            cast("Any", self), self.ladder,
        )  # fmt: skip
        return Recovery(PROFILE, studio)


@pytest.fixture
def house() -> House:
    """Return the house."""
    return House(filling=Filling(Source("/filler.mkv", None), 1_004_000, 1_014_000, 0))


async def attempt(house: House, step: Step, recovery: Recovery | None = None) -> Attempt:
    """Take one step."""
    return await (recovery or house.recovery()).open(SEGMENT, "item", SPAN, step, 0)


@pytest.mark.parametrize(
    ("step", "way", "careful"),
    [
        (Step.PLANNED, Way.COPY, False),
        (Step.RETRY, Way.COPY, False),
        (Step.TRANSCODE, Way.TRANSCODE, False),
        (Step.CAREFUL, Way.TRANSCODE, True),
        (Step.AGAIN, Way.COPY, True),
    ],
)
async def test_each_step_opens_the_item_at_its_position(
    house: House, step: Step, way: Way, careful: bool
) -> None:
    """Ten seconds into the segment it is ten seconds into the item; only the steps that encode forbid to copy."""
    made = await attempt(house, step)
    (order,) = house.orders
    assert (order.source.location, order.span, order.offset_ms) == ("/own.mkv", SPAN, 10_000)
    assert (order.way, order.careful, order.profile.preset) == (way, careful, "superfast")
    assert (made.means, made.drift_ms(PROFILE.rate, 0)) == (Means(way.value), 0)
    assert made.spawned == 1_010


async def test_an_item_that_is_planned_to_begin_inside_is_encoded(house: House) -> None:
    """Five seconds into the item there need be no key frame; the position counts from there."""
    inside = replace(SEGMENT, offset=5_000)
    made = await house.recovery().open(inside, "item", SPAN, Step.PLANNED, 0)
    assert (house.orders[0].offset_ms, house.orders[0].way) == (15_000, Way.TRANSCODE)
    assert made.drift_ms(PROFILE.rate, 0) == 0


async def test_an_item_that_is_irregular_is_not_sent_as_it_is_again(house: House) -> None:
    """From the card it is encoded, where copying has shown that it cannot be copied."""
    recovery = house.recovery()
    made = await attempt(house, Step.PLANNED, recovery)
    recovery.failed(made, Failure.IRREGULAR, "pictures are missing")
    await attempt(house, Step.AGAIN, recovery)
    assert house.orders[-1].way is Way.TRANSCODE


async def test_filler_begins_where_it_would_be_and_ends_where_it_ends(house: House) -> None:
    """It was to begin six seconds before: its seventh second is on; the rest of the span is left."""
    made = await attempt(house, Step.FILLER)
    assert house.orders[0].offset_ms == 6_000
    assert made.span == Span(25_250, 25_350)
    assert (made.means, made.drift_ms(PROFILE.rate, 0)) == (Means.FILLER, None)
    house.filling = None
    assert (await attempt(house, Step.FILLER)).failure is Failure.MISSING


async def test_a_copy_that_failed_is_not_opened_twice(house: House) -> None:
    """The next one is; when there is none left, that is the end of copies."""
    house.others = ["/second.mkv", "/third.mkv"]
    recovery = house.recovery()
    for expected in house.others:
        made = await attempt(house, Step.COPY, recovery)
        assert made.location == expected
        recovery.failed(made, Failure.BROKE, "it hurts")
    last = await attempt(house, Step.COPY, recovery)
    assert (last.feed, last.location, last.failure) == (None, "", Failure.MISSING)


@pytest.mark.parametrize(
    ("refusal", "failure"),
    [
        (FileUnavailable("/own.mkv cannot be opened: there is no such file"), Failure.MISSING),
        (SourceUnavailable("it is no longer in the library"), Failure.MISSING),
        (TimeoutError(), Failure.MISSING),
        (FeedError("/own.mkv cannot be played"), Failure.REFUSED),
        (OSError(5, "Input/output error"), Failure.REFUSED),
    ],
)
async def test_what_cannot_be_opened_is_told_apart(
    house: House, refusal: Exception, failure: Failure
) -> None:
    """A file that is not there is no fault of the file; nobody is suspected without an encoder that ran."""
    house.refusal = refusal
    recovery = house.recovery()
    made = await attempt(house, Step.PLANNED, recovery)
    assert (made.feed, made.failure) == (None, failure)
    recovery.failed(made, made.failure, made.reason)
    assert house.suspects == []


async def test_after_some_good_seconds_the_ladder_begins_at_its_top(house: House) -> None:
    """What had aired as it should is not held against the file; each failure that may be its fault is."""
    recovery = house.recovery()
    made = await attempt(house, Step.PLANNED, recovery)
    assert recovery.failed(made, Failure.KILLED, "killed")[1].step is Step.RETRY
    again = await attempt(house, Step.RETRY, recovery)
    assert recovery.failed(again, Failure.BROKE, "it hurts")[1].step is Step.TRANSCODE
    other = await attempt(house, Step.TRANSCODE, recovery)
    setback, move = recovery.failed(other, Failure.KILLED, "killed", SOUND_SECONDS)
    assert (setback.step, move.step) == (Step.TRANSCODE, Step.RETRY)
    # But what has shown that it cannot be sent as it is stays encoded.
    await attempt(house, Step.RETRY, recovery)
    assert house.orders[-1].way is Way.TRANSCODE
    assert (house.suspects, house.cleared) == (["/own.mkv"], ["/own.mkv"])


async def test_a_slow_machine_makes_less_effort_from_then_on(house: House) -> None:
    """Once an encoder was too slow, every further one of the segment has the cheapest preset."""
    recovery = house.recovery()
    made = replace(await attempt(house, Step.PLANNED, recovery), way=Way.TRANSCODE)
    assert recovery.failed(made, Failure.SLOW, "too slow")[1].step is Step.CHEAPER
    await attempt(house, Step.CHEAPER, recovery)
    await attempt(house, Step.AGAIN, recovery)
    assert {order.profile.preset for order in house.orders[1:]} == {CHEAPEST_PRESET}
    assert not any(order.careful for order in house.orders)


@pytest.mark.parametrize(
    ("reason", "pictures", "returncode", "words", "way", "failure"),
    [
        ("hung", 5, None, "", Way.COPY, Failure.HUNG),
        ("hung: no picture comes of its bytes", 0, None, "", Way.TRANSCODE, Failure.SILENT),
        ("too slow for the clock", 5, None, "", Way.TRANSCODE, Failure.SLOW),
        ("a fault of ours", 5, None, "", Way.TRANSCODE, Failure.OURS),
        ("pictures are missing", 5, None, "", Way.AUDIO, Failure.IRREGULAR),
        ("ended early", 5, -9, "", Way.COPY, Failure.KILLED),
        ("ended early", 5, 255, "", Way.TRANSCODE, Failure.KILLED),
        ("exit status 244", 0, 244, "x264: Cannot allocate memory", Way.TRANSCODE, Failure.KILLED),
        ("ended early", 5, -11, "", Way.TRANSCODE, Failure.BROKE),
        ("ended early", 5, 0, "", Way.COPY, Failure.BROKE),
        ("exit status 1", 0, 1, "moov atom not found", Way.TRANSCODE, Failure.REFUSED),
    ],
)
def test_how_an_encoder_ended_says_how_it_failed(
    reason: str, pictures: int, returncode: int | None, words: str, way: Way, failure: Failure
) -> None:
    """By why it was given up, whether pictures had come of it, its exit status and what it said."""
    order = Order(Source("/own.mkv", None), SPAN, 0, PROFILE)
    ended = Attempt(SEGMENT, SPAN, Step.PLANNED, "/own.mkv", Opened(order, returncode, words), way)
    assert failure_of(ended, reason, pictures) is failure
    # Where the source itself gave out, that is why, however the encoder was ended then.
    lost = replace(ended, feed=Opened(order, returncode, words, lost="the server has gone"))
    assert failure_of(lost, reason, pictures) is Failure.MISSING
    assert lost.last_words() == "the server has gone"
