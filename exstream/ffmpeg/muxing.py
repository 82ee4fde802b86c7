"""What every feed's command line has in common: how ffmpeg speaks, and the transport stream it writes. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from exstream.model.channel import Profile
from exstream.model.grid import FEED_ORIGIN_SECONDS

FIRST_PID = 0x100
"""The picture's PID; the sound's is the next one."""
QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-max_error_rate", "1")
"""However damaged a source is, it is filled to its planned end."""
TRANSPORT: Mapping[str, str | int | float] = MappingProxyType(
    {
        "format": "mpegts",
        "mpegts_start_pid": FIRST_PID,
        "mpegts_copyts": 1,
        "output_ts_offset": FEED_ORIGIN_SECONDS,
        "muxdelay": 0.5,
        "pcr_period": 20,
        "pes_payload_size": 0,  # a frame of sound a packet: sound never lags behind the picture it belongs to
        "flush_packets": 1,
    }
)


def dated(profile: Profile) -> dict[str, str]:
    """Return the options that give every picture a decode time of its own, where the splice has to move them.

    The muxer leaves it out where it equals the time of display, and then there is no room to write another.
    """
    return {"bsf:v": "setts=pts=PTS:dts=DTS-1"} if profile.reorder > 1 else {}
