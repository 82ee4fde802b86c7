"""Where pictures and audio frames of channel time lie on the 90 kHz and 27 MHz clocks of a stream."""

from __future__ import annotations

from dataclasses import dataclass

from exstream.model.grid import CLOCK_HZ, FEED_ORIGIN_SECONDS, PCR_HZ, Rate

MUX_DELAY_TICKS = CLOCK_HZ // 2
"""How far the PCR runs behind the decode time: ffmpeg's ``-muxdelay 0.5``."""
ORIGIN_TICKS = FEED_ORIGIN_SECONDS * CLOCK_HZ


def pcr_of(rate: Rate, decode: int) -> int:
    """Return the PCR (27 MHz since the epoch) with which the picture of decode slot ``decode`` begins to arrive."""
    return decode * PCR_HZ * rate.den // rate.num - MUX_DELAY_TICKS * 300


@dataclass(frozen=True, slots=True)
class Timebase:
    """Maps a feed's item-relative clock to channel time."""

    rate: Rate
    first: int
    """The picture of channel time that the feed's origin is."""

    def picture(self, ticks: int) -> int:
        """Return the picture of channel time nearest to a feed's video time stamp."""
        return self.first + self.rate.picture_near(ticks - ORIGIN_TICKS)
