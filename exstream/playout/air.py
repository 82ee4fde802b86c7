"""One channel's stream as the pump sees it: reads the feed whose turn it is, and covers where there is none.

Runs in the pump's thread. The player hands it slots and takes back the ones that are over; both go through deques,
so that neither side waits for the other.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

from exstream.model.grid import Rate
from exstream.model.programme import OFF_AIR
from exstream.mpegts.card import Card
from exstream.mpegts.intake import Intake
from exstream.mpegts.packets import PACKET
from exstream.mpegts.splice import Spliced, Splicer
from exstream.mpegts.timing import MUX_DELAY_TICKS
from exstream.playout.cards import Cards
from exstream.playout.slot import Reception, Slot, State

MUX_DELAY = MUX_DELAY_TICKS / 90_000
LOW = 0.8
"""A lead below this many seconds is topped up with a card: viewers that play at once still have pictures."""
TOP_UP = 0.2
SETTLED = 1.5
"""From this lead on a start is over."""
PATIENCE = 1.5
"""How long a start may take before a card is shown, in seconds."""
LATEST = 2.0
"""How far a start may be behind the clock before a card takes it back into step, in seconds."""
REMNANT_MS = 2_000
"""When a copied item ends by so much before its time, black follows; more is a failure."""
ENDED_EARLY = "ended early"
TOO_LATE = "too late for its last key frame"
"""Why slots break."""
READ_BYTES = 1_394 * PACKET
"""What a pipe holds, in whole packets: a part of one would have all that follows copied."""
HELD_BYTES = 8 << 20
"""How much of a late feed is kept while its key frame waits for its time."""


class Air:
    """A channel on air from picture ``start`` on. ``burst`` is how far the PCR runs ahead of air time, in seconds."""

    def __init__(self, splicer: Splicer, rate: Rate, cards: Cards, burst: float, started: float) -> None:
        self._splicer = splicer
        self._rate = rate
        self._cards = cards
        self._ahead = burst + MUX_DELAY
        self._slots: list[Slot] = []
        self._orders: deque[Callable[[], None]] = deque()
        self._settled = False
        self._latest = LATEST + max(0.0, started - splicer.seconds)
        self._remnant = rate.picture_at(REMNANT_MS)
        self._progress = started
        self._out: list[Spliced] = []
        self.over: deque[Slot] = deque()
        """Slots that are no longer on the running order, for the player to close."""
        self.card_pictures = 0
        self.programme_at = 0.0
        """Air time at which the first picture of a programme went out; 0 before."""
        self.share = 0
        """How many bytes it may read in a tick; the pump says so."""
        self.stinted = False
        """It stopped at its share though there may be more to read."""
        self.behind = True
        """Something was due at its last tick that it could not put out."""
        self.missed = False
        """A card was shown before the first picture of a programme."""

    @property
    def picture(self) -> int:
        """The next picture to put on air."""
        return self._splicer.picture

    def lead(self, now: float) -> float:
        """Return how many seconds of pictures are out beyond ``now``."""
        return self._splicer.seconds - now

    def put(self, slot: Slot) -> None:
        """Take ``slot`` onto the running order at the next tick. Safe from any thread."""
        self._orders.append(lambda: self._put(slot))

    def drop(self, slot: Slot, reason: str) -> None:
        """Take ``slot`` off the running order at the next tick, as broken. Safe from any thread."""
        self._orders.append(lambda: self._break(slot, reason))

    def clear(self, cleared: Callable[[int], None]) -> None:
        """Take every slot off the running order, then tell ``cleared`` the next picture. Safe from any thread."""
        self._orders.append(lambda: self._clear(cleared))

    def tick(self, now: float) -> list[Spliced]:
        """Put on air what is due; return it."""
        out = self._out
        self.stinted, self.behind = False, True
        while self._orders:
            self._orders.popleft()()
        limit = self._rate.picture_at(round((now + self._ahead) * 1000))
        while (slot := self._current()) is not None and self.picture < limit:
            if slot.reception is None:
                # Off air where the guide says so; a gap before the next programme is no such thing.
                card = self._cards.off_air if slot.segment.title == OFF_AIR else self._cards.starting
                self._cover(out, min(limit, slot.span.end), card)
            elif not self._read(slot, slot.reception, limit, now, out):
                break
        self._keep_lead(now, out)
        self.behind = self.picture < limit
        self._out = []
        return out

    def fail(self, reason: str) -> None:
        """Give up what is on the air now, after a fault of ours; what it has put out is kept for the next tick."""
        current = self.current()
        if current is not None:
            self._break(current, reason)

    def hungry(self, now: float) -> int | None:
        """Return the pipe to watch because the next bytes are urgent, or None."""
        if self.lead(now) >= LOW:
            return None
        slot = self._current()
        reception = slot.reception if slot is not None else None
        return reception.feed.fd if reception is not None and not reception.ended else None

    def current(self) -> Slot | None:
        """Return the slot whose turn it is. Safe from any thread."""
        slots = self._slots
        return slots[0] if slots and (slots[0].span.first <= self.picture or slots[0].joined) else None

    def _current(self) -> Slot | None:
        """Retire the slots that lie behind, then return the one whose turn it is."""
        while self._slots and self._slots[0].span.end <= self.picture:
            self._retire(self._slots[0], State.AIRED)
        return self.current()

    def _put(self, slot: Slot) -> None:
        # A new list: the player reads the running order from its own thread.
        self._slots = sorted([*self._slots, slot], key=lambda slot: slot.span.first)

    def _break(self, slot: Slot, reason: str) -> None:
        if slot in self._slots:
            slot.reason = reason
            self._retire(slot, State.BROKEN)

    def _clear(self, cleared: Callable[[int], None]) -> None:
        for slot in self._slots:
            self._retire(slot, State.DROPPED)
        cleared(self.picture)

    def _retire(self, slot: Slot, state: State) -> None:
        slot.state = state
        self._slots = [other for other in self._slots if other is not slot]
        self.over.append(slot)

    def _read(self, slot: Slot, reception: Reception, limit: int, now: float, out: list[Spliced]) -> bool:
        """Splice what the feed gives; return whether the slot is over."""
        budget = self.share
        while self.picture < min(limit, slot.span.end):
            if self._splice(slot, reception, limit, now, out):
                continue
            if reception.intake.finished and slot.span.end - self.picture <= self._remnant:
                before = self.picture
                self._cover(out, min(limit, slot.span.end), self._cards.black)
                slot.pictures += self.picture - before
                continue
            if reception.over:
                self._break(slot, reception.intake.fault or self._why_over(reception.intake))
                return True
            if reception.ended:
                return False
            if reception.intake.held > HELD_BYTES:
                return False
            if budget <= 0:
                self.stinted = True
                return False
            try:
                data = os.read(reception.feed.fd, min(READ_BYTES, budget))
            except BlockingIOError:
                return False
            if data:
                reception.heard = now
                budget -= len(data)
                reception.intake.feed(data)
            else:
                reception.ended = True
        return self.picture >= slot.span.end

    def _why_over(self, intake: Intake) -> str:
        """Say why a feed that has nothing more to give did not fill its span."""
        return TOO_LATE if intake.came_late_for(self.picture) else ENDED_EARLY

    def _splice(self, slot: Slot, reception: Reception, limit: int, now: float, out: list[Spliced]) -> bool:
        before, cards = self.picture, self._splicer.card_pictures
        spliced = self._splicer.take(reception.intake, limit, self._card(), ended=reception.whole)
        if spliced is None:
            return False
        out.append(spliced)
        cards = self._splicer.card_pictures - cards
        self.card_pictures += cards
        slot.pictures += max(0, self.picture - before - cards)
        self._progress = now
        if not self.programme_at:
            self.programme_at = now
            self._latest = max(LATEST, LATEST - self.lead(now))
        return True

    def _keep_lead(self, now: float, out: list[Spliced]) -> None:
        """Cover with a card before viewers run dry."""
        lead = self.lead(now)
        if lead >= SETTLED:
            self._settled = True
        late = now - self._progress > PATIENCE or lead < -self._latest
        if lead < LOW if self._settled else late:
            self._settled = True
            until = self._rate.picture_at(round((now + LOW + TOP_UP) * 1000))
            current = self.current()
            ends = self._slots[0].span.first if self._slots and current is None else until
            self._cover(out, min(until, max(ends, self.picture)))

    def _card(self) -> Card:
        return self._cards.trouble if self.programme_at else self._cards.starting

    def _cover(self, out: list[Spliced], until: int, planned: Card | None = None) -> None:
        count = until - self.picture
        if count <= 0:
            return
        if planned is None:
            self.card_pictures += count
            self.missed = self.missed or not self.programme_at
        out.append(self._splicer.cover(planned or self._card(), until))
