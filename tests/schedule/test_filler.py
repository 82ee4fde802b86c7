"""How gaps are filled."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exstream.model.catalogue import Item
from exstream.model.channel import Order, Pool, Query
from exstream.model.programme import Cursor, SegmentKind
from exstream.schedule.filler import fill, pack
from exstream.schedule.rotation import Rotation
from tests.schedule.libraries import filler

POOL = Pool("filler", Query(), Order.SHUFFLE)
lengths = st.lists(st.integers(1_000, 200_000), min_size=1, max_size=15, unique=True)


def rotation(*seconds: float) -> Rotation:
    return Rotation(POOL, [filler(length) for length in seconds], "seed")


def packed(gap_seconds: float, *seconds: float, previous: str | None = None) -> list[Item]:
    return pack(rotation(*seconds), Cursor(), round(gap_seconds * 1_000), previous)[0]


@given(lengths, st.integers(0, 3_600_000))
def test_filler_never_overruns_and_leaves_no_room_for_another(durations: list[int], gap: int) -> None:
    """What is left over is shorter than the shortest filler."""
    rest = gap - sum(item.duration_ms for item in packed(gap / 1_000, *(ms / 1_000 for ms in durations)))
    assert 0 <= rest < min(durations)


@given(lengths, st.integers(0, 3_600_000))
def test_no_filler_follows_itself_while_another_fits(durations: list[int], gap: int) -> None:
    """A repeat stands only where no other one would have fitted."""
    items = packed(gap / 1_000, *(ms / 1_000 for ms in durations))
    left = gap - items[0].duration_ms if items else 0
    for before, after in pairwise(items):
        if before == after:
            others = [ms for ms in durations if ms != before.duration_ms]
            assert all(ms > left for ms in others)
        left -= after.duration_ms


def test_the_best_combination_is_chosen() -> None:
    """A gap that a combination fills exactly is filled exactly."""
    assert sum(item.duration_ms for item in packed(60, 35, 25, 50, 11)) == 60_000
    assert sum(item.duration_ms for item in packed(90, 61, 17, 29)) == 90_000


def test_few_fillers_take_turns() -> None:
    """Two lengths fill a gap that needs one of them twice, but not twice in a row."""
    items = packed(24, 10, 7)
    assert [item.duration_ms for item in items] == [7_000, 10_000, 7_000]


def test_a_lone_filler_repeats() -> None:
    """One filler is better than a card."""
    assert len(packed(65, 20)) == 3


def test_what_stood_before_the_gap_does_not_begin_it() -> None:
    """The item on air before the gap counts as the one that must not follow itself."""
    assert packed(20, 10, 9, previous=filler(10).key)[0] == filler(9)


@given(lengths, st.lists(st.integers(60_000, 1_800_000), min_size=2, max_size=6))
def test_gaps_go_on_through_the_order(durations: list[int], gaps: list[int]) -> None:
    """The cursor of one gap leads into the next; the same call gives the same answer."""
    fillers = rotation(*(ms / 1_000 for ms in durations))
    cursor = again = Cursor()
    for gap in gaps:
        items, cursor = pack(fillers, cursor, gap)
        assert (items, cursor) == pack(fillers, again, gap)
        again = cursor


def test_long_filler_gives_way_where_it_does_not_fit() -> None:
    """A short gap gets the one that fits, wherever it stands in a long order."""
    assert packed(15, *range(20, 400), 14) == [filler(14)]


def test_a_card_takes_what_is_left() -> None:
    """The rows of a gap join without a hole and end exactly where it ends."""
    rows = fill("c", 1_000, 31_500, [filler(20)], "Harbour")
    assert [(row.kind, row.starts, row.ends) for row in rows] == [
        (SegmentKind.FILLER, 1_000, 21_000),
        (SegmentKind.CARD, 21_000, 31_500),
    ]
    assert rows[-1].title == "Harbour"
    assert fill("c", 0, 20_000, [filler(20)], "Harbour")[-1].kind is SegmentKind.FILLER


def test_nothing_to_fill_with() -> None:
    """Without filler a gap is left to the card."""
    assert packed(60) == []
