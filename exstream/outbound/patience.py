"""Asking again: what may be repeated, as often and as long as is decent, at instants that do not fall together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import Random
from typing import TypeVar

from exstream.clock import Clock
from exstream.errors import Busy, Unreachable

Given = TypeVar("Given")
LONGEST_EXPONENT = 30


@dataclass(frozen=True, slots=True)
class Patience:
    """How often something is asked, and for how long in all."""

    tries: int = 4
    seconds: float = 45.0
    first: float = 0.5
    """The longest pause after the first failure; it doubles with each further one."""
    longest: float = 15.0

    def pause(self, failures: int, chance: Random) -> float:
        """Return how long to wait after so many failures: anything between nothing and the longest, so that many who
        failed together do not come back together."""
        return chance.uniform(0.0, min(self.longest, self.first * 2 ** min(failures - 1, LONGEST_EXPONENT)))


ONCE = Patience(tries=1)


async def patiently(
    ask: Callable[[], Awaitable[Given]],
    patience: Patience,
    clock: Clock,
    chance: Random,
    *,
    final: tuple[type[Unreachable], ...] = (),
) -> Given:
    """Return what ``ask`` gives, asked again where it raises `Unreachable`, but not for one of ``final``.

    A server that names a time is asked then, or not at all where it is too late; everything else is raised at once.
    ``ask`` has to be something that changes nothing.
    """
    since = clock.air()
    failures = 0
    while True:
        try:
            return await ask()
        except final:
            raise
        except Unreachable as fault:
            failures += 1
            pause = patience.pause(failures, chance)
            if isinstance(fault, Busy) and fault.retry_after is not None:
                pause = fault.retry_after + chance.uniform(0.0, min(1.0, fault.retry_after / 10))
            if failures >= patience.tries or clock.air() - since + pause > patience.seconds:
                raise
        await clock.sleep(pause)


def retry_after(value: str, now_ms: int) -> float | None:
    """Return in how many seconds to ask again by a header ``Retry-After``, seconds or an HTTP date; None: neither."""
    text = value.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        instant = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
    return max(0.0, instant - now_ms / 1000)
