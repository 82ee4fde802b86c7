"""Published timelines on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exstream.errors import StoreError
from exstream.model.programme import DaySchedule, Segment, SegmentKind
from exstream.store.database import Database
from exstream.store.schedules import PublishedDay, ScheduleStore
from tests.store.samples import DAY, FIRST_DAY, MIDNIGHT, MINUTE, day_of_rows

pytestmark = pytest.mark.anyio
HOUR = 60 * MINUTE


@pytest.fixture
def store(database: Database) -> ScheduleStore:
    return ScheduleStore(database)


async def everything(store: ScheduleStore, channel: str = "one") -> list[Segment]:
    return await store.segments(channel, 0, MIDNIGHT + 100 * DAY)


async def test_a_published_day_is_read_as_it_was(store: ScheduleStore) -> None:
    """Rows, the day's span and its cursors survive; a channel without rows has no last day."""
    first, second = day_of_rows(), day_of_rows(number=1)
    await store.append(first)
    await store.append(second)
    assert await everything(store) == [*first.segments, *second.segments]
    assert await store.latest("one") == PublishedDay(second.day, second.starts, second.ends, second.cursors)
    assert [day.day for day in await store.days("one")] == [first.day, second.day]
    assert await store.latest("two") is None


async def test_a_span_is_read_with_the_row_it_begins_in(store: ScheduleStore) -> None:
    """Reading gives the rows that touch a span, also where the first began long before it, for any channels."""
    one, two = day_of_rows("one"), day_of_rows("two", rows=2)
    await store.append(one)
    await store.append(two)
    start, end = MIDNIGHT + 90 * MINUTE, MIDNIGHT + 3 * HOUR
    assert await store.segments("one", start, end) == list(one.segments[1:3])
    assert await store.all_segments(start, end) == {
        "one": list(one.segments[1:3]),
        "two": list(two.segments[:1]),
    }
    assert await store.segments_of(["two", "none"], start, end) == {"two": list(two.segments[:1])}
    assert await store.segments_of([], start, end) == {}
    assert await store.segments("one", MIDNIGHT - HOUR, MIDNIGHT + 1) == list(one.segments[:1])
    assert await store.segments("one", MIDNIGHT + DAY, MIDNIGHT + 2 * DAY) == []
    assert await store.all_segments(MIDNIGHT - HOUR, MIDNIGHT) == {}


async def test_what_is_published_is_not_published_over(store: ScheduleStore) -> None:
    """A day that overlaps a published one is refused and leaves no row behind; other channels are free."""
    day = day_of_rows()
    await store.append(day)
    shifted = tuple(
        replace(each, starts=each.starts + 30 * MINUTE, ends=each.ends + 30 * MINUTE) for each in day.segments
    )
    with pytest.raises(StoreError, match="overlaps what is published"):
        await store.append(DaySchedule("one", day.day + timedelta(days=1), shifted, {}))
    assert await everything(store) == list(day.segments)
    await store.append(day_of_rows("two"))


async def test_gone_items_are_replaced_in_their_span_only(store: ScheduleStore) -> None:
    """New rows take the place of old ones exactly, and only of rows that are really published."""
    day = day_of_rows()
    await store.append(day)
    old = day.segments[3:5]
    new = (
        replace(old[0], ends=old[1].ends - MINUTE, item="local:77", title="Other"),
        Segment("one", SegmentKind.CARD, old[1].ends - MINUTE, old[1].ends),
    )
    await store.replace("one", old, new)
    assert await everything(store) == [*day.segments[:3], *new, *day.segments[5:]]
    with pytest.raises(StoreError, match="not those published"):
        await store.replace("one", old, new)
    with pytest.raises(StoreError, match="fill that span exactly"):
        await store.replace(
            "one", day.segments[6:7], [replace(day.segments[6], ends=day.segments[6].ends - 1)]
        )
    with pytest.raises(StoreError, match="without a gap"):
        await store.replace("one", [day.segments[6], day.segments[8]], [day.segments[6]])
    with pytest.raises(StoreError, match="another channel"):
        await store.replace("two", day.segments[6:7], day.segments[6:7])
    assert await everything(store) == [*day.segments[:3], *new, *day.segments[5:]]


async def test_a_change_takes_over_where_a_row_begins(store: ScheduleStore) -> None:
    """What is published from an instant on gives way to new days; the day that is cut goes on in the same day."""
    days = [day_of_rows(number=number) for number in range(3)]
    for day in days:
        await store.append(day)
    at = MIDNIGHT + DAY + 6 * HOUR
    rest = tuple(replace(each, item="local:new") for each in days[1].segments if each.starts >= at)
    longer = replace(rest[-1], ends=rest[-1].ends + HOUR)
    cut = DaySchedule("one", days[1].day, (*rest[:-1], longer), {})
    await store.supersede("one", at, [cut])
    assert await everything(store) == [*days[0].segments, *days[1].segments[:6], *rest[:-1], longer]
    latest = PublishedDay(days[1].day, days[1].starts, days[1].ends + HOUR, {})
    assert await store.latest("one") == latest
    with pytest.raises(StoreError, match="within a programme"):
        await store.supersede(
            "one", at + MINUTE, [DaySchedule("one", cut.day, _card(at + MINUTE, at + HOUR), {})]
        )
    with pytest.raises(StoreError, match="must begin there"):
        await store.supersede("one", at + HOUR, [cut])
    assert await store.latest("one") == latest


def _card(starts: int, ends: int) -> tuple[Segment, ...]:
    return (Segment("one", SegmentKind.CARD, starts, ends),)


async def test_a_card_may_be_cut_short(store: ScheduleStore) -> None:
    """A card that stood in for a library not made yet ends where its programmes begin."""
    day = DaySchedule("one", FIRST_DAY, _card(MIDNIGHT, MIDNIGHT + DAY), {})
    await store.append(day)
    at = MIDNIGHT + 61 * MINUTE
    real = (Segment("one", SegmentKind.PROGRAMME, at, MIDNIGHT + DAY, "local:1"),)
    await store.supersede("one", at, [DaySchedule("one", FIRST_DAY, real, {})])
    assert await everything(store) == [*_card(MIDNIGHT, at), *real]


async def test_old_rows_go_but_the_last_day_is_remembered(store: ScheduleStore) -> None:
    """Pruning drops rows that ended, never the cursors that a channel goes on from."""
    for number in range(3):
        await store.append(day_of_rows(number=number))
    assert await store.prune(MIDNIGHT + DAY + HOUR) == 25
    assert (await everything(store))[0].starts == MIDNIGHT + DAY + HOUR
    assert [day.day for day in await store.days("one")] == [FIRST_DAY + timedelta(days=n) for n in (1, 2)]
    assert await store.prune(MIDNIGHT + 50 * DAY) == 47
    assert await everything(store) == []
    latest = await store.latest("one")
    assert latest is not None
    assert latest.cursors == day_of_rows(number=2).cursors


async def test_a_channel_can_be_forgotten(store: ScheduleStore) -> None:
    """Forgetting a channel drops its rows and days, and no other channel's."""
    await store.append(day_of_rows("one"))
    await store.append(day_of_rows("two"))
    await store.forget("one")
    assert await store.latest("one") is None
    assert list(await store.all_segments(0, MIDNIGHT + DAY)) == ["two"]
