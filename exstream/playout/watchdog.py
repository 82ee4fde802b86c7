"""Finds encoders that hang or are too slow, and waiting ones that have died."""

from __future__ import annotations

from collections.abc import Iterable

from exstream.model.grid import Rate
from exstream.playout.slot import Reception, Slot, State

FIRST_BYTES_SECONDS = 6.0
"""How long an encoder may take to its first bytes, once it is its turn."""
STALL_SECONDS = 2.0
STALL_LEAD = 1.0
"""In seconds: with more than that in hand nothing is urgent."""
FRUITLESS_SECONDS = 10.0
"""How long bytes may come without a picture that can go on air."""
SLOW_LEAD = 1.2
"""In seconds. A stream that cards have to top up has less than this in hand."""
SLOW_SECONDS = 5.0
SLOW_GAIN = 0.25
"""By how many seconds the lead has to grow in `SLOW_SECONDS` for an encoder to be given more time."""


class Watchdog:
    """Looks at one channel's running order, again and again. ``burst`` is how far the stream runs ahead, in seconds."""

    def __init__(self, rate: Rate, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._fruit: tuple[Slot | None, int, float] = None, 0, 0.0
        self._low: tuple[Slot | None, float, float] = None, 0.0, 0.0

    def look(
        self, slots: Iterable[Slot], current: Slot | None, lead: float, now: float
    ) -> list[tuple[Slot, str]]:
        """Return the slots to give up, and why. ``lead`` is how many seconds of pictures are out beyond ``now``."""
        found = []
        for slot in slots:
            if slot.reception is None or slot.state is not State.WAITING:
                continue
            if slot is current:
                reason = self._fault(slot, slot.reception, lead, now)
            else:
                returncode = slot.reception.feed.returncode
                reason = f"exit status {returncode}" if returncode else ""
            if reason:
                found.append((slot, reason))
        return found

    def _fault(self, slot: Slot, reception: Reception, lead: float, now: float) -> str:
        if self._is_slow(slot, lead, now):
            return "too slow for the clock"
        if lead >= STALL_LEAD or reception.ended:
            return ""
        turn = self._rate.ms_at(slot.span.first) / 1000 - self._burst
        patience = STALL_SECONDS if reception.heard else FIRST_BYTES_SECONDS
        if now - max(reception.heard, reception.opened, turn) > patience:
            return "hung"
        return "hung: no picture comes of its bytes" if self._is_fruitless(slot, turn, now) else ""

    def _is_fruitless(self, slot: Slot, turn: float, now: float) -> bool:
        watched, pictures, since = self._fruit
        if watched is not slot or pictures != slot.pictures:
            self._fruit = slot, slot.pictures, max(now, turn)
            return False
        return now - since > FRUITLESS_SECONDS

    def _is_slow(self, slot: Slot, lead: float, now: float) -> bool:
        """Tell whether the lead has been low for so long, and grows so little, that it will not recover."""
        watched, since, before = self._low
        if lead >= SLOW_LEAD or not slot.pictures:
            self._low = None, 0.0, 0.0
        elif watched is not slot or (now - since > SLOW_SECONDS and lead - before >= SLOW_GAIN):
            self._low = slot, now, lead
        else:
            return now - since > SLOW_SECONDS
        return False
