"""The ladder: what is tried next when a programme cannot go on, and after how long. Pure.

Downwards: the same again, a safer way, another copy of the title, filler, and at the bottom a card, from which the
programme is tried again after growing waits. Nothing is tried that cannot help, no file is opened more than three
times in thirty seconds, and the way back up leads over time alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exstream.model.programme import Way
from exstream.model.recovery import Failure, Setback, Step

_RANK = {step: rank for rank, step in enumerate(Step)}
_COPIED = frozenset({Way.COPY, Way.AUDIO})
_SUBSTITUTES = frozenset({Step.COPY, Step.FILLER})
_SAME_AGAIN = frozenset({Failure.KILLED, Failure.HUNG, Failure.OURS})
"""After these the same thing may well go right."""
_ENCODED_AGAIN = frozenset({Failure.BROKE, Failure.LATE})
"""After these an encoder that begins where the stream stands by now may go right: its key frame is its own."""
_OF_THE_MACHINE = frozenset({Failure.KILLED, Failure.HUNG, Failure.SILENT, Failure.SLOW})
"""What a machine with too much to do causes: something dearer would make it worse."""
_CARE_HELPS = _SAME_AGAIN | {Failure.REFUSED, Failure.BROKE, Failure.SILENT}
MOST_COPIES = 2
MOST_FILLERS = 3
"""How many of either may fail in one segment."""


@dataclass(frozen=True, slots=True)
class Move:
    """The next step, after ``wait`` seconds of a card."""

    step: Step
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """At most ``spawns`` encoders of one file in ``window`` seconds; waits grow up to ``longest`` seconds.

    ``behind_filler`` is how long filler airs before the programme is tried again; it doubles up to ten times that.
    """

    spawns: int = 3
    window: float = 30.0
    first_wait: float = 2.0
    longest: float = 30.0
    behind_filler: float = 30.0

    def after(self, setbacks: Sequence[Setback], now: int, *, cheaper: bool = True) -> Move:
        """Return what follows the last of ``setbacks``, all of one segment and in order; there is one at least.

        ``now`` is in the milliseconds of the setbacks; ``cheaper`` says that it can be encoded with less effort.
        """
        last = setbacks[-1]
        reached = max(_RANK[setback.step] for setback in setbacks)
        if last.failure is not Failure.MISSING and self._may_spawn(setbacks, last.location, now):
            for step in _helping(last, cheaper=cheaper):
                if _RANK[step] > reached:
                    return Move(step)
        if _copy_is_left(setbacks, reached):
            return Move(Step.COPY)
        if _filler_is_left(setbacks):
            return Move(Step.FILLER)
        return Move(Step.AGAIN, self._wait(setbacks, now))

    def behind(self, setbacks: Sequence[Setback], now: int) -> Move:
        """Return what follows a filler that has aired to its end: more filler, or the programme after a while."""
        own = _own(setbacks)
        tried = sum(setback.step is Step.AGAIN for setback in setbacks)
        patience = min(self.behind_filler * 2 ** min(tried, 16), 10 * self.behind_filler)
        due = own is None or now - own.at >= patience * 1_000
        if due and (own is None or self._may_spawn(setbacks, own.location, now)):
            return Move(Step.AGAIN)
        return Move(Step.FILLER)

    def _wait(self, setbacks: Sequence[Setback], now: int) -> float:
        tried = sum(setback.step is Step.AGAIN for setback in setbacks)
        wait = min(self.first_wait * float(2 ** min(tried, 16)), self.longest)
        own = _own(setbacks)
        spawned = [] if own is None else _spawned(setbacks, own.location)[-self.spawns :]
        if len(spawned) == self.spawns:
            wait = max(wait, self.window - (now - spawned[0]) / 1_000)
        return wait

    def _may_spawn(self, setbacks: Sequence[Setback], location: str, now: int) -> bool:
        since = now - self.window * 1_000
        return sum(spawned > since for spawned in _spawned(setbacks, location)) < self.spawns


def shows_unfit(setback: Setback) -> bool:
    """Tell whether an item that was sent as it is had better be encoded."""
    return setback.way in _COPIED and setback.failure not in _OF_THE_MACHINE


def _helping(last: Setback, *, cheaper: bool) -> Iterator[Step]:
    """Yield the steps with the same file that may mend what went wrong, downwards."""
    copied = last.way in _COPIED
    if last.failure in _SAME_AGAIN or (last.failure in _ENCODED_AGAIN and not copied):
        yield Step.RETRY
    if shows_unfit(last):
        yield Step.TRANSCODE
    if last.failure is Failure.SLOW and not copied and cheaper:
        yield Step.CHEAPER
    if last.failure in _CARE_HELPS and not copied:
        yield Step.CAREFUL


def _copy_is_left(setbacks: Sequence[Setback], reached: int) -> bool:
    if reached > _RANK[Step.COPY]:
        return False
    tried = [setback for setback in setbacks if setback.step is Step.COPY]
    return not tried or (bool(tried[-1].location) and len(tried) < MOST_COPIES)


def _filler_is_left(setbacks: Sequence[Setback]) -> bool:
    """Tell whether filler is worth a try: not right after one that failed, nor once there was none."""
    tried = [setback for setback in setbacks if setback.step is Step.FILLER]
    if not tried:
        return True
    return setbacks[-1] is not tried[-1] and bool(tried[-1].location) and len(tried) < MOST_FILLERS


def _own(setbacks: Sequence[Setback]) -> Setback | None:
    """Return the last setback of the planned item itself."""
    return next((each for each in reversed(setbacks) if each.step not in _SUBSTITUTES), None)


def _spawned(setbacks: Sequence[Setback], location: str) -> list[int]:
    return [setback.spawned for setback in setbacks if setback.spawned and setback.location == location]
