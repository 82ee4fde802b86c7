"""Sound that is sent as it is: its frames are moved onto the channel's audio grid, all by the same part of a frame."""

from __future__ import annotations

from exstream.model.grid import AUDIO_FRAME_TICKS, CLOCK_HZ
from exstream.mpegts.timing import ORIGIN_TICKS, Timebase

_LONGEST_HEADER = 7


class SoundGrid:
    """Places the PES packets of one feed's sound. ``end`` is the audio frame at which the feed's span ends.

    With ``snap`` the first packet is moved to the nearest frame and the others by as much; without it each lies on the
    grid already, to the rounding of its stamp.
    """

    def __init__(self, time: Timebase, end: int, *, snap: bool) -> None:
        self._time = time
        self._end = end
        self._snap = snap
        self._phase: int | None = None
        self._next: int | None = None
        self.over = False
        """A packet from behind the end has come: there are no more before it."""

    def place(self, ticks: int, count: int) -> int | None:
        """Return the audio frame of channel time at which a packet of ``count`` frames begins.

        None: it lies behind the end, or on frames that came before; it must not go on air.
        """
        frame = self._frame(ticks)
        self.over = self.over or frame >= self._end
        if self.over or (self._snap and self._next is not None and frame < self._next):
            return None
        self._next = frame + count
        return frame

    def _frame(self, ticks: int) -> int:
        num, den = self._time.rate.num, self._time.rate.den
        unit = AUDIO_FRAME_TICKS * num
        exact = (ticks - ORIGIN_TICKS) * num + self._time.first * CLOCK_HZ * den
        if self._phase is None:
            self._phase = exact - (2 * exact + unit) // (2 * unit) * unit if self._snap else 0
        return (2 * (exact - self._phase) + unit) // (2 * unit)


def frames_of(payload: bytes | memoryview, length: int) -> int:
    """Return how many ADTS frames a PES packet of ``length`` bytes has; ``payload`` are the first of them.

    Our feeds put several frames into one packet only where all their headers lie in its first transport packet.
    """
    count = position = 0
    while position + _LONGEST_HEADER <= len(payload) and position < length:
        size = (payload[position + 3] & 3) << 11 | payload[position + 4] << 3 | payload[position + 5] >> 5
        if payload[position] != 0xFF or size < _LONGEST_HEADER:
            break
        count += 1
        position += size
    return max(count, 1)
