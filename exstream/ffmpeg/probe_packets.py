"""Reads stretches of a picture track without decoding them, and the index of its container."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
from av.stream import Discard
from av.video.stream import VideoStream

from exstream.ffmpeg.allowed import input_address, input_limits
from exstream.ffmpeg.avc import frames_only, length_bytes, opens_with_idr, parameter_sets, sequence_sets
from exstream.ffmpeg.probe_cadence import Index, Stretch, judge
from exstream.model.catalogue import Cadence
from exstream.model.grid import Rate

_ENOUGH_PICTURES = 100
_MOST_PICTURES = 1_500
_MOST_BYTES = 48_000_000
_MOST_SECONDS = 4.0
"""A film on a sleeping disk or a share far away is not worth more: what is not known is encoded."""
_FURTHER_IN = (Fraction(1, 3), Fraction(2, 3))
_FAR_SECONDS = 30
"""A seek that lands this far before its target was none."""
_NEAR_SECONDS = 1
"""The last pictures are looked for from the key frame on that lies so long before the end."""


class _Irregular(Exception):
    """The track cannot be sent as it is, or it cannot be known whether it can."""


def cadence(path: str, index: int, rate: Rate) -> Cadence | None:
    """Return how the file's video stream ``index`` (H.264) runs, or None where it is irregular or not known."""
    address, protocols = input_address(path)
    try:
        with av.open(address, options=input_limits(protocols), metadata_errors="replace") as container:
            return _Track(container, container.streams.video[index], rate).cadence()
    except (av.FFmpegError, _Irregular):
        return None


class _Track:
    """A picture track that is being looked at; ``rate`` is what its container says."""

    def __init__(self, container: Any, stream: VideoStream, rate: Rate) -> None:
        self._container = container
        self._stream = stream
        self._rate = rate
        self._time_base = Fraction(stream.time_base or 1)
        self._seconds = Fraction(container.duration or 0, 1_000_000)
        extradata = bytes(stream.codec_context.extradata or b"")
        self._length_size = length_bytes(extradata)
        self._sets = set(parameter_sets(extradata))
        self._deadline = time.monotonic() + _MOST_SECONDS
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all

    def cadence(self) -> Cadence | None:
        """Read what is needed and judge it; raises _Irregular."""
        name = self._container.format.name
        index = self._index(every=True) if name.startswith("mov") else None
        first = self._stretch()
        if not first.shown:
            raise _Irregular
        stretches = [first]
        if not first.whole:
            if not self._seconds:
                raise _Irregular
            if name.startswith("matroska"):
                index = self._cues(first)
            stretches += self._further_in(first)
        if len(self._sets) != 1 or not all(map(frames_only, self._sets)):
            raise _Irregular
        start = Fraction(self._container.start_time or 0, 1_000_000)
        length = int(self._seconds / self._rate.seconds)
        found = judge(stretches, index, self._rate, self._time_base, length, start)
        if found is None:
            return None
        latest = max(first.shown) if first.whole else self._latest()
        return replace(found, short_ms=0 if latest is None else self._short_ms(latest, start))

    def _latest(self) -> int | None:
        """Return when the last picture is shown, None where that would take too long to find out."""
        end = int((self._seconds - _NEAR_SECONDS) / self._time_base) + (self._stream.start_time or 0)
        self._container.seek(end, stream=self._stream)
        latest: int | None = None
        size = 0
        for packet in self._container.demux(self._stream):
            size += packet.size
            if packet.size and packet.pts is not None:
                latest = packet.pts if latest is None else max(latest, packet.pts)
            if size > _MOST_BYTES or time.monotonic() > self._deadline:
                return None
        return latest

    def _short_ms(self, latest: int, start: Fraction) -> int:
        """Return how long before the end of the file the picture ends that is shown at ``latest``."""
        short = self._seconds - (latest * self._time_base - start) - self._rate.seconds
        return 0 if short < self._rate.seconds else int(short * 1_000)

    def _cues(self, first: Stretch) -> Index:
        """Return Matroska's index, which a seek to what is read already loads.

        There has to be one: otherwise a seek further in reads everything before it, which may be a whole film.
        """
        self._container.seek(first.shown[0], stream=self._stream)
        index = self._index(every=False)
        if index.stamps[-1] * self._time_base < min(self._seconds / 2, self._seconds - _FAR_SECONDS):
            raise _Irregular
        return index

    def _further_in(self, first: Stretch) -> Iterator[Stretch]:
        """Yield stretches behind ``first``."""
        for part in _FURTHER_IN:
            target = first.shown[0] + int(self._seconds * part / self._time_base)
            if target > max(first.shown):
                self._container.seek(target, stream=self._stream)
                found = self._stretch()
                if found.shown and (target - found.shown[0]) * self._time_base > _FAR_SECONDS:
                    raise _Irregular
                if found.shown:
                    yield found

    def _stretch(self) -> Stretch:
        """Read on from the next key frame, up to another one behind enough pictures.

        There are no pictures in it where the track ends before its next key frame.
        """
        shown: list[int] = []
        keys: list[int] = []
        size = 0
        for packet in self._container.demux(self._stream):
            size += packet.size
            if packet.size and (shown or packet.is_keyframe):
                if packet.is_keyframe:
                    keys.append(len(shown))
                shown.append(self._stamp(packet))
                if packet.is_keyframe and len(shown) > _ENOUGH_PICTURES:
                    return Stretch(shown, keys, whole=False)
            if len(shown) > _MOST_PICTURES or size > _MOST_BYTES or time.monotonic() > self._deadline:
                if not shown:
                    raise _Irregular
                return Stretch(shown, keys, whole=False)
        return Stretch(shown, keys, whole=True)

    def _stamp(self, packet: Any) -> int:
        """Return when a picture is shown; raises _Irregular where it is damaged, hidden, or a key but no IDR."""
        if packet.pts is None or packet.is_discard or packet.is_corrupt:
            raise _Irregular
        if packet.is_keyframe:
            data = bytes(packet)
            self._sets.update(sequence_sets(data, self._length_size))
            if not opens_with_idr(data, self._length_size):
                raise _Irregular
        return int(packet.pts)

    def _index(self, *, every: bool) -> Index:
        entries = list(self._stream.index_entries)
        if any(entry.is_discard for entry in entries):
            raise _Irregular
        keys = [place for place, entry in enumerate(entries) if entry.is_keyframe]
        return Index([entry.timestamp for entry in entries], keys, every)
