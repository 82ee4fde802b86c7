"""When a server that does not answer is asked again."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exstream.outbound import Breaker
from exstream.outbound.breaker import BreakerState


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker(failures=3, rest=5.0, longest=20.0, refused_rest=60.0)
    for _ in range(3):
        assert breaker.admit(now) == 0.0
        breaker.failed(now)
    return breaker


def test_three_failures_in_a_row_open_it() -> None:
    """Two do not, nor do more with an answer between them; the third one in a row does."""
    breaker = Breaker(failures=3)
    for _ in range(5):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.answered()
    assert breaker.state is BreakerState.CLOSED
    assert opened().state is BreakerState.OPEN
    assert opened().admit(1.0) == 4.0


def test_one_asks_for_all() -> None:
    """After the rest one caller is let through, the next ones wait for what it finds; an answer lets all through."""
    breaker = opened()
    assert breaker.admit(5.0) == 0.0
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.admit(5.0) == 5.0
    breaker.answered()
    assert [breaker.admit(5.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_probes_become_rarer_up_to_a_limit() -> None:
    """Each probe that fails doubles the rest, up to the longest; an answer makes it short again."""
    breaker, now, rests = opened(), 0.0, []
    for _ in range(5):
        rest = breaker.admit(now)
        rests.append(rest)
        now += rest
        assert breaker.admit(now) == 0.0
        breaker.failed(now)
    assert rests == [5.0, 10.0, 20.0, 20.0, 20.0]
    breaker.answered()
    for _ in range(3):
        breaker.failed(now)
    assert breaker.admit(now) == 5.0


def test_a_probe_that_never_reports_blocks_nobody() -> None:
    """Whoever was to ask for all and was cancelled is forgotten after another rest."""
    breaker = opened()
    assert breaker.admit(5.0) == 0.0
    assert breaker.admit(9.0) > 0
    assert breaker.admit(10.0) == 0.0


def test_late_failures_of_before_do_not_prolong_the_rest() -> None:
    """Questions that were on their way when it opened fail without moving the probe."""
    breaker = opened()
    breaker.failed(4.0)
    assert breaker.admit(5.0) == 0.0


@given(st.lists(st.floats(0.1, 30.0), min_size=1, max_size=60))
def test_a_refused_token_is_tried_once_a_minute_at_most(pauses: list[float]) -> None:
    """However often somebody wants to ask, the server that refuses the token is asked once a minute."""
    breaker, now, asked = Breaker(refused_rest=60.0), 0.0, []
    for pause in pauses:
        if breaker.admit(now) == 0.0:
            asked.append(now)
            breaker.refuse(now)
        assert breaker.refused
        now += pause
    assert all(later - earlier >= 60.0 for earlier, later in pairwise(asked))
