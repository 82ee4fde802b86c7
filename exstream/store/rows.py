"""Segments as rows of a table, and back."""

from __future__ import annotations

from typing import Any

from exstream.model.programme import Segment, SegmentKind

_KINDS = {kind.value: kind for kind in SegmentKind}


def written(segment: Segment) -> dict[str, Any]:
    """Return the columns of ``segment``."""
    return {
        "channel": segment.channel,
        "starts": segment.starts,
        "ends": segment.ends,
        "kind": segment.kind.value,
        "item": segment.item,
        "item_offset": segment.offset,
        "title": segment.title,
    }


def read(
    channel: str, starts: int, ends: int, kind: str, item: str | None, item_offset: int, title: str
) -> Segment:
    """Return the segment that has these columns."""
    return Segment(channel, _KINDS[kind], starts, ends, item, item_offset, title)
