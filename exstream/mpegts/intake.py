"""One feed on its way into the splice: its packets on channel time, released picture by picture.

A picture is released when no picture before it in display order is missing: whatever happens to the encoder next, the
stream so far ends with a picture and can go on with any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from exstream.model.grid import AUDIO_FRAME_TICKS, Rate, Span
from exstream.mpegts.block import Block, Key
from exstream.mpegts.elementary import adts_frames
from exstream.mpegts.packets import (
    AUDIO_PID,
    PACKET,
    VIDEO_PID,
    Headers,
    Packets,
    aligned,
    pcr_field,
    read_pcr,
    read_stamp,
    stamp,
)
from exstream.mpegts.timing import Timebase


class Start(NamedTuple):
    """The first packet of a PES packet: its row, its picture or audio frame, and whether it is a key frame."""

    row: int
    unit: int
    key: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole pictures and whole audio PES packets, ready for the outlet.

    ``picture`` is the first picture after it in display order. ``audio`` is the audio frame it starts with, or None
    without audio; ``audio_end`` the frame after its last one.
    """

    block: Block
    picture: int
    audio: int | None
    audio_end: int


class Intake:
    """Reads a feed's bytes; it begins with its first picture, or with a later key frame where it comes late."""

    def __init__(self, rate: Rate, span: Span) -> None:
        self.span = span
        self._rate = rate
        self._time = Timebase(rate, span.first)
        self._rest = b""
        self._packets: Packets = np.empty((0, PACKET), dtype=np.uint8)
        self._video: list[Start] = []
        self._audio: list[Start] = []
        self._clock: list[tuple[int, int]] = []
        self._next: int | None = None
        self._audio_from = 0

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the pipe."""
        packets, self._rest = aligned(self._rest + data)
        headers = Headers.of(packets)
        wanted = (headers.pid == VIDEO_PID) | (headers.pid == AUDIO_PID)
        if not wanted.all():
            packets = packets[wanted]
            headers = Headers.of(packets)
        if not len(packets):
            return
        offset = len(self._packets)
        self._restamp(packets, headers, offset)
        self._packets = np.concatenate([self._packets, packets]) if offset else packets

    def _restamp(self, packets: Packets, headers: Headers, offset: int) -> None:
        """Move every stamp in ``packets`` to channel time, in place, and note what starts where."""
        for row in np.flatnonzero(headers.starts | headers.has_pcr):
            packet = packets[row]
            field = int(headers.adaptation[row])
            if headers.has_pcr[row]:
                value = self._time.pcr(read_pcr(packet[6:12].tobytes()))
                packet[6:12] = np.frombuffer(pcr_field(value), dtype=np.uint8)
                self._clock.append((offset + int(row), value))
            if field > 1:
                packet[5] &= 0x7F
            if not headers.starts[row]:
                continue
            pes = 4 + field
            ticks = read_stamp(packet[pes + 9 : pes + 14].tobytes())
            if headers.pid[row] == AUDIO_PID:
                frame = self._time.audio_frame(ticks)
                _write(packet, pes + 9, 2, frame * AUDIO_FRAME_TICKS)
                self._audio.append(Start(offset + int(row), frame, key=True))
            else:
                picture = self._time.picture(ticks)
                self._video.append(Start(offset + int(row), picture, bool(headers.random_access[row])))
                self._stamp_picture(packet, pes, picture)

    def _stamp_picture(self, packet: Packets, pes: int, picture: int) -> None:
        both = bool(packet[pes + 7] & 0x40)
        _write(packet, pes + 9, 3 if both else 2, self._rate.ticks_at(picture))
        if both:
            decode = self._time.picture(read_stamp(packet[pes + 14 : pes + 19].tobytes()))
            _write(packet, pes + 14, 1, self._rate.ticks_at(decode))

    @property
    def held(self) -> int:
        """How many bytes wait here."""
        return self._packets.size

    @property
    def joined(self) -> bool:
        """Whether the feed is on air."""
        return self._next is not None

    def behind(self, picture: int) -> bool:
        """Tell whether the feed was on air and ``picture`` has gone on without it: it must join anew."""
        return self._next is not None and self._next < picture

    def key_from(self, picture: int) -> int | None:
        """Return the first key frame here from ``picture`` on, or None; what lies before it is of no more use."""
        start = next((start for start in self._video if start.key and start.unit >= picture), None)
        if start is not None:
            self._drop(start.row)
            return start.unit
        if self._video:
            self._drop(self._video[-1].row)
        return None

    def join(self, key: int, audio: int) -> None:
        """Begin with the key frame that `key_from` found, and with the first whole audio packet from ``audio`` on."""
        self._next = key
        self._audio_from = audio

    def leave(self) -> None:
        """Take back `join`: the feed is off air until it joins again."""
        self._next = None

    def take(self, limit: int, *, ended: bool = False) -> Stretch | None:
        """Release what is whole before picture ``limit``; ``ended`` says that the encoder has written its last byte."""
        if self._next is None:
            return None
        row, picture = self._whole(self._next, limit, ended=ended)
        if row == 0:
            return None
        if self._audio and self._audio[0].unit < self._audio_from:
            row -= self._drop_audio(row)
        audio = [start for start in self._audio if start.row < row]
        block = Block(
            self._packets[:row],
            [Key(start.row, start.unit) for start in self._video if start.row < row and start.key],
            [entry for entry in self._clock if entry[0] < row],
        )
        end = self._audio_end(audio[-1], row) if audio else 0
        self._drop(row)
        self._next = picture
        return Stretch(block, picture, audio[0].unit if audio else None, end)

    def _whole(self, first: int, limit: int, *, ended: bool) -> tuple[int, int]:
        """Return the row up to which everything is whole and the picture after it; row 0 when nothing is."""
        row, after, highest = 0, first, first - 1
        for count, start in enumerate(self._video):
            if count and highest - first + 1 == count:
                row, after = start.row, highest + 1
                if after >= limit:
                    return row, after
            highest = max(highest, start.unit)
        if ended and highest + 1 == self.span.end == first + len(self._video) and self._sound_is_whole():
            return len(self._packets), highest + 1
        return row, after

    def _sound_is_whole(self) -> bool:
        """Tell whether the last thing in an ended feed is its last audio frame: then nothing before it is cut off."""
        end = self._rate.audio_frame_at(self.span.end)
        if end == self._rate.audio_frame_at(self.span.first):
            return True  # it is too short to own one
        last = self._audio[-1] if self._audio else None
        if last is None or last.row < self._video[-1].row:
            return False
        return self._audio_end(last, len(self._packets)) == end

    def _audio_end(self, last: Start, row: int) -> int:
        """Return the audio frame that follows the PES packet ``last``, by counting the frames in it."""
        payload = []
        headers = Headers.of(self._packets[last.row : row])
        for index in np.flatnonzero((headers.pid == AUDIO_PID) & headers.payload):
            packet = self._packets[last.row + index]
            begin = 4 + int(headers.adaptation[index])
            if headers.starts[index]:
                begin += 9 + int(packet[begin + 8])
            payload.append(packet[begin:].tobytes())
        return last.unit + len(adts_frames(b"".join(payload)))

    def _drop_audio(self, row: int) -> int:
        """Take out the audio packets before ``audio_from``; return how many of the first ``row`` rows went."""
        edges = [start.row for start in self._audio[1:]] + [len(self._packets)]
        late = np.zeros(len(self._packets), dtype=np.bool_)
        for start, edge in zip(self._audio, edges, strict=True):
            if start.unit < self._audio_from:
                late[start.row : edge] = True
        late &= Headers.of(self._packets).pid == AUDIO_PID
        gone = np.concatenate([[0], np.cumsum(late)])
        self._packets = self._packets[~late]
        self._video = [
            Start(start.row - int(gone[start.row]), start.unit, start.key) for start in self._video
        ]
        self._audio = [
            Start(start.row - int(gone[start.row]), start.unit, start.key)
            for start in self._audio
            if start.unit >= self._audio_from
        ]
        self._clock = [(at - int(gone[at]), value) for at, value in self._clock]
        return int(gone[row])

    def _drop(self, row: int) -> None:
        """Forget the rows before ``row``."""
        self._packets = self._packets[row:]
        self._video = [
            Start(start.row - row, start.unit, start.key) for start in self._video if start.row >= row
        ]
        self._audio = [
            Start(start.row - row, start.unit, start.key) for start in self._audio if start.row >= row
        ]
        self._clock = [(at - row, value) for at, value in self._clock if at >= row]


def _write(packet: Packets, at: int, prefix: int, ticks: int) -> None:
    packet[at : at + 5] = np.frombuffer(stamp(prefix, ticks), dtype=np.uint8)
