"""Filling gaps: which filler items come next, so that as little as possible is left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from exstream.model.catalogue import Item, ItemKey
from exstream.model.channel import ChannelId
from exstream.model.programme import Cursor, Segment, SegmentKind
from exstream.schedule.rotation import Rotation

_WINDOW = 10
"""How many of the next items are combined to fill the end of a gap: at most 2 ** 10 sums."""

_Taken = tuple[Item, Cursor]


def pack(
    rotation: Rotation, cursor: Cursor, length_ms: int, previous: ItemKey | None = None
) -> tuple[list[Item], Cursor]:
    """Choose items that fill ``length_ms`` and never overrun it; return them with the cursor after them.

    They come in the rotation's order while there is room for many; the end of the gap is filled by the best-fitting
    combination of the next few. An item follows itself (or ``previous``) only where no other one fits, and what is
    left over is shorter than the shortest item.
    """
    chosen: list[Item] = []
    shortest = min((item.duration_ms for item in rotation.items), default=0)
    if shortest <= 0:
        return chosen, cursor
    longest = max(item.duration_ms for item in rotation.items)
    while length_ms >= shortest:
        room_for_all = length_ms > _WINDOW * longest // 2
        window = _window(rotation, cursor, length_ms, 2 if room_for_all else _WINDOW)
        # Sums lie closest together around half of the total: the rest of the gap waits until it is that short.
        if sum(item.duration_ms for item, _ in window) < 2 * length_ms:
            items, cursor = _next(window, previous)
        else:
            items, cursor = _best_fit(window, length_ms, previous)
        chosen += items
        previous = items[-1].key
        length_ms -= sum(item.duration_ms for item in items)
    return chosen, cursor


def fill(
    channel: ChannelId,
    starts: int,
    ends: int,
    items: Sequence[Item],
    card_title: str,
) -> list[Segment]:
    """Lay ``items`` out from ``starts``; a card takes what is left up to ``ends``."""
    segments: list[Segment] = []
    for item in items:
        until = starts + item.duration_ms
        segments.append(Segment(channel, SegmentKind.FILLER, starts, until, item.key, 0, item.title))
        starts = until
    if starts < ends:
        segments.append(Segment(channel, SegmentKind.CARD, starts, ends, title=card_title))
    return segments


def _window(rotation: Rotation, cursor: Cursor, length_ms: int, size: int) -> list[_Taken]:
    """Return the next ``size`` items that fit; each one that fits is found within two cycles."""
    window: list[_Taken] = []
    within = max(2 * len(rotation.items), 4 * size)
    for taken, _ in zip(rotation.take(cursor), range(within), strict=False):
        if taken[0].duration_ms <= length_ms:
            window.append(taken)
            if len(window) == size:
                break
    return window


def _next(window: Sequence[_Taken], previous: ItemKey | None) -> tuple[list[Item], Cursor]:
    item, cursor = next((taken for taken in window if taken[0].key != previous), window[0])
    return [item], cursor


def _best_fit(
    window: Sequence[_Taken], length_ms: int, previous: ItemKey | None
) -> tuple[list[Item], Cursor]:
    """Return the combination with the greatest sum that can be ordered without a repeat, else the greatest."""
    sums = _sums([item.duration_ms for item, _ in window], length_ms)
    greatest_first = [sums[total] for total in sorted(sums, reverse=True) if total]
    for picks in greatest_first:
        items = _without_repeat([window[pick][0] for pick in picks], previous)
        if items:
            return items, window[picks[-1]][1]
    picks = greatest_first[0]
    return [window[pick][0] for pick in picks], window[picks[-1]][1]


def _sums(durations: Sequence[int], limit: int) -> dict[int, tuple[int, ...]]:
    """Map every sum up to ``limit`` to the first combination (of ascending indices) that gives it."""
    sums: dict[int, tuple[int, ...]] = {0: ()}
    for index, duration in enumerate(durations):
        for total, picks in list(sums.items()):
            if total + duration <= limit:
                sums.setdefault(total + duration, (*picks, index))
    return sums


def _without_repeat(items: Sequence[Item], previous: ItemKey | None) -> list[Item] | None:
    """Order ``items`` so that none follows itself; None if that cannot be done."""
    by_key = {item.key: item for item in items}
    left = Counter(item.key for item in items)
    ordered: list[Item] = []
    while left:
        others = [key for key in left if key != previous]
        if not others:
            return None
        previous = max(others, key=left.__getitem__)
        ordered.append(by_key[previous])
        left[previous] -= 1
        if not left[previous]:
            del left[previous]
    return ordered
