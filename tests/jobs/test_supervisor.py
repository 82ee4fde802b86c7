"""Endless jobs are kept going."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from exstream.errors import StoreError
from exstream.jobs.supervisor import LONGEST_PAUSE, supervised

pytestmark = pytest.mark.anyio


class Moments:
    """A clock whose waits pass at once and are remembered."""

    shift_ms = 0

    def __init__(self) -> None:
        self.waits: list[float] = []

    def air(self) -> float:
        """Return air time."""
        return sum(self.waits)

    def now_ms(self) -> int:
        """Return schedule time."""
        return round(self.air() * 1000)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.waits.append(seconds)


@pytest.mark.parametrize(
    "fault", [StoreError("the disk is full"), ZeroDivisionError()], ids=["known", "unforeseen"]
)
async def test_a_job_that_fails_is_begun_again_ever_later(fault: Exception) -> None:
    """Whatever a job raises is reported, it runs again after growing pauses with a bound, and ends when it returns."""
    clock, runs = Moments(), []

    async def job() -> None:
        runs.append(clock.air())
        if len(runs) < 9:
            raise fault

    with capture_logs() as logs:
        await supervised("sweeping", job, clock)

    assert len(runs) == 9
    assert clock.waits == sorted(clock.waits)
    assert max(clock.waits) == LONGEST_PAUSE
    assert [entry["job"] for entry in logs] == ["sweeping"] * 8
