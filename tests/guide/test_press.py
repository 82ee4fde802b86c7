"""Fragments of the guide, made here or by order."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.guide.packing import Fragment, gzip_file
from exstream.guide.press import DAY_MS, Compositor, Orders, Sheet, contents, fragments, size, unpacked
from exstream.guide.xmltv import Edition
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.programme import Segment, SegmentKind

HOUR = 3_600_000
BASES = ("http://tv.lan:8411", "https://tv.example.org/tv")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ITEMS = st.builds(
    Item,
    key=st.sampled_from(["a", "b", "c", "d"]),
    kind=st.sampled_from(list(ItemKind)),
    title=TEXTS,
    duration_ms=st.integers(0, HOUR),
    library=TEXTS,
    show=TEXTS,
    season=st.none() | st.integers(0, 30),
    episode=st.none() | st.integers(0, 30),
    year=st.none() | st.integers(0, 9_999),
    summary=TEXTS,
    genres=st.tuples(TEXTS, TEXTS),
    aired=st.sampled_from(["", "soon", "1984-03-09"]),
    content_rating=st.sampled_from(["", "NR", "TV-14"]),
    rating=st.none() | st.floats(0, 10),
    artwork=st.sampled_from(["", "/1"]),
)


@st.composite
def rows_of_a_channel(draw: st.DrawFn) -> list[Segment]:
    """Return rows one behind the other, over up to three days, with a hole now and then."""
    at = draw(st.integers(-HOUR, DAY_MS))
    rows = []
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(list(SegmentKind)))
        item = None if kind is SegmentKind.CARD else draw(st.sampled_from(["a", "b", "c", "gone"]))
        ends = at + draw(st.integers(1, 8 * HOUR))
        rows.append(Segment("one", kind, at, ends, item, 0, draw(TEXTS)))
        at = ends + draw(st.sampled_from([0, 0, 0, HOUR]))
    return rows


def delivered(compositor: Compositor, order: bytes) -> list[dict[int, Fragment]]:
    """Return what comes back for an order."""
    line, _, body = compositor.carry_out(order).partition(b"\n")
    listed = contents(line)
    assert size(listed) == len(body)
    return unpacked(listed, body)


@given(
    orders=st.lists(
        st.tuples(
            st.lists(ITEMS, max_size=4),
            st.lists(rows_of_a_channel(), min_size=1, max_size=3),
            st.booleans(),
            st.sampled_from(BASES),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_ordered_is_what_would_have_been_made_here(
    orders: list[tuple[list[Item], list[list[Segment]], bool, str]],
) -> None:
    """Order after order, with one catalogue and address or the next: every fragment is the same, byte for byte."""
    compositor, written = Compositor(), Orders()
    for items, channels, opens, base in orders:
        edition, opening = Edition(Catalogue.of(items), base), 0 if opens else None
        sheets = [Sheet(rows, range(3 - number)) for number, rows in enumerate(channels)]
        order = written.write(sheets, edition, opening)
        assert order.count(b"\n") == 1
        assert order.endswith(b"\n")

        assert delivered(compositor, order) == [fragments(sheet, edition, opening) for sheet in sheets]


def test_an_item_is_sent_once_and_again_when_the_catalogue_has_changed() -> None:
    """Channels that show the same films cost one description of each; a changed one is described anew."""
    film = Item("a", ItemKind.FILM, "Old title", HOUR, "Films")
    rows = [Segment("one", SegmentKind.PROGRAMME, 0, HOUR, "a", 0, "Film")]
    orders, compositor = Orders(), Compositor()
    catalogues = [Catalogue.of([film]), Catalogue.of([film])]
    catalogues.append(Catalogue.of([Item("a", ItemKind.FILM, "New title", HOUR, "Films")]))
    written = [orders.write([Sheet(rows, [0])], Edition(each, BASES[0]), None) for each in catalogues]
    made = [delivered(compositor, order)[0] for order in written]
    texts = [gzip.decompress(gzip_file(by_day.values())).decode() for by_day in made]

    assert [len(json.loads(order)["items"]) for order in written] == [1, 0, 1]
    assert ["Old title" in text for text in texts] == [True, True, False]
    assert "New title" in texts[2]


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b'[[["x", 1, 2, 3]]]', b"[[[1, 2, 3]]]"])
def test_a_delivery_that_is_none_is_refused(line: bytes) -> None:
    """Whatever a process may say by mistake, it is an error and not a guide."""
    with pytest.raises(ValueError, match="no delivery"):
        contents(line)
