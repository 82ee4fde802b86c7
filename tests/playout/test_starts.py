"""Many channels that start or go over to their next item at once."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import cast

import pytest

from exstream.errors import FeedError
from exstream.model.programme import Order
from exstream.playout.ports import Feed
from exstream.playout.starts import GAP, PRESPAWN, SPREAD, StaggeredFeeds, prespawn_of
from tests.fakes import SteppedClock, turn

pytestmark = pytest.mark.anyio


class Opened:
    """Feeds that note when they are opened; every third cannot be."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.at: list[float] = []

    async def open(self, order: Order) -> Feed:
        """Note the time."""
        self.at.append(self._clock.air())
        if len(self.at) % 3 == 0:
            raise FeedError("no such file")
        return cast("Feed", order)


async def test_starts_at_once_take_turns_and_a_single_one_does_not_wait() -> None:
    """Of a hundred feeds asked for at once none starts with another, none is lost, and none waits after a pause."""
    clock = SteppedClock(0)
    opened = Opened(clock)
    feeds = StaggeredFeeds(opened, clock)
    orders = [cast("Order", object()) for _ in range(100)]
    asked = asyncio.gather(*(feeds.open(order) for order in orders), return_exceptions=True)
    await turn()
    assert opened.at == [0.0]
    await clock.step(100 * GAP)
    answers = await asked

    assert len(opened.at) == 100
    assert min(later - earlier for earlier, later in pairwise(opened.at)) >= GAP - 1e-6
    assert cast("object", answers[0]) is orders[0]
    assert [isinstance(answer, FeedError) for answer in answers] == [
        number % 3 == 0 for number in range(1, 101)
    ]
    await clock.step(1)
    began = clock.air()
    await feeds.open(orders[0])
    assert opened.at[-1] == began


def test_channels_that_change_items_together_start_their_encoders_apart() -> None:
    """A hundred channels with the same timetable start their next encoders over seconds, always in the same places."""
    ahead = sorted(prespawn_of(f"channel-{number}") for number in range(100))

    assert ahead == sorted(prespawn_of(f"channel-{number}") for number in range(100))
    assert ahead[0] >= PRESPAWN
    assert ahead[-1] <= PRESPAWN + SPREAD
    busiest = max(sum(begin <= other < begin + 0.5 for other in ahead) for begin in ahead)
    assert busiest <= 30, "of 100 in half a second; evenly it would be 12"
