"""Items that are several files, one after the other: which of them an order needs, and what of each. PURE."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

from exstream.model.catalogue import Source
from exstream.model.grid import AUDIO_RATE, CLOCK_HZ, Rate, Span
from exstream.model.programme import Order


def reel_at(source: Source, offset_ms: int) -> int:
    """Return which of the files of ``source`` is on ``offset_ms`` after its start; the last one behind the end."""
    ends = accumulate(reel.duration_ms for reel in source.reels)
    return next((number for number, end in enumerate(ends) if offset_ms < end), max(0, len(source.reels) - 1))


def first_opened(order: Order) -> str:
    """Return where the file lies that is shown first."""
    source = order.source
    return source.reels[reel_at(source, order.offset_ms)].location if source.reels else source.location


def in_reels(order: Order) -> tuple[Order, ...]:
    """Return an order of one file each that together give the pictures of ``order``.

    A file that is the last, or that lasts to the end of the span, is to give whatever is left of it.
    """
    reels, rate = order.source.reels, order.profile.rate
    if not reels:
        return (order,)
    orders: list[Order] = []
    first, begins = order.span.first, 0
    number = reel_at(order.source, order.offset_ms)
    for place, reel in enumerate(reels):
        ends = begins + reel.duration_ms
        if place >= number and first < order.span.end:
            left = rate.picture_near((ends - order.offset_ms) * CLOCK_HZ // 1_000)
            end = order.span.end if place == len(reels) - 1 else min(order.span.end, order.span.first + left)
            if end > first:
                source = Source(reel.location, reel.media, item=order.source.item)
                offset = max(0, order.offset_ms - begins)
                orders.append(replace(order, source=source, span=Span(first, end), offset_ms=offset))
                first = end
        begins = ends
    return tuple(orders) or (replace(order, source=replace(order.source, reels=())),)


def samples_of(orders: tuple[Order, ...], rate: Rate) -> list[int]:
    """Return how many samples of sound go with the pictures of each of ``orders``; none is lost in rounding."""
    origin = orders[0].span.first
    marks = [round((order.span.end - origin) * rate.seconds * AUDIO_RATE) for order in orders]
    return [mark - before for before, mark in zip([0, *marks], marks, strict=False)]
