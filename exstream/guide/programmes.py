"""From published rows to the guide's programmes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from exstream.model.programme import OFF_AIR, Programme, Segment, SegmentKind


def programmes(segments: Iterable[Segment]) -> list[Programme]:
    """Make the guide of one channel's rows, which are in order; it has no gap.

    A programme lasts until the next one: the filler and cards that follow it, and its own further parts, are part of
    it. Filler with what follows it, and each off-air row or hole between rows, are programmes of their own.
    """
    groups: list[list[Segment]] = []
    for segment in _without_holes(segments):
        if groups and _continues(groups[-1], segment):
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return [_programme(group) for group in groups]


def _without_holes(segments: Iterable[Segment]) -> Iterator[Segment]:
    before: Segment | None = None
    for segment in segments:
        if before is not None and before.ends < segment.starts:
            yield Segment(segment.channel, SegmentKind.CARD, before.ends, segment.starts, title=OFF_AIR)
        yield segment
        before = segment


def _continues(group: Sequence[Segment], segment: Segment) -> bool:
    """Tell whether ``segment`` belongs to the programme that ``group`` is so far."""
    if segment.kind is SegmentKind.PROGRAMME:
        part = next((row for row in reversed(group) if row.kind is SegmentKind.PROGRAMME), None)
        return (
            part is not None
            and segment.item == part.item
            and segment.offset == part.offset + part.ends - part.starts
        )
    if segment.kind is SegmentKind.CARD and segment.title == OFF_AIR:
        # Row by row: a long silence would end wherever each reader's window does.
        return group[0].kind is SegmentKind.FILLER
    return group[0].kind is not SegmentKind.CARD or group[0].title != OFF_AIR


def _programme(group: Sequence[Segment]) -> Programme:
    first = group[0]
    if first.kind is SegmentKind.PROGRAMME:
        return Programme(first.channel, first.starts, group[-1].ends, first.title, first.item)
    titles = (row.title for row in group if row.kind is SegmentKind.FILLER and row.title)
    return Programme(first.channel, first.starts, group[-1].ends, next(titles, OFF_AIR))
