"""Cards: a few seconds of pictures and one frame of silence, encoded once and put on air as bytes."""

from __future__ import annotations

from dataclasses import dataclass

from exstream.model.grid import AUDIO_FRAME_TICKS, Rate
from exstream.mpegts.block import Block, Key
from exstream.mpegts.elementary import access_units, adts_frames, is_idr
from exstream.mpegts.packets import AUDIO_PID, VIDEO_PID, packetise, pes_packet
from exstream.mpegts.timing import pcr_of

VIDEO_STREAM = 0xE0
AUDIO_STREAM = 0xC0


@dataclass(frozen=True, slots=True)
class Card:
    """A looped picture without reordered frames, and silence.

    ``units`` are H.264 access units, the first an IDR; ``silence`` is one ADTS frame.
    """

    units: tuple[bytes, ...]
    silence: bytes

    @classmethod
    def of(cls, annexb: bytes, silence: bytes) -> Card:
        """Read a card's two elementary streams; raises ValueError where they are not what a card needs."""
        units, frames = access_units(annexb), adts_frames(silence)
        if not is_idr(units[0]):
            raise ValueError("the card does not start with a key frame")
        if not frames:
            raise ValueError("the silence is not an ADTS frame")
        return cls(units, frames[-1])

    def picture(self, rate: Rate, picture: int, since: int, reorder: int) -> Block:
        """Return the card's picture for ``picture`` of channel time in a run that began at picture ``since``.

        It is decoded ``reorder`` pictures before it is shown.
        """
        unit = self.units[(picture - since) % len(self.units)]
        key = is_idr(unit)
        decode = picture - reorder
        pcr = pcr_of(rate, decode)
        pes = pes_packet(VIDEO_STREAM, unit, rate.ticks_at(picture), rate.ticks_at(decode))
        packets = packetise(VIDEO_PID, pes, pcr=pcr, random_access=key)
        return Block(packets, [Key(0, picture)] if key else [], [(0, pcr)])

    def quiet(self, frame: int) -> Block:
        """Return silence for audio frame ``frame`` of channel time."""
        pes = pes_packet(AUDIO_STREAM, self.silence, frame * AUDIO_FRAME_TICKS)
        return Block(packetise(AUDIO_PID, pes, random_access=True))
