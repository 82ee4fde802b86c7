"""When an encoder is given up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from exstream.model.catalogue import Source
from exstream.model.grid import Span
from exstream.model.programme import Order, Segment, SegmentKind
from exstream.mpegts.intake import Intake
from exstream.playout.slot import Reception, Slot, State
from exstream.playout.watchdog import (
    FIRST_BYTES_SECONDS,
    FRUITLESS_SECONDS,
    SLOW_SECONDS,
    STALL_SECONDS,
    TURN_SECONDS,
    Watchdog,
)
from tests.material import SMALL

SPAN = Span(0, 1_000)
ORDER = Order(Source("/a.mkv", None), SPAN, 0, SMALL)


@dataclass
class Running:
    """A feed of an encoder that runs, or has ended."""

    returncode: int | None = None
    order: Order = ORDER
    fd: int = -1
    lost: str = ""

    def stderr(self) -> str:
        """Nothing."""
        return ""

    async def close(self) -> None:
        """Nothing to close."""


def a_slot(opened: float = 0.0, heard: float = 0.0, returncode: int | None = None) -> Slot:
    """Return a slot with a feed."""
    reception = Reception(Running(returncode), Intake(SMALL.rate, SPAN), opened, heard)
    return Slot(SPAN, Segment("one", SegmentKind.PROGRAMME, 0, 40_000, "a"), reception)


def verdicts(watchdog: Watchdog, slot: Slot, lead: float, *instants: float) -> list[str]:
    """Look at the slot whose turn it is at some instants; return the reasons to give it up."""
    return [reason for now in instants for _, reason in watchdog.look([slot], slot, lead, now)]


def test_one_that_is_waiting_is_given_up_when_it_has_failed() -> None:
    """An error status is a reason; a whole feed that waits in its pipe, or one that runs, is none."""
    dead, whole, running = a_slot(returncode=1), a_slot(returncode=0), a_slot()
    found = Watchdog(0.04).look([dead, whole, running], None, 2.5, 100.0)
    assert found == [(dead, "exit status 1")]
    dead.state = State.BROKEN
    assert Watchdog(0.04).look([dead], None, 2.5, 100.0) == []


def test_one_that_stops_writing_is_given_up_when_the_stock_shrinks() -> None:
    """While there is stock it may take its time; then two seconds without a byte are enough."""
    slot = a_slot(heard=100.0)
    assert verdicts(Watchdog(0.04), slot, 2.5, 100.0, 110.0) == []
    watchdog = Watchdog(0.04)
    assert verdicts(watchdog, slot, 0.9, 100.5, 100.0 + STALL_SECONDS) == []
    assert verdicts(watchdog, slot, 0.9, 100.3 + STALL_SECONDS) == ["hung"]


def test_one_that_never_wrote_has_the_time_from_its_start_on() -> None:
    """It is given up six seconds after it was started, but not before its pipe was read."""
    slot = a_slot(opened=90.0)
    late = 90.0 + FIRST_BYTES_SECONDS + 4
    watchdog = Watchdog(0.04)
    assert verdicts(watchdog, slot, 0.9, late, late + TURN_SECONDS) == []
    assert verdicts(watchdog, slot, 0.9, late + TURN_SECONDS + 0.1) == ["hung"]
    cold = Watchdog(0.04)
    assert verdicts(cold, a_slot(opened=90.0), 0.1, 90.1, 90.0 + FIRST_BYTES_SECONDS) == []


def test_one_whose_bytes_give_no_picture_is_given_up() -> None:
    """Bytes without a picture for ten seconds are no programme, though they keep coming."""
    slot, watchdog = a_slot(), Watchdog(0.04)
    assert slot.reception is not None
    reasons: list[str] = []
    for tenth in range(round(FRUITLESS_SECONDS * 10) + 2):
        now = slot.reception.heard = 100 + tenth / 10
        reasons += verdicts(watchdog, slot, 0.5, now)
    assert reasons == ["hung: no picture comes of its bytes"]


@pytest.mark.parametrize(("speed", "slow"), [(0.0, True), (0.6, True), (1.0, True), (1.2, False)])
def test_one_that_cannot_keep_up_is_given_up(speed: float, slow: bool) -> None:
    """Five seconds of a low lead with fewer pictures than the time takes are enough, whatever cards add to the lead."""
    slot, watchdog = a_slot(), Watchdog(0.04)
    assert slot.reception is not None
    slot.pictures = 50
    reasons: list[str] = []
    for quarter in range(round(SLOW_SECONDS * 4) + 2):
        now = slot.reception.heard = 100 + quarter / 4
        slot.pictures = 50 + round(speed * quarter / 4 * 25)
        reasons += verdicts(watchdog, slot, 0.8 + 0.06 * (quarter % 4), now)
    assert reasons == ["too slow for the clock"] * slow


def test_a_lead_that_dips_for_a_moment_is_no_fault() -> None:
    """One that recovers within five seconds has its time from the beginning again, as often as it does."""
    slot, watchdog = a_slot(), Watchdog(0.04)
    assert slot.reception is not None
    for quarter in range(100):
        now = slot.reception.heard = 100 + quarter / 4
        slot.pictures += 6
        assert verdicts(watchdog, slot, 0.9 if quarter % 16 else 1.5, now) == []
