"""When a failed feed is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exstream.playout.restart import RestartPolicy


@given(st.integers(1, 10_000))
def test_the_first_retry_is_at_once_and_later_ones_wait_ever_longer_within_bounds(failures: int) -> None:
    """The wait never shrinks as failures go on, and never exceeds the longest."""
    policy = RestartPolicy()

    assert policy.delay(1) == 0
    assert policy.delay(failures) <= policy.delay(failures + 1) <= policy.longest
