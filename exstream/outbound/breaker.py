"""When a server that does not answer may be asked again. Pure: the time comes from outside."""

from __future__ import annotations

from enum import StrEnum

FAILURES = 3
"""So many in a row, and nobody is asked any more."""
REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 60.0
REFUSED_REST_SECONDS = 60.0
"""How often a server that does not accept the token is asked at most."""


class BreakerState(StrEnum):
    """CLOSED: all may ask. OPEN: nobody. HALF_OPEN: one asks for all."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Opens after ``failures`` in a row; then one probe at a time, ever more rarely, until one is answered."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        rest: float = REST_SECONDS,
        longest: float = LONGEST_REST_SECONDS,
        refused_rest: float = REFUSED_REST_SECONDS,
    ) -> None:
        self._limit = failures
        self._first_rest = rest
        self._longest = longest
        self._refused_rest = refused_rest
        self._in_a_row = 0
        self._rest = rest
        self._until = 0.0
        self._open = False
        self._probing = False
        self._refused = False

    @property
    def state(self) -> BreakerState:
        """Return whether one may ask."""
        if not self._open:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._probing else BreakerState.OPEN

    @property
    def refused(self) -> bool:
        """Whether it is open because the server does not accept the token."""
        return self._refused

    def admit(self, now: float) -> float:
        """Return 0 where the caller may ask now, else in how many seconds somebody may.

        Of an open breaker whose rest is over, the first caller is the probe. A probe that never reports is forgotten
        after another rest.
        """
        if not self._open:
            return 0.0
        if now < self._until:
            return self._until - now
        self._probing = True
        self._until = now + self._rest
        return 0.0

    def answered(self) -> None:
        """Note an answer: all may ask again."""
        self._in_a_row = 0
        self._rest = self._first_rest
        self._open = self._probing = self._refused = False

    def failed(self, now: float) -> None:
        """Note that nobody answered at ``now``."""
        self._in_a_row += 1
        probed, self._probing = self._probing, False
        if self._refused or self._in_a_row < self._limit:
            return
        if self._open and not probed:
            return  # asked before it opened: no news
        if probed:
            self._rest = min(self._longest, self._rest * 2)
        self._open = True
        self._until = now + self._rest

    def refuse(self, now: float) -> None:
        """Note that the server does not accept the token: it is asked once in a while, to see whether it does now."""
        self._probing = False
        self._open = self._refused = True
        self._rest = self._refused_rest
        self._until = now + self._rest
