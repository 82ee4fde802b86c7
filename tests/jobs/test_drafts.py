"""Where planning goes on: pure answers, with days of any shape."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from exstream.jobs.drafts import Change, Place, cursors_after, draft, next_place, substituted, taken_elsewhere
from exstream.model.catalogue import Catalogue, Item, ItemKind
from exstream.model.channel import ChannelDefinition, Order, Pool, Query
from exstream.model.programme import Cursor, Segment, SegmentKind
from exstream.schedule.planner import Planner, day_bounds, day_of
from exstream.schedule.timetable import Replacement
from exstream.store.schedules import PublishedDay

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 20_600 * DAY + 13 * HOUR + 17 * MINUTE + 5
TODAY = date(1970, 1, 1) + timedelta(days=20_600)
CHANNEL = ChannelDefinition("one", "7", "One", "480p25", (Pool("films", Query(libraries=("Films",))),))


def published(day: date, ends: int) -> PublishedDay:
    return PublishedDay(day, ends - DAY, ends, {"films": Cursor(3, "local:x")})


def test_a_new_channel_begins_now() -> None:
    """Without a published day planning begins at this minute, or at the grid's last instant."""
    assert next_place(CHANNEL, None, NOW) == Place(TODAY, NOW // MINUTE * MINUTE, {})
    aligned = replace(CHANNEL, align_minutes=30, timezone="Asia/Kathmandu")
    place = next_place(aligned, None, NOW)
    assert 0 <= NOW - place.starts < 30 * MINUTE
    assert (place.starts + (5 * 60 + 45) * MINUTE) % (30 * MINUTE) == 0


def test_a_published_channel_goes_on_where_it_ended() -> None:
    """The next day begins at the end of the last one with its cursors, whether that is ahead or earlier today."""
    for day in (TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=3)):
        latest = published(day, day_bounds(CHANNEL, day)[1] + 7 * MINUTE)
        expected = Place(day + timedelta(days=1), latest.ends, latest.cursors)
        assert next_place(CHANNEL, latest, NOW) == expected


def test_a_channel_that_rested_for_days_begins_now_and_remembers() -> None:
    """When nothing of today is published planning begins at this minute, with the cursors of then."""
    latest = published(TODAY - timedelta(days=9), NOW - 9 * DAY)
    assert next_place(CHANNEL, latest, NOW) == Place(TODAY, NOW // MINUTE * MINUTE, latest.cursors)


@given(
    ends_before_now=st.integers(-8 * DAY, 30 * DAY),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Apia"]),
    align=st.sampled_from([0, 15, 30, 60]),
)
def test_planning_never_goes_back(ends_before_now: int, zone: str, align: int) -> None:
    """Wherever the last day ended, the next one begins no earlier, is a later day, and reaches beyond now or later."""
    definition = replace(CHANNEL, timezone=zone, align_minutes=align)
    ends = NOW - ends_before_now
    latest = PublishedDay(day_of(definition, ends - 1), ends - DAY, ends, {})
    place = next_place(definition, latest, NOW)
    assert place.starts >= ends
    assert place.day > latest.day
    assert day_bounds(definition, place.day)[1] > min(ends, NOW)


durations = st.lists(st.integers(5, 90), min_size=1, max_size=8)


@settings(max_examples=30)
@given(
    films=durations,
    series=durations,
    orders=st.tuples(st.sampled_from(list(Order)), st.sampled_from(list(Order))),
    counts=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    align=st.sampled_from([0, 30]),
    place_in_day=st.integers(0, 10_000),
)
def test_a_day_taken_over_in_its_middle_goes_on_as_planned(
    films: list[int],
    series: list[int],
    orders: tuple[Order, Order],
    counts: tuple[int, int],
    align: int,
    place_in_day: int,
) -> None:
    """Planning again from any programme of a day, after replaying what came before, gives the rows there were."""
    items = [
        Item(f"local:{library}{n}", ItemKind.FILM, f"{library} {n}", minutes * MINUTE, library)
        for library, lengths in (("Films", films), ("Series", series))
        for n, minutes in enumerate(lengths)
    ]
    pools = (
        Pool("films", Query(libraries=("Films",)), orders[0], counts[0]),
        Pool("series", Query(libraries=("Series",)), orders[1], counts[1]),
    )
    planner = Planner(replace(CHANNEL, pools=pools, align_minutes=align), Catalogue.of(items))
    first, second = draft(planner, {}, Place(TODAY, day_bounds(CHANNEL, TODAY)[0], {}), NOW + DAY)[:2]
    last = second.ends - 2 * HOUR  # a day has an hour of rows at least: nearer to its end it would grow
    programmes = [row for row in second.segments if row.kind is SegmentKind.PROGRAMME and row.starts <= last]
    boundary = programmes[place_in_day % len(programmes)]
    aired = [row for row in second.segments if row.starts < boundary.starts]
    place = Place(second.day, boundary.starts, cursors_after(planner, first.cursors, aired))
    (again,) = draft(planner, {}, place, boundary.starts)
    assert [*aired, *again.segments] == list(second.segments)
    assert again.cursors == second.cursors


def row(starts: int, ends: int, item: str | None = "local:1") -> Segment:
    return Segment("one", SegmentKind.PROGRAMME if item else SegmentKind.CARD, starts, ends, item)


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), max_size=60))
def test_substitutes_keep_every_span(shapes: list[tuple[int, bool, bool]]) -> None:
    """Runs of old and new rows span the same time without a gap; together they replace what was asked, nothing else."""
    rows: list[Segment] = []
    at = 0
    for length, gap_before, _ in shapes:
        at += 5 * gap_before
        rows.append(row(at, at + length * 10))
        at += length * 10
    replacements = [
        Replacement(
            each, (replace(each, ends=each.ends - 1, item="local:2"), row(each.ends - 1, each.ends, None))
        )
        for each, (_, _, gone) in zip(rows, shapes, strict=True)
        if gone
    ]
    runs = list(substituted(rows, replacements))
    for old, new in runs:
        assert (old[0].starts, old[-1].ends) == (new[0].starts, new[-1].ends)
        assert all(a.ends == b.starts for part in (old, new) for a, b in pairwise(part))
    removed = set(chain.from_iterable(old for old, _ in runs)) - set(
        chain.from_iterable(new for _, new in runs)
    )
    assert removed == {replacement.row for replacement in replacements}


def test_only_the_channels_own_items_on_other_channels_count() -> None:
    """What is taken elsewhere names the items of the channel's pools, and never its own rows."""
    items = [
        Item("local:1", ItemKind.FILM, "1", HOUR, "Films"),
        Item("local:2", ItemKind.FILM, "2", HOUR, "Other"),
    ]
    planner = Planner(CHANNEL, Catalogue.of(items))
    rows = {
        "one": [row(0, 10)],
        "two": [replace(row(20, 30), channel="two"), replace(row(30, 40, "local:2"), channel="two")],
    }
    assert taken_elsewhere(rows, planner) == {"local:1": [(20, 30)]}


def test_a_change_shows_what_differs() -> None:
    """A comparison leaves out the rows that stay."""
    stays, old, new = row(0, 10), row(10, 20), row(10, 20, "local:2")
    assert Change.between("one", 0, [stays, old], [stays, new]) == Change("one", 0, (old,), (new,))
