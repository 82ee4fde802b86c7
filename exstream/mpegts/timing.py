"""Where pictures and audio frames of channel time lie on the 90 kHz and 27 MHz clocks of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from exstream.model.grid import AUDIO_FRAME_TICKS, CLOCK_HZ, FEED_ORIGIN_SECONDS, PCR_HZ, Rate

MUX_DELAY_TICKS = CLOCK_HZ // 2
"""How far the PCR runs behind the decode time: ffmpeg's ``-muxdelay 0.5``."""
REORDER_PICTURES = 1
"""How many pictures the decode time runs ahead of the display, with B-frames and no pyramid."""
ORIGIN_TICKS = FEED_ORIGIN_SECONDS * CLOCK_HZ


def pcr_of(rate: Rate, decode: int) -> int:
    """Return the PCR (27 MHz since the epoch) with which the picture of decode slot ``decode`` begins to arrive."""
    return decode * PCR_HZ * rate.den // rate.num - MUX_DELAY_TICKS * 300


@dataclass(frozen=True, slots=True)
class Timebase:
    """Maps a feed's item-relative clock to channel time, snapping every stamp to the grid it belongs to."""

    rate: Rate
    first: int
    """The picture of channel time that the feed's origin is."""

    def picture(self, ticks: int) -> int:
        """Return the picture of channel time for a feed's video time stamp."""
        return self.first + self.rate.picture_near(ticks - ORIGIN_TICKS)

    def audio_frame(self, ticks: int) -> int:
        """Return the audio frame of channel time for a feed's audio time stamp."""
        num, den = self.rate.num, self.rate.den
        scaled = (ticks - ORIGIN_TICKS) * num + self.first * CLOCK_HZ * den
        return (2 * scaled + AUDIO_FRAME_TICKS * num) // (2 * AUDIO_FRAME_TICKS * num)

    def pcr(self, value: int) -> int:
        """Return a feed's PCR on channel time, exact where it belongs to a picture."""
        shift = self.first * PCR_HZ * self.rate.den // self.rate.num - ORIGIN_TICKS * 300
        moved = value + shift
        decode = self.rate.picture_near((moved + 150) // 300 + MUX_DELAY_TICKS)
        exact = pcr_of(self.rate, decode)
        return exact if abs(exact - moved) <= 300 else moved
