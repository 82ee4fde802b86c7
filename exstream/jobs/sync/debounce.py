"""Many notices of one thing become one reading of it. PURE: instants come from the caller, in seconds."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

QUIET_SECONDS = 10.0
LONGEST_SECONDS = 30.0

Thing = TypeVar("Thing", bound=Hashable)


@dataclass(slots=True)
class _Told:
    first: float
    last: float

    @property
    def due(self) -> float:
        return min(self.last + QUIET_SECONDS, self.first + LONGEST_SECONDS)


class Debounce(Generic[Thing]):
    """Things that were told of: each is due once it was quiet for `QUIET_SECONDS`, after `LONGEST_SECONDS` anyway."""

    def __init__(self) -> None:
        self._told: dict[Thing, _Told] = {}

    def tell(self, thing: Thing, at: float) -> None:
        """Note that ``thing`` was told of."""
        self._told.setdefault(thing, _Told(at, at)).last = at

    def take(self, at: float) -> list[Thing]:
        """Return what is due at ``at``, and forget it."""
        due = [thing for thing, told in self._told.items() if told.due <= at]
        for thing in due:
            del self._told[thing]
        return due

    @property
    def next_due(self) -> float:
        """Return when something will be due; infinity if there is nothing."""
        return min((told.due for told in self._told.values()), default=float("inf"))
