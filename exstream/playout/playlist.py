"""Playlists as RFC 8216 writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from exstream.model.grid import CLOCK_HZ, Rate
from exstream.playout.segments import MediaSegment, SegmentRule


@dataclass(frozen=True, slots=True)
class Rendition:
    """A channel's one form, for the master playlist; bit rates are in bit/s, transport included."""

    peak: int
    average: int
    codecs: tuple[str, ...]
    width: int
    height: int
    rate: Rate


def master(rendition: Rendition, media_url: str) -> str:
    """Return the master playlist: where the one media playlist is and what a player needs for it."""
    attributes = [
        f"BANDWIDTH={rendition.peak}",
        f"AVERAGE-BANDWIDTH={rendition.average}",
        f'CODECS="{",".join(rendition.codecs)}"',
        f"RESOLUTION={rendition.width}x{rendition.height}",
        f"FRAME-RATE={float(1 / rendition.rate.seconds):.3f}",
    ]
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    return _text([*lines, "#EXT-X-STREAM-INF:" + ",".join(attributes), media_url])


def media(segments: Sequence[MediaSegment], rule: SegmentRule) -> str:
    """Return the media playlist of ``segments``, which are one at least; the addresses are relative to its own."""
    first = segments[0]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{rule.target}",
        f"#EXT-X-MEDIA-SEQUENCE:{first.number}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{first.steps - first.stepped}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    for segment in segments:
        if segment.stepped:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.is_gap:
            lines.append("#EXT-X-GAP")
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{_instant(segment.starts_ms)}",
            f"#EXTINF:{_seconds(segment, rule)},",
            f"{segment.number}.ts",
        ]
    return _text(lines)


def bit_rate(segments: Sequence[MediaSegment]) -> tuple[int, int]:
    """Return the highest and the average bit rate of ``segments``, in bit/s; 0 where there is nothing to go by."""
    whole = [segment for segment in segments if segment.ticks >= CLOCK_HZ]
    size = sum(segment.end - segment.begin for segment in whole)
    ticks = sum(segment.ticks for segment in whole)
    peak = max((8 * CLOCK_HZ * (each.end - each.begin) / each.ticks for each in whole), default=0)
    return ceil(peak), round(8 * CLOCK_HZ * size / ticks) if ticks else 0


def _seconds(segment: MediaSegment, rule: SegmentRule) -> str:
    # Rounded, no segment may be longer than the target: where key frames lie further apart than the channel promises,
    # the length is told short rather than have players refuse it.
    longest = rule.target * CLOCK_HZ + CLOCK_HZ // 2 - 1
    return f"{min(segment.ticks, longest) / CLOCK_HZ:.5f}"


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
