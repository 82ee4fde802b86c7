"""PCR accuracy (TR 101 290, 2.4), where bytes alone can tell: in a multiplex of constant rate.

At a constant rate a clock reference lies on the line between its neighbours, by its place in the stream. Where the
rate varies, as it does in what a channel sends, nothing can be said, and nothing is.
"""

from __future__ import annotations

from collections import deque

from exstream.mpegts.conformance.findings import Kind, Ledger

TOLERANCE = 13.5
"""27 MHz ticks: 500 ns."""
STEPS = 32
"""So many steps between references show whether the rate is constant."""
LOOK = 8
"""After so many more steps it is looked at again."""
SPREAD = 0.02
"""Steps of a constant rate differ by less than this part of their mean: packets are whole, and faults are small."""


class Multiplex:
    """The places and values of the last clock references."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._packet = 0
        self._count = 0
        self._constant = False
        self._rates: deque[float] = deque(maxlen=STEPS)
        self._steps: deque[tuple[int, int]] = deque(maxlen=2)
        self._errors: deque[tuple[float, int]] = deque(maxlen=3)

    def begin(self, packet: int) -> None:
        """Begin anew at a reference that does not continue the ones before."""
        self._packet = packet
        self._count = 0
        self._constant = False
        self._rates.clear()
        self._steps.clear()
        self._errors.clear()

    def take(self, step: int, packet: int) -> None:
        """Take a reference ``step`` ticks (27 MHz) after the last one, in ``packet``."""
        distance, self._packet = packet - self._packet, packet
        if distance <= 0:
            self.begin(packet)
            return
        self._rates.append(step / distance)
        self._count += 1
        self._steps.append((step, distance))
        if self._count >= STEPS and self._count % LOOK == 0:
            self._constant = self._is_constant()
            if not self._constant:
                self._errors.clear()
        if not self._constant:
            return
        (before, early), (after, late) = self._steps
        # Where the middle one of three references lies off the line between its neighbours.
        self._errors.append((before - (before + after) * early / (early + late), packet - distance))
        self._judge()

    def _is_constant(self) -> bool:
        rates = sorted(self._rates)
        # One reference that is off shows in two steps: it does not make the rate less constant.
        return rates[-3] - rates[2] <= SPREAD * rates[STEPS // 2]

    def _judge(self) -> None:
        """Tell of a reference that is further off than its neighbours, which its own error shows half as large."""
        if len(self._errors) < 3:
            return
        before, (error, packet), after = self._errors
        if abs(error) > TOLERANCE and abs(error) >= abs(before[0]) and abs(error) > abs(after[0]):
            self._ledger.note(
                Kind.PCR_ACCURACY,
                packet,
                f"a clock reference is {error / 27:.1f} µs off the constant byte rate",
            )
