"""What is on, and the repair of what cannot be on."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.catalogue import Item
from exstream.model.programme import OFF_AIR, Segment, SegmentKind
from exstream.schedule.civil import HOUR_MS, MINUTE_MS
from exstream.schedule.planner import plan_day
from exstream.schedule.timetable import REPLAN_NOTICE_MS, Timeline, replan
from tests.schedule.libraries import catalogue, channel, episode, filler
from tests.schedule.test_planner import DAY, film, instant


def row(starts: int, ends: int, item: str | None = "local:1") -> Segment:
    kind = SegmentKind.PROGRAMME if item else SegmentKind.CARD
    return Segment("c", kind, starts, ends, item)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    edges = draw(st.lists(st.integers(0, 10 * HOUR_MS), unique=True, max_size=20).map(sorted))
    rows = [row(starts, ends) for starts, ends in pairwise(edges) if draw(st.booleans())]
    return Timeline("c", draw(st.permutations(rows)))


@given(timelines(), st.integers(-HOUR_MS, 12 * HOUR_MS))
def test_something_is_always_on(timeline: Timeline, at: int) -> None:
    """The cue covers the instant: the published row, or a card that touches no row and lasts an hour at most."""
    cue = timeline.on_air(at)
    assert cue.segment.starts <= at < cue.segment.ends
    assert cue.offset == at - cue.segment.starts
    published = [known for known in timeline.rows if known.starts <= at < known.ends]
    if published:
        assert [cue.segment] == published
    else:
        assert (cue.segment.kind, cue.segment.title) == (SegmentKind.CARD, OFF_AIR)
        assert cue.segment.ends - cue.segment.starts <= HOUR_MS
        assert all(
            known.ends <= cue.segment.starts or cue.segment.ends <= known.starts for known in timeline.rows
        )


@given(timelines(), st.integers(0, 11 * HOUR_MS))
def test_a_hole_gives_the_same_card_throughout(timeline: Timeline, at: int) -> None:
    """Whenever one asks during a card, it is the same card."""
    segment = timeline.on_air(at).segment
    assert timeline.on_air(segment.starts).segment == segment
    assert timeline.on_air(segment.ends - 1).segment == segment


@given(timelines(), st.integers(0, 10 * HOUR_MS), st.integers(0, 10 * HOUR_MS))
def test_between_and_next_after_are_what_a_search_finds(timeline: Timeline, one: int, other: int) -> None:
    """Bisection finds what looking at every row finds."""
    starts, ends = sorted([one, other])
    overlapping = [known for known in timeline.rows if known.starts < ends and known.ends > starts]
    assert timeline.between(starts, ends) == tuple(overlapping if starts < ends else [])
    assert timeline.next_after(one) == next((known for known in timeline.rows if known.starts > one), None)


def test_an_empty_timeline_shows_a_card() -> None:
    """Before anything is published the channel has a card up to the full hour."""
    cue = Timeline("c", []).on_air(5 * HOUR_MS + 7)
    assert (cue.segment.starts, cue.segment.ends, cue.offset) == (5 * HOUR_MS, 6 * HOUR_MS, 7)
    assert Timeline("c", []).ends is None


def test_overlapping_and_foreign_rows_are_refused() -> None:
    """There is one truth: two rows at one time, or another channel's row, are an error."""
    with pytest.raises(ValueError, match="overlap"):
        Timeline("c", [row(0, 10), row(9, 20)])
    with pytest.raises(ValueError, match="is not d's"):
        Timeline("d", [row(0, 10)])


NOW = instant("2026-11-21T12:00:00", "UTC")
LIBRARY = [*(episode(number) for number in range(1, 6)), filler(90), filler(45), filler(31)]


def published(library: list[Item]) -> tuple[Segment, ...]:
    return plan_day(channel(align=30, fillers=True), catalogue(library), DAY, None, {}).segments


@given(st.sets(st.sampled_from(LIBRARY), min_size=1).map(list))
def test_lost_items_are_replaced_within_their_own_span(lost: list[Item]) -> None:
    """Every row whose item is gone and that is not near gets rows of exactly its span; no other row is touched."""
    rows = published(LIBRARY)
    left = catalogue([item for item in LIBRARY if item not in lost])
    replacements = replan(rows, left, channel(align=30, fillers=True), NOW)
    keys = {item.key for item in lost}
    expected = [known for known in rows if known.item in keys and known.starts >= NOW + REPLAN_NOTICE_MS]
    assert [replacement.row for replacement in replacements] == expected
    for replacement in replacements:
        assert replacement.by[0].starts == replacement.row.starts
        assert replacement.by[-1].ends == replacement.row.ends
        assert all(before.ends == after.starts for before, after in pairwise(replacement.by))
        assert keys.isdisjoint({known.item for known in replacement.by})
    assert replacements == replan(rows, left, channel(align=30, fillers=True), NOW)


def test_a_lost_programme_is_replaced_by_the_longest_that_fits() -> None:
    """The slot of a lost 22 minute episode goes to the longest item that is not longer, and filler follows it."""
    library = [episode(1), *LIBRARY[5:]]
    rows = published(library)
    left = catalogue([episode(2, minutes=20), episode(3, minutes=5), episode(4, minutes=23), *LIBRARY[5:]])
    first = replan(rows, left, channel(align=30, fillers=True), NOW)[0]
    assert first.by[0].item == episode(2).key
    assert first.by[0].title == "Robot Harbour"
    assert {known.kind for known in first.by[1:]} == {SegmentKind.FILLER, SegmentKind.CARD}


def test_lost_programmes_are_not_all_replaced_by_one() -> None:
    """Among items of about the same length each lost row draws its own."""
    rows = plan_day(channel(), catalogue([episode(1)]), DAY, None, {}).segments
    left = catalogue([episode(number, minutes=20 + number / 10) for number in range(2, 8)])
    replacements = replan(rows, left, channel(), NOW)
    assert {replacement.by[0].item for replacement in replacements} == set(left.items)


def test_with_nothing_left_the_card_says_so() -> None:
    """A programme that nothing can replace becomes a card."""
    rows = plan_day(channel(), catalogue([episode(1)]), DAY, None, {}).segments
    replacements = replan(rows, catalogue([film(9)]), channel(), NOW)
    assert {known.kind for replacement in replacements for known in replacement.by} == {SegmentKind.CARD}
    assert {known.title for replacement in replacements for known in replacement.by} == {OFF_AIR}


def test_near_rows_and_missing_items_keep_their_place() -> None:
    """What starts within ten minutes is not replanned, nor is an item whose file may come back."""
    rows = [row(NOW + REPLAN_NOTICE_MS - 1, NOW + HOUR_MS, "local:gone")]
    assert replan(rows, catalogue([]), channel(), NOW) == ()
    later = [row(NOW + HOUR_MS, NOW + HOUR_MS + MINUTE_MS, "local:away")]
    away = Item("local:away", episode(1).kind, "Away", 60_000, "Demo", missing=True)
    assert replan(later, catalogue([away]), channel(), NOW) == ()
