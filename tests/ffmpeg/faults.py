"""What can be wrong with a feed, found from its bytes alone."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise

from exstream.model.grid import FEED_ORIGIN_SECONDS, Rate
from exstream.model.programme import Order
from tests.ffmpeg.transport import Recording, parameter_sets, record

ORIGIN = FEED_ORIGIN_SECONDS * 90_000
FRAME = 1_920
REORDER_PICTURES = 1


def ticks(rate: Rate, pictures: int) -> int:
    """Return how long ``pictures`` take in 90 kHz ticks, rounded half up."""
    return (2 * pictures * 90_000 * rate.den + rate.num) // (2 * rate.num)


def faults(order: Order, data: bytes) -> set[str]:
    """Return the names of everything in ``data`` that would be seen, heard or counted at a join."""
    if not data:
        return {"nothing came"}
    recording = record(data)
    found = {
        "pictures": _pictures(order, recording),
        "key frames": _keys(order, recording),
        "decoding lead": _lead(order, recording),
        "sound frames": len(recording.frames) == _frames(order),
        "sound clock": _sound_clock(order, recording),
        "late data": _in_time(recording),
        "clock reference": _references(recording),
        "parameter sets": len(parameter_sets(recording.pictures)) == 1
        and () not in parameter_sets(recording.pictures),
    }
    return {name for name, good in found.items() if not good}


def _pictures(order: Order, recording: Recording) -> bool:
    rate = order.profile.rate
    return recording.picture_times == [ORIGIN + ticks(rate, n) for n in range(len(order.span))]


def _keys(order: Order, recording: Recording) -> bool:
    """Where channel time has them, and for six seconds each half second where an order begins inside its item."""
    rate, first = order.profile.rate, order.span.first
    often = rate.picture_at(500)
    at_first = range(0, rate.picture_at(6_000), often) if order.offset_ms else (0,)
    wanted = [n for n in range(len(order.span)) if n in at_first or rate.is_key_picture(first + n)]
    return recording.key_times == [ORIGIN + ticks(rate, n) for n in wanted]


def _lead(order: Order, recording: Recording) -> bool:
    """Every picture is decoded the same time after the one before it, the first one picture ahead of its showing."""
    rate = order.profile.rate
    decoded = [pes.dts for pes in recording.pictures]
    wanted = [ORIGIN + ticks(rate, n - REORDER_PICTURES) for n in range(len(decoded))]
    return all(abs(dts - want) <= 1 for dts, want in zip(decoded, wanted, strict=True))


def _frames(order: Order) -> int:
    rate = order.profile.rate
    return rate.audio_frame_at(order.span.end) - rate.audio_frame_at(order.span.first)


def _sound_clock(order: Order, recording: Recording) -> bool:
    """Frame after frame follows the first one that begins at or after the first picture on channel time's grid."""
    rate, first = order.profile.rate, order.span.first
    start = rate.audio_frame_at(first) * FRAME - Fraction(first * 90_000 * rate.den, rate.num)
    expected = ORIGIN + start
    for pes in recording.sound:
        if abs(pes.pts - expected) > 2:
            return False
        expected += FRAME * sum(1 for _ in _sync_words(bytes(pes.payload)))
    return True


def _sync_words(payload: bytes) -> list[int]:
    starts, at = [], 0
    while at + 7 <= len(payload):
        starts.append(at)
        at += (payload[at + 3] & 3) << 11 | payload[at + 4] << 3 | payload[at + 5] >> 5
    return starts


def _in_time(recording: Recording) -> bool:
    """No picture or sound begins to arrive when the clock already says that it is to be decoded."""
    offsets = [offset for offset, _ in recording.pcrs]
    for pes in (*recording.pictures, *recording.sound):
        at = bisect_right(offsets, pes.position) - 1
        if at >= 0 and recording.pcrs[at][1] > pes.dts * 300:
            return False
    return True


def _references(recording: Recording) -> bool:
    """PCR comes at least every 42 ms: with every picture of 24 or more a second."""
    times = [ticks_ for _, ticks_ in recording.pcrs]
    return all(0 < after - before <= 27_000 * 42 for before, after in pairwise(times))
