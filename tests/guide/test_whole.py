"""The whole guide as it is sent: rows of several channels, by order, compressed, joined, and read by somebody else."""

import gzip
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from exstream.guide import packing, xmltv
from exstream.guide.lineup import guide_id
from exstream.guide.press import DAY_MS, Compositor, Orders, Sheet, contents, unpacked
from exstream.guide.programmes import programmes
from exstream.guide.xmltv import Edition
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition
from exstream.model.programme import Programme, Segment
from tests.guide.test_press import ITEMS, rows_of_a_channel

BASE = "http://192.168.1.5:8411"
DAYS = range(-1, 6)
CHANNELS = [ChannelDefinition(f"number-{number}", str(number), "N", "480p25", ()) for number in (1, 2, 3)]
_NEVER = {0xFFFE, 0xFFFF, *range(0xFDD0, 0xFDF0)}
"""Code points that are no characters."""

Told = list[tuple[str, str]]


def read(document: bytes) -> list[tuple[dict[str, str], Told]]:
    """Return attributes and elements of every programme in a document, as lxml finds them."""
    found = etree.fromstring(document).findall("programme")
    return [
        (
            {str(name): str(value) for name, value in each.attrib.items()},
            [(c.tag, c.get("src") or c.findtext("value") or c.text or "") for c in each],
        )
        for each in found
    ]


def line(text: str) -> str:
    """Return what of a text can stand in XML, on one line."""
    kept = [c for c in text if c in "\t\n\r\x85" or not (unicodedata.category(c) == "Cc" or ord(c) in _NEVER)]
    return " ".join("".join(kept).split())


def told(programme: Programme, items: dict[str, Item]) -> Told:
    """Return what a programme's elements ought to say."""
    item = items.get(programme.item or "")
    if item is None:
        return [("title", line(programme.title) or "Untitled"), ("previously-shown", "")]
    episode = item.kind is ItemKind.EPISODE
    series = episode and bool(item.show)
    title = (item.show if series else item.title) or programme.title
    made: Told = [("title", line(title) or "Untitled")]
    made += [("sub-title", line(item.title))] if series and line(item.title) else []
    made += [("desc", line(item.summary))] if line(item.summary) else []
    made += [("date", date)] if (date := _date(item)) else []
    made += _categories(item)
    made.append(("length", str(max(1, item.duration_ms // 1_000))))
    made += [("icon", f"{BASE}/iptv/artwork/{item.key}")] if item.artwork else []
    if episode and (item.season is not None or item.episode):
        season = "" if item.season is None else f"S{item.season:02}"
        made.append(("episode-num", season + (f"E{item.episode:02}" if item.episode else "")))
        counted = [str(number - 1) if number else "" for number in (item.season, item.episode)]
        made.append(("episode-num", f"{counted[0]}.{counted[1]}.0/1"))
    made.append(("previously-shown", ""))
    made += [("rating", item.content_rating)] if item.content_rating not in {"", "NR"} else []
    return [*made, *([("star-rating", f"{item.rating:.1f}/10")] if item.rating is not None else [])]


def _date(item: Item) -> str:
    if item.aired.startswith("1984"):
        return "19840309"
    return str(item.year) if item.year and item.year >= 1_000 else ""


def _categories(item: Item) -> Told:
    first = {ItemKind.EPISODE: "Series", ItemKind.FILM: "Movie"}.get(item.kind, "")
    made: list[str] = []
    for category in map(line, (first, *item.genres)):
        if category and category.casefold() not in [each.casefold() for each in made]:
            made.append(category)
    return [("category", category) for category in made]


def instant(ms: int) -> str:
    """Return a time as XMLTV has it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ms // 1_000)).strftime("%Y%m%d%H%M%S +0000")


@given(
    items=st.lists(ITEMS, max_size=4, unique_by=lambda item: item.key),
    channels=st.lists(rows_of_a_channel(), min_size=3, max_size=3),
)
def test_what_is_sent_says_what_is_published(items: list[Item], channels: Sequence[list[Segment]]) -> None:
    """Every programme of every channel is there once, in order, with its times and all that is known of its item."""
    sheets = []
    for definition, rows in zip(CHANNELS, channels, strict=True):
        named = [
            Segment(definition.id, row.kind, row.starts, row.ends, row.item, row.offset, row.title)
            for row in rows
        ]
        sheets.append(Sheet(named, DAYS))
    delivery = Compositor().carry_out(Orders().write(sheets, Edition(Catalogue.of(items), BASE), None))
    first, _, body = delivery.partition(b"\n")
    fragments = [part for by_day in unpacked(contents(first), body) for part in by_day.values()]
    ends = (xmltv.header(CHANNELS, BASE), xmltv.footer())
    header, footer = (packing.fragment(text.encode()) for text in ends)
    document = gzip.decompress(packing.gzip_file([header, *fragments, footer]))

    by_key = {item.key: item for item in items}
    assert read(document) == [
        (
            {
                "start": instant(programme.starts),
                "stop": instant(programme.ends),
                "channel": guide_id(programme.channel),
            },
            told(programme, by_key),
        )
        for sheet in sheets
        for programme in programmes(sheet.rows)
        if programme.starts // 1_000 < programme.ends // 1_000 and programme.starts // DAY_MS in DAYS
    ]
