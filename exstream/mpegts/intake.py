"""One feed on its way into the splice: its packets on channel time, released picture by picture.

A picture is released when no picture before it in display order is missing: whatever happens to the encoder next, the
stream so far ends with a picture and can go on with any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exstream.model.grid import AUDIO_FRAME_TICKS, Rate, Span
from exstream.model.programme import Way
from exstream.mpegts.block import Block, Key
from exstream.mpegts.decode_order import DecodeOrder
from exstream.mpegts.elementary import adts_frames
from exstream.mpegts.packets import (
    AUDIO_PID,
    PACKET,
    VIDEO_PID,
    Headers,
    Packets,
    aligned,
    forget_pcr,
    pcr_field,
    read_stamp,
    stamp,
)
from exstream.mpegts.sound import SoundGrid, frames_of
from exstream.mpegts.timing import Timebase, pcr_of

TAIL_PICTURES = 25
"""When a feed has run this far beyond its span, all the sound of the span has come."""
AHEAD_FRAMES = 20
"""How far the sound of a copied feed may run beyond its last picture: more would go out long before its time."""


class Picture(NamedTuple):
    """A picture of channel time, the row it begins in, and whether it is a key frame."""

    row: int
    number: int
    key: bool


class Sound(NamedTuple):
    """An audio PES packet: the row it begins in, its first audio frame, and the frame after its last."""

    row: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole pictures and whole audio PES packets, ready for the outlet.

    ``picture`` is the first picture after it in display order. Between two ``sounds`` frames may be missing.
    """

    block: Block
    picture: int
    sounds: tuple[Sound, ...]


class _Cut(NamedTuple):
    """Up to which row everything is whole, the picture after it, and whether the span has no more."""

    row: int
    picture: int
    last: bool = False


class Intake:
    """Reads a feed's bytes; it begins with its first picture, or with a later key frame where it comes late.

    ``way`` is how the feed was made: what was encoded ends with its span, what was copied is cut there. Decode times
    run ``reorder`` pictures ahead of the display.
    """

    def __init__(self, rate: Rate, span: Span, *, way: Way = Way.TRANSCODE, reorder: int = 1) -> None:
        self.span = span
        self.copied = way is not Way.TRANSCODE
        self.finished = False
        """A copied feed has given what it has for its span; a few pictures may be left."""
        self._rate = rate
        self._time = Timebase(rate, span.first)
        self._order = DecodeOrder(reorder)
        self._decode = 0
        """The decode slot of the newest picture."""
        self._grid = SoundGrid(self._time, rate.audio_frame_at(span.end), snap=way is Way.COPY)
        self._rest = b""
        self._packets: Packets = np.empty((0, PACKET), dtype=np.uint8)
        self._video: list[Picture] = []
        self._audio: list[Sound] = []
        self._clock: list[tuple[int, int]] = []
        self._refused = False
        """The audio packet that is coming in does not go on air."""
        self._next: int | None = None
        self._newest = span.first - 1
        """The last picture of the span, in display order, that has come."""

    @property
    def fault(self) -> str:
        """Why the feed cannot go on air as it is; empty when it can."""
        return self._order.fault

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the pipe; what follows on a `fault` is of no use."""
        if self.fault:
            return
        packets, self._rest = aligned(self._rest + data)
        headers = Headers.of(packets)
        rows = np.flatnonzero((headers.pid == VIDEO_PID) | (headers.pid == AUDIO_PID))
        if not len(rows):
            return
        offset = len(self._packets)
        held = np.empty((offset + len(rows), PACKET), dtype=np.uint8)
        held[:offset] = self._packets
        np.take(packets, rows, axis=0, out=held[offset:], mode="clip")  # the other modes copy once more
        self._packets = held
        refused = self._restamp(held[offset:], headers.of_rows(rows), offset)
        if refused.any():
            self._take_out(np.concatenate([np.zeros(offset, dtype=np.bool_), refused]))

    def _restamp(self, packets: Packets, headers: Headers, offset: int) -> NDArray[np.bool_]:
        """Move every stamp to channel time, in place, and note what starts where; return the rows to leave out."""
        refused = np.zeros(len(packets), dtype=np.bool_)
        sound = headers.pid == AUDIO_PID
        whole = packets.reshape(-1).data
        told = np.flatnonzero(headers.starts | headers.has_pcr)
        said = headers.of_rows(told)
        done = 0
        for row, field, starts, is_sound, has_pcr, key in zip(
            *(told.tolist(), said.adaptation.tolist(), said.starts.tolist(), sound[told].tolist()),
            *(said.has_pcr.tolist(), said.random_access.tolist()),
            strict=True,
        ):
            packet = whole[row * PACKET : (row + 1) * PACKET]
            if field > 1:
                packet[5] &= 0x7F
            if not starts:
                forget_pcr(packet)
            elif is_sound:
                refused[done:row] = sound[done:row] & self._refused
                done = row
                self._refused = not self._place(packet, 4 + field, offset + row)
            else:
                self._show(packet, 4 + field, offset + row, key=key)
                if has_pcr and not self.fault:
                    self._time_packet(packet, offset + row)
                if self.fault:
                    refused[row:] = True
                    return refused
        refused[done:] = sound[done:] & self._refused
        return refused

    def _show(self, packet: memoryview, pes: int, row: int, *, key: bool) -> None:
        """Stamp the start of a picture."""
        picture = self._time.picture(read_stamp(packet[pes + 9 : pes + 14]))
        self._decode = self._order.slot(picture, key=key)
        if self.fault:
            return
        self._video.append(Picture(row, picture, key))
        if picture < self.span.end:  # damaged stamps may say anything
            self._newest = max(self._newest, picture)
        both = bool(packet[pes + 7] & 0x40)
        packet[pes + 9 : pes + 14] = stamp(3 if both else 2, self._rate.ticks_at(picture))
        if both:
            packet[pes + 14 : pes + 19] = stamp(1, self._rate.ticks_at(self._decode))

    def _time_packet(self, packet: memoryview, row: int) -> None:
        """Write the PCR of the picture that begins in ``packet``."""
        value = pcr_of(self._rate, self._decode)
        packet[6:12] = pcr_field(value)
        self._clock.append((row, value))

    def _place(self, packet: memoryview, pes: int, row: int) -> bool:
        """Stamp the start of an audio packet; return whether it goes on air."""
        body = pes + 9 + packet[pes + 8]
        length = (packet[pes + 4] << 8 | packet[pes + 5]) - 3 - packet[pes + 8]
        count = frames_of(packet[body:], length)
        frame = self._grid.place(read_stamp(packet[pes + 9 : pes + 14]), count)
        if frame is None:
            return False
        packet[pes + 9 : pes + 14] = stamp(2, frame * AUDIO_FRAME_TICKS)
        self._audio.append(Sound(row, frame, frame + count))
        return True

    @property
    def held(self) -> int:
        """How many bytes wait here."""
        return self._packets.size

    @property
    def joined(self) -> bool:
        """Whether the feed is on air."""
        return self._next is not None

    @property
    def first_key(self) -> int | None:
        """The first key frame here; None when there is none yet."""
        return next((picture.number for picture in self._video if picture.key), None)

    def behind(self, picture: int) -> bool:
        """Tell whether the feed was on air and ``picture`` has gone on without it: it must join anew."""
        return self._next is not None and self._next < picture

    def came_late_for(self, picture: int) -> bool:
        """Tell whether the feed has brought ``picture``, but no key frame to join it with there or later."""
        return self._next is None and self._newest >= picture

    def key_from(self, picture: int) -> int | None:
        """Return the first key frame here from ``picture`` on, or None; what lies before it is of no more use."""
        start = next((start for start in self._video if start.key and start.number >= picture), None)
        if start is not None:
            self._drop(start.row)
            return start.number
        if self._video:
            self._drop(self._video[-1].row)
        return None

    def join(self, key: int) -> None:
        """Begin with the key frame that `key_from` found."""
        self._next = key

    def leave(self) -> None:
        """Take back `join`: the feed is off air until it joins again."""
        self._next = None

    def take(self, limit: int, audio: int, *, ended: bool = False) -> Stretch | None:
        """Release what is whole before picture ``limit``, without the sound before audio frame ``audio``.

        ``ended`` says that the encoder has written its last byte, and for a copied feed that it ended well.
        """
        if self._next is None or self.finished:
            return None
        if self._audio and self._audio[0].first < audio:
            self._leave_out(audio)
        cut = self._whole(self._next, limit, ended=ended)
        if cut.row == 0 and not cut.last:
            return None
        if cut.last:
            self._keep_sound_from(cut)
            self.finished = True
        row = len(self._packets) if cut.last else cut.row
        block = Block(
            self._packets[:row],
            [Key(start.row, start.number) for start in self._video if start.row < row and start.key],
            [entry for entry in self._clock if entry[0] < row],
        )
        sounds = tuple(sound for sound in self._audio if sound.row < row)
        self._drop(row)
        self._next = cut.picture
        return Stretch(block, cut.picture, sounds)

    def _whole(self, first: int, limit: int, *, ended: bool) -> _Cut:
        """Return up to where everything is whole; row 0 when nothing is."""
        end = self.span.end
        cut, highest = _Cut(0, first), first - 1
        for count, start in enumerate(self._video):
            if count and highest - first + 1 == count:
                if highest >= end:
                    return self._at_end(cut, ended=ended)
                cut = _Cut(start.row, highest + 1)
                if self.copied and cut.picture == end:
                    return self._at_end(cut, ended=ended)
                if cut.picture >= limit:
                    return cut
            highest = max(highest, start.number)
        if ended and highest + 1 == first + len(self._video):
            if self.copied:
                return self._at_end(
                    _Cut(len(self._packets), highest + 1) if highest < end else cut, ended=True
                )
            if highest + 1 == end and self._sound_is_whole():
                return _Cut(len(self._packets), end)
        return cut

    def _at_end(self, cut: _Cut, *, ended: bool) -> _Cut:
        """Return the last cut of a copied feed; nothing as long as sound of its span may still come."""
        beyond = self.span.end + TAIL_PICTURES
        if ended or self._grid.over or any(start.number >= beyond for start in self._video):
            return cut._replace(last=True)
        return _Cut(0, cut.picture)

    def _sound_is_whole(self) -> bool:
        """Tell whether the last thing in an ended feed is its last audio frame: then nothing before it is cut off."""
        end = self._rate.audio_frame_at(self.span.end)
        if end == self._rate.audio_frame_at(self.span.first):
            return True  # it is too short to own one
        last = self._audio[-1] if self._audio else None
        if last is None or last.row < self._video[-1].row:
            return False
        return self._frames_from(last) == end

    def _frames_from(self, last: Sound) -> int:
        """Return the audio frame that follows the last PES packet, by counting the whole frames in it."""
        payload = []
        headers = Headers.of(self._packets[last.row :])
        for index in np.flatnonzero((headers.pid == AUDIO_PID) & headers.payload):
            packet = self._packets[last.row + index]
            begin = 4 + int(headers.adaptation[index])
            if headers.starts[index]:
                begin += 9 + int(packet[begin + 8])
            payload.append(packet[begin:].tobytes())
        return last.first + len(adts_frames(b"".join(payload)))

    def _leave_out(self, audio: int) -> None:
        """Take out the audio packets that begin before frame ``audio``."""
        edges = [sound.row for sound in self._audio[1:]] + [len(self._packets)]
        late = np.zeros(len(self._packets), dtype=np.bool_)
        for sound, edge in zip(self._audio, edges, strict=True):
            if sound.first < audio:
                late[sound.row : edge] = True
        if self._audio[-1].first < audio:
            self._refused = True
        self._take_out(late & (Headers.of(self._packets).pid == AUDIO_PID))

    def _keep_sound_from(self, cut: _Cut) -> None:
        """Take out the pictures behind the last ``cut``, and the sound that has none near it."""
        latest = self._rate.audio_frame_at(cut.picture) + AHEAD_FRAMES
        late = next((sound.row for sound in self._audio if sound.first >= latest), len(self._packets))
        pids = Headers.of(self._packets).pid
        gone = pids == VIDEO_PID
        gone[: cut.row] = False
        gone[late:] |= pids[late:] == AUDIO_PID
        self._take_out(gone)

    def _take_out(self, gone: NDArray[np.bool_]) -> None:
        """Take out the rows that are ``gone``, and what starts in them."""
        before = np.concatenate([[0], np.cumsum(gone)])

        def moved(row: int) -> int:
            return row - int(before[row])

        self._packets = self._packets[~gone]
        self._video = [each._replace(row=moved(each.row)) for each in self._video if not gone[each.row]]
        self._audio = [each._replace(row=moved(each.row)) for each in self._audio if not gone[each.row]]
        self._clock = [(moved(row), value) for row, value in self._clock if not gone[row]]

    def _drop(self, row: int) -> None:
        """Forget the rows before ``row``."""
        self._packets = self._packets[row:]
        self._video = [each._replace(row=each.row - row) for each in self._video if each.row >= row]
        self._audio = [each._replace(row=each.row - row) for each in self._audio if each.row >= row]
        self._clock = [(at - row, value) for at, value in self._clock if at >= row]
