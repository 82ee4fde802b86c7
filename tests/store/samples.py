"""Items and days to keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from exstream.model.catalogue import (
    AudioStream,
    Cadence,
    Colour,
    Item,
    ItemKind,
    Media,
    SubtitleStream,
    VideoStream,
)
from exstream.model.grid import Rate
from exstream.model.programme import Cursor, DaySchedule, Segment, SegmentKind

MINUTE = 60_000
DAY = 1_440 * MINUTE
MIDNIGHT = 20_000 * DAY
"""The first instant of `FIRST_DAY`."""
FIRST_DAY = date(1970, 1, 1) + timedelta(days=20_000)

ITEMS = 1_500
"""How many items `tests.store.writer` keeps."""
MEDIA = Media(
    1_320_000,
    "matroska",
    VideoStream(
        *(0, "hevc", 1920, 1080, Rate(24_000, 1_001), (4, 3), True, "yuv420p10le", 90, "Main 10"),
        Colour("bt2020nc", "bt2020", "smpte2084", full_range=True),
        Cadence(21_333, 10_000, 2, 700),
    ),
    (
        AudioStream(0, "ac3", 6, 48_000, "deu", True, "Surround"),
        AudioStream(1, "aac", 2, 44_100, "eng", profile="HE-AAC"),
    ),
    (SubtitleStream("subrip", 0, "eng", True), SubtitleStream("srt", path="/media/Ä film.eng.srt")),
    probed=1,
)


def episode(number: int, *, server: str = "local", title: str = "", media: Media | None = MEDIA) -> Item:
    """Return the episode that is called ``number`` on ``server``."""
    return Item(
        f"{server}:{number}",
        ItemKind.EPISODE,
        title or f"Episode {number}",
        1_320_000 + number,
        "Series",
        show="The Show",
        season=1 + number // 100,
        episode=number % 100,
        year=1984,
        summary="One night, “it” happened: 100 % true.",
        genres=("Drama", "Krimi"),
        path=f"/media/The Show/{number}.mkv",
        media=media and replace(media, duration_ms=media.duration_ms + number),
        added_at=1_700_000_000_000,
        updated_at=1_700_000_000_000 + number,
    )


def day_of_rows(
    channel: str = "one", number: int = 0, *, rows: int = 24, kind: SegmentKind = SegmentKind.PROGRAMME
) -> DaySchedule:
    """Return the ``number``-th day after `FIRST_DAY`, cut into ``rows`` segments."""
    start = MIDNIGHT + number * DAY
    edges = [start + DAY * row // rows for row in range(rows + 1)]
    item = None if kind is SegmentKind.CARD else "local:{}"
    segments = tuple(
        Segment(channel, kind, starts, ends, item and item.format(row), 0, f"Episode {row}")
        for row, (starts, ends) in enumerate(pairwise(edges))
    )
    cursors = {"main": Cursor(number, f"local:{rows - 1}"), "@turn": Cursor(1, "main")}
    return DaySchedule(channel, FIRST_DAY + timedelta(days=number), segments, cursors)
