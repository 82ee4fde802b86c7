"""Clock references: how often they come, whether they step, and the stream time that everything is judged by."""

from __future__ import annotations

from exstream.model.grid import PCR_HZ
from exstream.mpegts.conformance.findings import Kind, Ledger
from exstream.mpegts.conformance.multiplex import Multiplex
from exstream.mpegts.packets import PCR_WRAP, PTS_WRAP

LONGEST_STEP = PCR_HZ * 40 // 1000
"""TR 101 290, 2.3a."""
LARGEST_JUMP = PCR_HZ * 100 // 1000
"""TR 101 290, 2.3b."""


def signed(difference: int, wrap: int = PTS_WRAP) -> int:
    """Return the difference of two stamps that wrap, the short way round."""
    difference %= wrap
    return difference - wrap if difference >= wrap // 2 else difference


class References:
    """The programme clock as the stream tells it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._multiplex = Multiplex(ledger)
        self._last: int | None = None
        self._heard = False
        self._step = 0
        self._elapsed = 0
        self.jitter = 0.0
        """How unlike one step is the step before it, in seconds: a mean that fades over 16 steps (as RFC 3550's)."""
        self.longest = 0.0
        """The longest step so far that is no jump, in seconds."""

    @property
    def ticks(self) -> int | None:
        """The last reference in 90 kHz ticks modulo 2^33; None before the first one."""
        return None if self._last is None else self._last // 300

    @property
    def elapsed(self) -> float:
        """Seconds of stream since the first reference; jumps do not count."""
        return self._elapsed / PCR_HZ

    def begin(self) -> None:
        """Begin anew with the next reference: another PID has the clock now."""
        self._last = None

    def finish(self, packet: int) -> None:
        """Tell when there was no clock in the whole stream."""
        if not self._heard:
            self._ledger.note(Kind.PCR_REPETITION, packet, "the stream has no clock reference")

    def take(self, value: int, packet: int, *, announced: bool) -> None:
        """Take a PCR (27 MHz); ``announced`` says that the discontinuity indicator stands beside it."""
        last, self._last = self._last, value
        self._heard = True
        if last is None or announced:
            self._multiplex.begin(packet)
            self._step = 0
            return
        step = signed(value - last, PCR_WRAP)
        if not 0 < step <= LARGEST_JUMP:
            self._ledger.note(
                Kind.PCR_DISCONTINUITY,
                packet,
                f"the clock reference steps by {step / 27_000:.1f} ms without a discontinuity indicator",
            )
            self._multiplex.begin(packet)
            self._step = 0
            return
        self._elapsed += step
        self._ledger.seconds = self.elapsed
        self._multiplex.take(step, packet)
        self._judge(step, packet)

    def _judge(self, step: int, packet: int) -> None:
        if step > LONGEST_STEP:
            self._ledger.note(
                Kind.PCR_REPETITION, packet, f"{step / 27_000:.1f} ms between two clock references"
            )
        if self._step:
            self.jitter += (abs(step - self._step) / PCR_HZ - self.jitter) / 16
        self._step = step
        self.longest = max(self.longest, step / PCR_HZ)
