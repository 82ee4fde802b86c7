"""Finds encoders that hang or are too slow, and waiting ones that have died."""

from __future__ import annotations

from collections.abc import Iterable

from exstream.playout.slot import Reception, Slot, State

FIRST_BYTES_SECONDS = 6.0
"""How long an encoder may take to its first bytes."""
TURN_SECONDS = 1.0
"""How long the pump has to read what is waiting for it, once it is a feed's turn."""
STALL_SECONDS = 2.0
STALL_LEAD = 1.0
"""In seconds: with more than that in hand nothing is urgent."""
FRUITLESS_SECONDS = 10.0
"""How long bytes may come without a picture that can go on air."""
SLOW_LEAD = 1.2
"""In seconds. A stream that cards have to top up has less than this in hand."""
SLOW_SECONDS = 5.0
LEAST_SPEED = 1.05
"""How many seconds of pictures in a second an encoder has to give to be left more time while the lead is low."""


class Watchdog:
    """Looks at one channel's running order, again and again. ``picture`` is the length of one in seconds."""

    def __init__(self, picture: float) -> None:
        self._picture = picture
        self._turn: tuple[Slot | None, float] = None, 0.0
        self._fruit: tuple[Slot | None, int, float] = None, 0, 0.0
        self._low: tuple[Slot | None, float, int] = None, 0.0, 0

    def look(
        self, slots: Iterable[Slot], current: Slot | None, lead: float, now: float
    ) -> list[tuple[Slot, str]]:
        """Return the slots to give up, and why. ``lead`` is how many seconds of pictures are out beyond ``now``."""
        if self._turn[0] is not current:
            self._turn = current, now
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
        # It was started before its turn and has had that time as well.
        patience = STALL_SECONDS if reception.heard else FIRST_BYTES_SECONDS
        if now - max(reception.heard, reception.opened) > patience and now - self._turn[1] > TURN_SECONDS:
            return "hung"
        return "hung: no picture comes of its bytes" if self._is_fruitless(slot, now) else ""

    def _is_fruitless(self, slot: Slot, now: float) -> bool:
        watched, pictures, since = self._fruit
        if watched is not slot or pictures != slot.pictures:
            self._fruit = slot, slot.pictures, now
            return False
        return now - since > FRUITLESS_SECONDS

    def _is_slow(self, slot: Slot, lead: float, now: float) -> bool:
        """Tell whether the lead has been low for so long, though nothing held the encoder back."""
        watched, since, before = self._low
        if lead >= SLOW_LEAD or not slot.pictures:
            self._low = None, 0.0, 0
            return False
        if watched is not slot:
            self._low = slot, now, slot.pictures
            return False
        if now - since <= SLOW_SECONDS:
            return False
        if (slot.pictures - before) * self._picture >= LEAST_SPEED * (now - since):
            self._low = slot, now, slot.pictures
            return False
        return True
