"""A stream of ours taken apart again: packets to pictures and frames of sound, as other containers want them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from exstream.mpegts.elementary import adts_frames
from exstream.mpegts.packets import AUDIO_PID, PACKET, PTS_WRAP, VIDEO_PID, Headers, read_stamp

_PREFIX = 6
"""The bytes of a PES packet that its own length does not count."""
_FIXED = 9
"""The bytes of a PES header before its stamps."""


class Picture(NamedTuple):
    """An access unit in Annex B form; stamps are 90 kHz since the epoch, not wrapped."""

    pts: int
    dts: int
    key: bool
    data: bytes


class Sound(NamedTuple):
    """Whole ADTS frames that follow one another; ``pts`` is the first one's, 90 kHz since the epoch."""

    pts: int
    frames: tuple[bytes, ...]


class _Pes:
    """One PES packet in the making."""

    def __init__(self, payload: bytes, near: int, *, key: bool) -> None:
        length = int.from_bytes(payload[4:_PREFIX], "big")
        self._missing = length + _PREFIX - len(payload) if length else None
        self._pieces = [payload[_FIXED + payload[8] :]]
        self.key = key
        self.pts = unwrapped(read_stamp(payload[_FIXED : _FIXED + 5]), near)
        self.dts = self.pts
        if payload[7] & 0x40:
            self.dts = unwrapped(read_stamp(payload[_FIXED + 5 : _FIXED + 10]), near)

    def add(self, payload: bytes) -> None:
        self._pieces.append(payload)
        if self._missing is not None:
            self._missing -= len(payload)

    @property
    def whole(self) -> bool:
        """Whether it says how long it is, and all of it is here."""
        return self._missing is not None and self._missing <= 0

    @property
    def data(self) -> bytes:
        return b"".join(self._pieces)


class Demux:
    """Takes whole packets from the start of a picture on; ``near`` is a time within 13 hours of the first stamp."""

    def __init__(self, near: int) -> None:
        self._near = near
        self._picture: _Pes | None = None
        self._sound: _Pes | None = None

    @property
    def next_dts(self) -> int | None:
        """When the picture is decoded whose end has not come yet; None where there is none."""
        return self._picture.dts if self._picture is not None else None

    def feed(self, data: bytes) -> list[Picture | Sound]:
        """Return the pictures and the sound that ``data`` completes, in the order in which they were sent."""
        headers = Headers.of(np.frombuffer(data, dtype=np.uint8).reshape(-1, PACKET))
        rows = np.flatnonzero(headers.payload & ((headers.pid == VIDEO_PID) | (headers.pid == AUDIO_PID)))
        columns = (rows, headers.pid, headers.adaptation, headers.starts, headers.random_access)
        found: list[Picture | Sound] = []
        for row, pid, adaptation, starts, key in zip(
            rows.tolist(), *(column[rows].tolist() for column in columns[1:]), strict=True
        ):
            payload = data[row * PACKET + 4 + adaptation : (row + 1) * PACKET]
            if pid == VIDEO_PID:
                self._take_picture(payload, found, starts=starts, key=key)
            else:
                self._take_sound(payload, found, starts=starts)
        return found

    def restart(self) -> None:
        """Forget what is half here: what comes next does not follow on it."""
        self._picture = self._sound = None

    def _take_picture(self, payload: bytes, found: list[Picture | Sound], *, starts: bool, key: bool) -> None:
        if starts:
            if (whole := self._picture) is not None:
                found.append(Picture(whole.pts, whole.dts, whole.key, whole.data))
            self._picture = _Pes(payload, self._near, key=key)
            self._near = self._picture.dts
        elif self._picture is not None:
            self._picture.add(payload)

    def _take_sound(self, payload: bytes, found: list[Picture | Sound], *, starts: bool) -> None:
        if starts:
            self._sound = _Pes(payload, self._near, key=True)
        elif self._sound is not None:
            self._sound.add(payload)
        if self._sound is not None and self._sound.whole:
            found.append(Sound(self._sound.pts, adts_frames(self._sound.data)))
            self._sound = None


def unwrapped(stamp: int, near: int) -> int:
    """Return the time whose 33-bit stamp is ``stamp`` and that lies nearest to ``near``."""
    return near + (stamp - near + PTS_WRAP // 2) % PTS_WRAP - PTS_WRAP // 2
