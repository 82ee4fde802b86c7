"""Asking again: how often, how long, and at whose word."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.errors import Busy, Misunderstood, OutboundError, SignInNeeded, TooMuch, Unreachable
from exstream.outbound import Patience, patiently, retry_after
from tests.fakes import SteppedClock

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000


class Asked:
    """Fails with each of ``faults`` in turn, then answers; notes when it was asked."""

    def __init__(self, clock: SteppedClock, *faults: OutboundError) -> None:
        self.clock = clock
        self.faults = list(faults)
        self.at: list[float] = []

    async def __call__(self) -> str:
        self.at.append(self.clock.air() - NOW / 1000)
        if self.faults:
            raise self.faults.pop(0)
        return "here"


async def run(asked: Asked, patience: Patience, **options: tuple[type[Unreachable], ...]) -> str:
    """Ask with patience while time passes."""
    task = asyncio.create_task(patiently(asked, patience, asked.clock, Random(1), **options))
    for _ in range(200):
        if task.done():
            break
        await asked.clock.step(1.0)
    return await task


async def test_what_fails_for_a_moment_is_asked_again() -> None:
    """Two failures and an answer give the answer, after pauses that stay below their limits."""
    asked = Asked(SteppedClock(NOW), Unreachable("a"), Unreachable("b"))
    assert await run(asked, Patience(first=4.0)) == "here"
    assert len(asked.at) == 3
    assert asked.at[1] - asked.at[0] <= 5.0
    assert asked.at[2] - asked.at[1] <= 9.0


@pytest.mark.parametrize("fault", [SignInNeeded("a"), Misunderstood("b"), OutboundError("c")])
async def test_what_will_not_change_is_not_asked_again(fault: OutboundError) -> None:
    """A refused token, an answer that is none: raised at once."""
    asked = Asked(SteppedClock(NOW), fault)
    with pytest.raises(type(fault)):
        await run(asked, Patience())
    assert len(asked.at) == 1


async def test_what_is_final_is_not_asked_again() -> None:
    """An error that the caller has another answer to is raised at once."""
    asked = Asked(SteppedClock(NOW), TooMuch("a"))
    with pytest.raises(TooMuch):
        await run(asked, Patience(), final=(TooMuch,))
    assert len(asked.at) == 1


async def test_tries_and_time_have_an_end() -> None:
    """It ends after so many tries, and where the next one would be after the time in all."""
    many = [Unreachable(str(number)) for number in range(99)]
    asked = Asked(SteppedClock(NOW), *many)
    with pytest.raises(Unreachable, match="3"):
        await run(asked, Patience(tries=4))
    assert len(asked.at) == 4
    asked = Asked(SteppedClock(NOW), *many)
    with pytest.raises(Unreachable):
        await run(asked, Patience(tries=99, seconds=30.0, longest=10.0))
    assert asked.at[-1] - asked.at[0] <= 31.0


async def test_the_word_of_the_server_counts() -> None:
    """A server that names 20 seconds is asked after 20, not before; one that names an hour is not waited for."""
    asked = Asked(SteppedClock(NOW), Busy("a", 20.0))
    assert await run(asked, Patience()) == "here"
    assert 20.0 <= asked.at[1] - asked.at[0] <= 23.0
    asked = Asked(SteppedClock(NOW), Busy("a", 3600.0))
    with pytest.raises(Busy):
        await run(asked, Patience())
    assert len(asked.at) == 1


@given(st.integers(1, 10_000), st.integers())
def test_pauses_are_never_longer_than_the_longest(failures: int, seed: int) -> None:
    """After however many failures a pause is within its limits."""
    assert 0.0 <= Patience(longest=15.0).pause(failures, Random(seed)) <= 15.0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 30, None),
        ("Fri, 99 Jan 2027 08:00:30 GMT", None),
    ],
)
def test_both_ways_of_naming_a_time_are_read(said: str, seconds: float | None) -> None:
    """Seconds and an HTTP date are understood, one that is over means now, everything else says nothing."""
    assert retry_after(said, NOW) == seconds


@given(st.text())
def test_no_header_breaks_it(said: str) -> None:
    """Whatever a server writes there, the answer is a time from now on, or none."""
    found = retry_after(said, NOW)
    assert found is None or found >= 0
