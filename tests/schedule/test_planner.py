"""Broadcast days: without a gap, on time, the same every time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition, Order, Pool, Query
from exstream.model.programme import OFF_AIR, Cursor, Cursors, DaySchedule, Segment, SegmentKind
from exstream.schedule.civil import HOUR_MS, MINUTE_MS, grid_at_or_after
from exstream.schedule.planner import TURN, Planner, day_bounds, day_of, plan_day
from tests.schedule.libraries import (
    EPISODES,
    FILMS,
    ZONES,
    catalogue,
    channel,
    definitions,
    episode,
    filler,
    libraries,
)

DAY = date(2026, 11, 21)
DST_DAYS = (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25), date(2026, 4, 4))
days = st.one_of(st.sampled_from(DST_DAYS), st.dates(date(2000, 1, 1), date(2060, 1, 1)))


def instant(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


def local(at_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(ZoneInfo(zone))


def film(minutes: float, title: str = "Film") -> Item:
    return Item(f"local:{title}", ItemKind.FILM, title, int(minutes * MINUTE_MS), "Films")


def programmes(schedule: DaySchedule) -> list[Segment]:
    return [row for row in schedule.segments if row.kind is SegmentKind.PROGRAMME]


def plan(
    definition: ChannelDefinition,
    library: Sequence[Item],
    starts: int | None = None,
    cursors: Cursors | None = None,
    taken: Mapping[str, Sequence[tuple[int, int]]] | None = None,
) -> DaySchedule:
    return plan_day(definition, catalogue(library), DAY, starts, cursors or {}, taken or {})


@given(definitions(), libraries(), days)
def test_a_day_covers_its_bounds_without_gap_or_overlap(
    definition: ChannelDefinition, library: tuple[Item, ...], day: date
) -> None:
    """Any library and definition make whole days; the last programme may run over, by no more than twelve hours."""
    starts, ends = day_bounds(definition, day)
    schedule = plan_day(definition, catalogue(library), day, None, {})
    assert schedule.starts == starts
    assert ends <= schedule.ends <= ends + 12 * HOUR_MS
    assert all(before.ends == after.starts for before, after in pairwise(schedule.segments))
    assert all(row.starts < max(ends, starts + HOUR_MS) for row in programmes(schedule))


@given(definitions(), libraries(), days)
def test_a_day_is_the_same_every_time(
    definition: ChannelDefinition, library: tuple[Item, ...], day: date
) -> None:
    """The plan does not depend on the order in which the library lists its items, or on an earlier plan."""
    schedule = plan_day(definition, catalogue(library), day, None, {})
    assert schedule == plan_day(definition, catalogue(library[::-1]), day, None, {})


@given(definitions(), libraries(), days)
def test_going_on_from_cursors_is_planning_straight_on(
    definition: ChannelDefinition, library: tuple[Item, ...], day: date
) -> None:
    """A stored day is a checkpoint: a fresh planner goes on from it as one that never stopped."""
    planner = Planner(definition, catalogue(library))
    straight, resumed = [], []
    ends: int | None = None
    cursors: Cursors = {}
    for number in range(3):
        schedule = planner.day(day + timedelta(days=number), ends, cursors)
        straight.append(schedule)
        ends, cursors = schedule.ends, schedule.cursors
    ends, cursors = None, {}
    for number in range(3):
        schedule = plan_day(definition, catalogue(library), day + timedelta(days=number), ends, cursors)
        resumed.append(schedule)
        ends, cursors = schedule.ends, schedule.cursors
    assert straight == resumed
    assert all(before.ends == after.starts for before, after in pairwise(straight))


@given(definitions(), libraries(), days)
def test_rows_are_what_the_catalogue_says(
    definition: ChannelDefinition, library: tuple[Item, ...], day: date
) -> None:
    """An item is aired whole, from its beginning, and only if it is there and lasts a second."""
    by_key = {item.key: item for item in library}
    limit = day_bounds(definition, day)[1] + 12 * HOUR_MS
    for row in plan_day(definition, catalogue(library), day, None, {}).segments:
        if row.item is None:
            assert row.kind is SegmentKind.CARD
            continue
        item = by_key[row.item]
        assert not item.missing
        assert item.duration_ms >= 1_000
        assert row.offset == 0
        assert row.ends - row.starts == item.duration_ms or row.ends == limit


@given(definitions().filter(lambda made: made.align_minutes > 0), libraries(), days)
def test_aligned_programmes_start_on_the_grid_of_local_time(
    definition: ChannelDefinition, library: tuple[Item, ...], day: date
) -> None:
    """On every day of every zone, the wall clock shows a multiple of the grid when a programme starts."""
    for row in programmes(plan_day(definition, catalogue(library), day, None, {})):
        at = local(row.starts, definition.timezone)
        assert (at.hour * 60 + at.minute) % definition.align_minutes == 0
        assert (at.second, at.microsecond) == (0, 0)


@given(st.sampled_from(ZONES), st.sampled_from([5, 30, 60, 120, 240]), days, st.integers(0, 86_400_000))
def test_the_grid_skips_no_start(zone: str, align: int, day: date, into: int) -> None:
    """The next grid time is the very first instant whose local time is on the grid, looked for minute by minute."""
    at = instant(day.isoformat(), "UTC") + into
    minute = -(-at // MINUTE_MS) * MINUTE_MS
    while (local(minute, zone).hour * 60 + local(minute, zone).minute) % align:
        minute += MINUTE_MS
    assert grid_at_or_after(ZoneInfo(zone), align, at) == minute


def test_the_lost_hour_of_spring_has_no_start() -> None:
    """In Berlin half past two does not exist on 29 March: 01:30 is followed by 03:00, half an hour later."""
    zone = ZoneInfo("Europe/Berlin")
    half_past_one = instant("2026-03-29T01:30:00", "Europe/Berlin")
    assert grid_at_or_after(zone, 30, half_past_one + 1) == half_past_one + 30 * MINUTE_MS
    assert local(half_past_one + 30 * MINUTE_MS, "Europe/Berlin").hour == 3


def test_the_hour_of_autumn_comes_twice() -> None:
    """In Berlin half past two exists twice on 25 October; both are grid times."""
    zone = ZoneInfo("Europe/Berlin")
    first = grid_at_or_after(zone, 30, instant("2026-10-25T02:01:00", "Europe/Berlin"))
    starts = [first]
    while len(starts) < 3:
        starts.append(grid_at_or_after(zone, 30, starts[-1] + 1))
    assert [local(at, "Europe/Berlin").strftime("%H:%M") for at in starts] == ["02:30", "02:00", "02:30"]


@given(st.sampled_from(ZONES), days)
def test_days_meet(zone: str, day: date) -> None:
    """A day ends where the next one begins, lasts 23 to 25 hours and knows its own instants."""
    definition = channel(timezone=zone)
    starts, ends = day_bounds(definition, day)
    assert ends == day_bounds(definition, day + timedelta(days=1))[0]
    if starts < ends:
        assert 23 * HOUR_MS <= ends - starts <= 25 * HOUR_MS
        assert local(starts, zone).strftime("%H:%M") == "06:00"
        assert [day_of(definition, at) for at in (starts, ends - 1, ends)][:2] == [day, day]
        assert day_of(definition, starts - 1) < day


def test_a_date_that_a_zone_skipped_is_an_empty_day() -> None:
    """Samoa had no 30 December 2011; the day after it follows on at once, and nothing is out of order."""
    definition = channel(timezone="Pacific/Apia")
    starts, ends = day_bounds(definition, date(2011, 12, 30))
    assert starts == ends == day_bounds(definition, date(2011, 12, 29))[1]
    assert day_of(definition, starts) == date(2011, 12, 31)
    library = catalogue([episode(1)])
    before = plan_day(definition, library, date(2011, 12, 29), None, {})
    skipped = plan_day(definition, library, date(2011, 12, 30), before.ends, before.cursors)
    after = plan_day(definition, library, date(2011, 12, 31), skipped.ends, skipped.cursors)
    assert before.ends == skipped.starts < skipped.ends == after.starts < after.ends


def test_episodes_run_back_to_back_in_order() -> None:
    """Without a grid a programme follows the other, and the next day goes on where the last one stopped."""
    library = [episode(number, minutes=50) for number in range(1, 8)]
    first = plan(channel(), library)
    assert [row.item for row in first.segments[:8]] == [item.key for item in [*library, library[0]]]
    assert {row.title for row in first.segments} == {"Robot Harbour"}
    second = plan_day(channel(), catalogue(library), DAY + timedelta(days=1), first.ends, first.cursors)
    assert first.ends == day_bounds(channel(), DAY)[1] + 10 * MINUTE_MS
    assert second.starts == first.ends
    order = [item.key for item in library]
    aired = [str(row.item) for row in (*first.segments, *second.segments)]
    assert aired == [order[number % 7] for number in range(len(aired))]


def test_gaps_of_the_grid_are_filled() -> None:
    """A 22 minute episode on a half-hour grid leaves eight minutes of filler, and a card only for the rest."""
    library = [episode(1), episode(2), *map(filler, (90, 60, 45, 31, 20, 14, 10))]
    schedule = plan(channel(align=30, fillers=True), library)
    rows = schedule.segments
    assert [row.starts % (30 * MINUTE_MS) for row in programmes(schedule)] == [0] * 48
    assert {row.kind for row in rows[:4]} == {SegmentKind.PROGRAMME, SegmentKind.FILLER}
    cards = [row for row in rows if row.kind is SegmentKind.CARD]
    assert sum(row.ends - row.starts for row in cards) < 48 * 1_000
    assert all(row.title == "Harbour" for row in cards)


def test_without_filler_a_gap_is_a_card() -> None:
    """One card bridges the time to the next start."""
    rows = plan(channel(align=30), [episode(1)]).segments
    assert [(row.kind, row.ends - row.starts) for row in rows[:2]] == [
        (SegmentKind.PROGRAMME, 22 * MINUTE_MS),
        (SegmentKind.CARD, 8 * MINUTE_MS),
    ]


def test_a_start_off_the_grid_is_brought_back_to_it() -> None:
    """When the day before ran over, filler leads to the next grid time."""
    begins = day_bounds(channel(), DAY)[0]
    schedule = plan(channel(align=30, fillers=True), [episode(1), filler(60)], starts=begins + 13 * MINUTE_MS)
    assert schedule.starts == begins + 13 * MINUTE_MS
    assert schedule.segments[0].kind is SegmentKind.FILLER
    assert programmes(schedule)[0].starts == begins + 30 * MINUTE_MS


def test_pools_take_turns_by_their_count() -> None:
    """Two episodes, one film, two episodes; a day that ends amid a turn is continued amid it."""
    pools = replace(EPISODES, count=2), replace(FILMS, order=Order.CHRONOLOGICAL)
    library = [*(episode(number, minutes=59) for number in range(1, 9)), film(100)]
    first = plan(channel(*pools), library)
    second = plan_day(channel(*pools), catalogue(library), DAY + timedelta(days=1), first.ends, first.cursors)
    turns = [row.title == "Film" for row in (*first.segments, *second.segments)]
    assert turns == [number % 3 == 2 for number in range(len(turns))]


def test_an_empty_pool_is_passed_over() -> None:
    """A pool without items does not hold the others up."""
    schedule = plan(channel(FILMS, EPISODES, Pool("none", Query(shows=("Nobody",)))), [episode(1)])
    assert {row.title for row in schedule.segments} == {"Robot Harbour"}
    assert schedule.cursors[TURN].after == "episodes"


def test_nothing_to_play_is_a_card_an_hour() -> None:
    """An empty library is announced as such, hour by hour."""
    rows = plan(channel(), []).segments
    assert len(rows) == 24
    assert {(row.kind, row.title, row.ends - row.starts) for row in rows} == {
        (SegmentKind.CARD, OFF_AIR, HOUR_MS)
    }


def test_filler_is_better_than_nothing() -> None:
    """Where all pools are empty the filler goes round."""
    rows = plan(channel(fillers=True), [filler(60), filler(30)]).segments
    assert {row.kind for row in rows} == {SegmentKind.FILLER}
    assert all(before.item != after.item for before, after in pairwise(rows))


def test_a_programme_longer_than_a_day_is_cut() -> None:
    """A film of 40 hours leaves the next day twelve hours of its own."""
    schedule = plan(channel(FILMS), [film(40 * 60)])
    assert len(schedule.segments) == 1
    assert schedule.ends == day_bounds(channel(), DAY)[1] + 12 * HOUR_MS


def test_a_day_that_the_one_before_took_has_rows_all_the_same() -> None:
    """When a definition moves to another zone a day may be over before it begins: an hour or more is planned."""
    ends = day_bounds(channel(), DAY)[1]
    schedule = plan(channel(), [episode(1)], starts=ends + 5)
    assert schedule.starts == ends + 5
    assert schedule.ends >= ends + 5 + HOUR_MS


def test_a_day_is_not_planned_from_years_ago() -> None:
    """A start days before the day is refused; the planner does not run for ever."""
    with pytest.raises(ValueError, match="cannot have ended"):
        plan(channel(), [episode(1)], starts=0)


def test_items_on_other_channels_give_way_to_others() -> None:
    """An item is passed over while it is on elsewhere, if the pool has another."""
    begins = day_bounds(channel(), DAY)[0]
    library = [episode(1), episode(2), episode(3)]
    taken = {episode(1).key: [(begins + 21 * MINUTE_MS, begins + HOUR_MS), (begins - 5, begins - 1)]}
    rows = plan(channel(), library, taken=taken).segments
    assert [row.item for row in rows[:4]] == [library[number].key for number in (1, 2, 1, 2)]
    assert rows[4].item == episode(1).key


def test_a_pool_does_not_repeat_what_another_has_just_given() -> None:
    """Where two pools share an item, the second gives its next one instead."""
    pools = Pool("one", Query(titles=("Part 1",))), Pool("all", Query())
    rows = plan(channel(*pools), [episode(1), episode(2)]).segments
    assert all(before.item != after.item for before, after in pairwise(rows))


def test_filler_goes_on_from_gap_to_gap() -> None:
    """The fillers of a day are on about equally often: each gap goes on where the one before stopped."""
    fillers = [filler(30, str(number)) for number in range(40)]
    rows = plan(channel(align=30, fillers=True), [episode(1), *fillers]).segments
    aired = Counter(row.item for row in rows if row.kind is SegmentKind.FILLER)
    assert len(aired) == 40
    assert max(aired.values()) - min(aired.values()) <= 2


def test_other_channels_never_block() -> None:
    """If all of a pool is on elsewhere, it runs in its order all the same."""
    begins, ends = day_bounds(channel(), DAY)
    library = [episode(number) for number in (1, 2, 3)]
    taken = {item.key: [(begins - HOUR_MS, ends + HOUR_MS)] for item in library}
    assert plan(channel(), library, taken=taken) == plan(channel(), library)


def test_what_ends_when_the_other_begins_does_not_overlap() -> None:
    """Intervals are half open."""
    begins = day_bounds(channel(), DAY)[0]
    library = [episode(1), episode(2)]
    taken = {episode(1).key: [(begins + 22 * MINUTE_MS, begins + HOUR_MS), (begins - HOUR_MS, begins)]}
    assert plan(channel(), library, taken=taken).segments[0].item == episode(1).key


@given(libraries(), st.integers(0, 2_000_000))
def test_a_new_item_leaves_earlier_rows_of_a_shuffle_alone(library: tuple[Item, ...], number: int) -> None:
    """Up to the place where a new item comes in, a shuffled day stays as it was, but for the first cycle's edge."""
    pool = Pool("all", Query(), Order.SHUFFLE)
    new = Item(f"local:new{number}", ItemKind.FILM, "New", 3_600_000, "Films")
    before = [row.item for row in plan(channel(pool), library).segments]
    after = [row.item for row in plan(channel(pool), [*library, new]).segments]
    first = after.index(new.key) if new.key in after else len(after)
    playable = {row for row in before if row}
    if len(playable) > 2 and first < len(playable):
        assert after[:first] == before[:first]


def test_cursors_of_pools_that_are_gone_are_dropped() -> None:
    """Only what the definition still names is handed on."""
    schedule = plan(channel(), [episode(1)], cursors={"old": Cursor(3, "local:9"), TURN: Cursor(1, "old")})
    assert set(schedule.cursors) == {TURN, "episodes"}


@pytest.mark.parametrize(
    ("definition", "library"),
    [
        (channel(), [episode(number, minutes=1 / 30) for number in range(5)]),
        (
            channel(replace(EPISODES, order=Order.SHUFFLE)),
            [episode(number, minutes=1 / 30) for number in range(900)],
        ),
        (channel(align=1, fillers=True), [episode(1, minutes=0.2), *(filler(2 + n / 9) for n in range(300))]),
        (channel(fillers=True), [filler(2, str(number)) for number in range(5)]),
        (channel(replace(EPISODES, order=Order.SHUFFLE)), [episode(number) for number in range(20_000)]),
    ],
    ids=["in order", "shuffled", "minute grid", "only filler", "large library"],
)
def test_a_day_is_planned_within_a_second(definition: ChannelDefinition, library: list[Item]) -> None:
    """Two-second items and large libraries do not hold the planner up (it is given thrice the time, for slow hosts)."""
    snapshot = Catalogue({item.key: item for item in library})
    starts = process_time()
    plan_day(definition, snapshot, DAY, None, {})
    assert process_time() - starts < 3
