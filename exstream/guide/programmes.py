"""From published rows to the guide's programmes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exstream.model.programme import OFF_AIR, Programme, Segment, SegmentKind

_PROGRAMME, _FILLER, _CARD = SegmentKind.PROGRAMME, SegmentKind.FILLER, SegmentKind.CARD


def programmes(segments: Iterable[Segment]) -> list[Programme]:
    """Make the guide of one channel's rows, which are in order; it has no gap.

    A programme lasts until the next one: the filler and cards that follow it, and its own further parts, are part of
    it. Filler with what follows it, and each off-air row or hole between rows, are programmes of their own.
    """
    made: list[Programme] = []
    group: list[Segment] = []
    for segment in _without_holes(segments):
        if not group or _continues(group, segment):
            group.append(segment)
        else:
            made.append(_programme(group))
            group = [segment]
    if group:
        made.append(_programme(group))
    return made


def _without_holes(segments: Iterable[Segment]) -> Iterator[Segment]:
    before: Segment | None = None
    for segment in segments:
        if before is not None and before.ends < segment.starts:
            yield Segment(segment.channel, _CARD, before.ends, segment.starts, title=OFF_AIR)
        yield segment
        before = segment


def _continues(group: Sequence[Segment], segment: Segment) -> bool:
    """Tell whether ``segment`` belongs to the programme that ``group`` is so far."""
    if segment.kind is _PROGRAMME:
        for part in reversed(group):
            if part.kind is _PROGRAMME:
                return segment.item == part.item and segment.offset == part.offset + part.ends - part.starts
        return False
    if segment.kind is _CARD and segment.title == OFF_AIR:
        # Row by row: a long silence would end wherever each reader's window does.
        return group[0].kind is _FILLER
    return group[0].kind is not _CARD or group[0].title != OFF_AIR


def _programme(group: Sequence[Segment]) -> Programme:
    first = group[0]
    if first.kind is _PROGRAMME:
        return Programme(first.channel, first.starts, group[-1].ends, first.title, first.item)
    titles = (row.title for row in group if row.kind is _FILLER and row.title)
    return Programme(first.channel, first.starts, group[-1].ends, next(titles, OFF_AIR))
