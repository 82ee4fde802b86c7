"""From rows to programmes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exstream.guide.programmes import programmes
from exstream.model.programme import OFF_AIR, Programme, Segment, SegmentKind

PROGRAMME, FILLER, CARD = SegmentKind.PROGRAMME, SegmentKind.FILLER, SegmentKind.CARD


def rows(*described: tuple[SegmentKind, int, str]) -> list[Segment]:
    """Return rows from (kind, length, title), one after the other."""
    made, at = [], 0
    for kind, length, title in described:
        item = None if kind is CARD else f"local:{title}"
        made.append(Segment("c", kind, at, at + length, item, 0, title))
        at += length
    return made


def told(segments: list[Segment]) -> list[tuple[int, int, str]]:
    return [(programme.starts, programme.ends, programme.title) for programme in programmes(segments)]


@st.composite
def any_rows(draw: st.DrawFn) -> list[Segment]:
    edges = draw(st.lists(st.integers(0, 1_000), unique=True, max_size=30).map(sorted))
    made = []
    for starts, ends in pairwise(edges):
        kind = draw(st.sampled_from(SegmentKind))
        item = None if kind is CARD else draw(st.sampled_from(["local:1", "local:2"]))
        if draw(st.integers(0, 5)):
            title = draw(st.sampled_from([OFF_AIR, "Harbour", ""]))
            made.append(Segment("c", kind, starts, ends, item, draw(st.sampled_from([0, 10])), title))
    return made


@given(any_rows())
def test_the_guide_has_no_gap(segments: list[Segment]) -> None:
    """From the first row to the last, each programme ends where the next begins, and each begins with a row."""
    guide = programmes(segments)
    assert all(before.ends == after.starts for before, after in pairwise(guide))
    if segments:
        assert (guide[0].starts, guide[-1].ends) == (segments[0].starts, segments[-1].ends)
        edges = {row.starts for row in segments} | {row.ends for row in segments}
        assert {programme.starts for programme in guide} <= edges
    else:
        assert guide == []


@given(any_rows())
def test_what_the_guide_names_is_on_at_its_start(segments: list[Segment]) -> None:
    """A programme with an item begins in the very instant that the item does."""
    by_start = {row.starts: row for row in segments}
    for programme in programmes(segments):
        if programme.item is not None:
            assert by_start[programme.starts].item == programme.item
            assert by_start[programme.starts].kind is PROGRAMME


def test_filler_and_cards_belong_to_the_programme_before() -> None:
    """A half-hour slot is one programme, and carries the programme's item."""
    guide = programmes(
        rows((PROGRAMME, 22, "Harbour"), (FILLER, 5, "Ident"), (CARD, 3, "Seven"), (PROGRAMME, 30, "Two"))
    )
    assert guide[0] == Programme("c", 0, 30, "Harbour", "local:Harbour")
    assert (guide[1].starts, guide[1].ends) == (30, 60)


def test_hours_off_air_are_programmes_of_their_own() -> None:
    """Announced emptiness is not the last film's length, and ends where its row does, whoever reads how far."""
    guide = told(
        rows((PROGRAMME, 90, "Film"), (CARD, 60, OFF_AIR), (CARD, 60, OFF_AIR), (PROGRAMME, 10, "Next"))
    )
    assert guide == [(0, 90, "Film"), (90, 150, OFF_AIR), (150, 210, OFF_AIR), (210, 220, "Next")]


def test_filler_alone_has_its_own_title() -> None:
    """Filler that follows no programme is called by its name, whatever card stands beside it."""
    assert told(rows((CARD, 5, "Seven"), (FILLER, 20, "Ident"), (FILLER, 20, "Trailer"))) == [
        (0, 45, "Ident")
    ]


def test_parts_of_one_item_are_one_programme() -> None:
    """A programme that goes on where it stopped is still the same, with or without a break."""
    film = Segment("c", PROGRAMME, 0, 40, "local:f", 0, "Film")
    ident = Segment("c", FILLER, 40, 45, "local:i", 0, "Ident")
    rest = Segment("c", PROGRAMME, 45, 85, "local:f", 40, "Film")
    again = Segment("c", PROGRAMME, 85, 125, "local:f", 0, "Film")
    assert told([film, ident, rest, again]) == [(0, 85, "Film"), (85, 125, "Film")]


def test_a_hole_is_off_air() -> None:
    """Where nothing is published the guide says what the player shows."""
    one = Segment("c", PROGRAMME, 0, 10, "local:1", 0, "One")
    two = Segment("c", PROGRAMME, 25, 30, "local:2", 0, "Two")
    assert told([one, two]) == [(0, 10, "One"), (10, 25, OFF_AIR), (25, 30, "Two")]
