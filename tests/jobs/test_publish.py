"""The horizon keeper, on a real database and a stepped clock."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from exstream.errors import StoreError
from exstream.jobs.publish import DAY_MS, KEPT_MS
from exstream.model.catalogue import Catalogue
from exstream.model.channel import Order, Pool, Query
from exstream.model.programme import OFF_AIR, Segment, SegmentKind
from exstream.store.database import Database
from exstream.store.schedules import ScheduleStore
from tests.databases import KINDS, empty_database
from tests.fakes import SteppedClock
from tests.jobs.station import HOUR, MINUTE, Station, channel, film, until

pytestmark = pytest.mark.anyio


NOON = 1_780_000_000_000 // DAY_MS * DAY_MS + 12 * HOUR + 34_000
"""Half a minute after noon UTC of some day in May 2026."""


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOON)


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty_database(request, tmp_path)


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    opened = Database(address)
    try:
        await opened.open()
        yield opened
    finally:
        await opened.dispose()


@pytest.fixture
def store(database: Database) -> ScheduleStore:
    return ScheduleStore(database)


def whole(rows: Sequence[Segment]) -> bool:
    return all(before.ends == after.starts for before, after in pairwise(rows))


async def test_a_new_channel_is_on_air_at_once(store: ScheduleStore, clock: SteppedClock) -> None:
    """Starting publishes two days from this minute on, with the first item of the order first."""
    station = Station(store, clock, [channel("one", order=Order.CHRONOLOGICAL)])
    assert station.publisher.unready() == ("one",)
    await station.publisher.start()
    rows = await station.published("one")
    assert rows[0].starts == station.now // MINUTE * MINUTE
    assert rows[0].title == "Films 0"
    assert whole(rows)
    assert await station.ahead("one") >= 2 * DAY_MS
    assert station.publisher.unready() == ()
    cue = station.publisher.cue("one", station.now)
    assert (cue.segment, cue.offset) == (rows[0], station.now - rows[0].starts)


async def test_a_channel_on_a_grid_starts_within_a_programme(
    store: ScheduleStore, clock: SteppedClock
) -> None:
    """A channel whose programmes start on half hours begins at the last one: nobody waits before a card."""
    await clock.step(10 * 60)
    station = Station(store, clock, [replace(channel("one"), align_minutes=30)])
    await station.publisher.start()
    cue = station.publisher.cue("one", station.now)
    assert cue.segment.kind is SegmentKind.PROGRAMME
    assert cue.segment.starts % (30 * MINUTE) == 0
    assert 0 < cue.offset < 30 * MINUTE


async def test_starting_again_publishes_nothing_twice(store: ScheduleStore, clock: SteppedClock) -> None:
    """A server that starts again finds its rows and adds none while two days are ahead."""
    first = Station(store, clock, [channel("one")])
    await first.publisher.start()
    rows = await first.published("one")
    await clock.step(300)
    again = Station(store, clock, [channel("one")])
    await again.publisher.start()
    assert await again.published("one") == rows
    assert again.publisher.cue("one", again.now).segment in rows


async def test_the_horizon_is_kept_as_time_goes_by(store: ScheduleStore, clock: SteppedClock) -> None:
    """The timeline reaches a week ahead, day after day, without a gap, and the player always finds its row."""
    station = Station(store, clock, [channel("one"), channel("two")])
    await station.publisher.start()
    async with station.running():
        for _ in range(6):
            await station.next_round(17 * 3_600)
            for name in ("one", "two"):
                assert await station.ahead(name) >= 7 * DAY_MS
                for hour in range(-6, 24, 3):
                    at = station.now + hour * HOUR
                    cue = station.publisher.cue(name, at)
                    published = await store.segments(name, at, at + 1)
                    assert [cue.segment] == published or (not published and cue.segment.title == OFF_AIR)
    rows = await station.published("one")
    assert whole(rows)
    assert rows[0].ends > station.now - KEPT_MS - DAY_MS


async def test_old_rows_go_after_two_weeks(store: ScheduleStore, clock: SteppedClock) -> None:
    """Rows of more than fourteen days ago are dropped while the server runs."""
    station = Station(store, clock, [channel("one")], horizon_days=2)
    await station.publisher.start()
    async with station.running():
        for _ in range(20):
            await station.next_round(DAY_MS / 1000)
    rows = await station.published("one")
    assert station.now - KEPT_MS - DAY_MS < rows[0].starts <= station.now - KEPT_MS


async def test_after_a_long_rest_the_order_goes_on(store: ScheduleStore, clock: SteppedClock) -> None:
    """A server that was off for weeks goes on from this minute, with the item after the last one planned."""
    definition = channel("one", order=Order.CHRONOLOGICAL)
    station = Station(store, clock, [definition], horizon_days=2)
    await station.publisher.start()
    last = (await station.published("one"))[-1]
    await clock.step(20 * DAY_MS / 1000)
    again = Station(store, clock, [definition], horizon_days=2)
    await again.publisher.start()
    first = again.publisher.cue("one", again.now).segment
    assert first.starts == again.now // MINUTE * MINUTE
    order = [item.key for item in sorted(station.items.items.values(), key=lambda item: int(item.key[11:]))]
    assert last.item is not None
    assert first.item == order[(order.index(last.item) + 1) % len(order)]


async def test_channels_do_not_air_one_item_at_once(store: ScheduleStore, clock: SteppedClock) -> None:
    """Channels that share a library are planned with a view to each other."""
    station = Station(store, clock, [channel("one"), channel("two"), channel("three")])
    await station.publisher.start()
    rows = await store.all_segments(station.now, station.now + DAY_MS)
    clashes = [
        (mine, other)
        for mine in rows["one"]
        for other in (*rows["two"], *rows["three"])
        if mine.item == other.item and mine.starts < other.ends and other.starts < mine.ends
    ]
    assert clashes == []


async def test_channels_come_and_go(store: ScheduleStore, clock: SteppedClock) -> None:
    """A new channel is on air at once; a disabled one leaves the air, keeps its rows and comes back to them."""
    station = Station(store, clock, [channel("one")])
    await station.publisher.start()
    async with station.running():
        await station.settled()
        station.definitions.append(channel("two"))
        station.publisher.wake()
        await until(lambda: not station.publisher.unready())
        await station.settled()
        assert await station.ahead("two") >= 7 * DAY_MS
        rows = await station.published("one")
        station.definitions[0] = replace(station.definitions[0], enabled=False)
        station.publisher.wake()
        await until(lambda: station.publisher.cue("one", station.now).segment.title == OFF_AIR)
        assert b'published_until_seconds{channel="one"}' not in station.metrics.exposition()
        assert await station.published("one") == rows
        station.definitions[0] = replace(station.definitions[0], enabled=True)
        station.publisher.wake()
        await until(lambda: station.publisher.cue("one", station.now).segment in rows)


async def test_a_definition_acts_beyond_what_is_published(store: ScheduleStore, clock: SteppedClock) -> None:
    """A changed definition leaves published rows alone; the days planned after it follow it."""
    films = [film(number) for number in range(30)]
    series = [film(number, library="Series") for number in range(30)]
    station = Station(store, clock, [channel("one")], Catalogue.of([*films, *series]), horizon_days=2)
    await station.publisher.start()
    before = await station.published("one")
    station.definitions[0] = channel("one", "Series")
    async with station.running():
        await station.next_round(2 * DAY_MS / 1000)
    after = await station.published("one")
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert all(row.title.startswith("Series") for row in after[len(before) :])


async def test_applying_a_definition_replans_from_a_boundary(
    store: ScheduleStore, clock: SteppedClock
) -> None:
    """Applying takes over at the first programme in ten minutes or more, as the preview said, and no earlier."""
    films = [film(number) for number in range(30)]
    series = [film(number, library="Series") for number in range(30)]
    station = Station(store, clock, [channel("one")], Catalogue.of([*films, *series]))
    await station.publisher.start()
    before = await station.published("one")
    station.definitions[0] = channel("one", "Series")
    async with station.running():
        await station.settled()
        revision, ahead = station.publisher.revision("one"), await station.ahead("one")
        planned = await station.published("one")
        preview = await station.publisher.preview("one")
        assert await station.published("one") == planned
        change = await station.publisher.apply("one")
        assert change is not None
        assert change == preview
        assert station.publisher.revision("one") > revision
        await station.settled()
    boundary = next(row.starts for row in before if row.starts >= station.now + 10 * MINUTE)
    assert change.at_ms == boundary
    after = await station.published("one")
    assert whole(after)
    assert [row for row in after if row.starts < boundary] == [row for row in before if row.starts < boundary]
    assert all(row.title.startswith("Series") for row in after if row.starts >= boundary)
    assert change.removed == tuple(row for row in planned if row.starts >= boundary)
    assert change.removed[0].title.startswith("Films")
    assert {row.title.partition(" ")[0] for row in change.added} == {"Series"}
    assert await station.ahead("one") >= ahead
    assert station.publisher.cue("one", boundary).segment.title.startswith("Series")
    assert await station.publisher.apply("nowhere") is None


async def test_applying_goes_on_in_the_order(store: ScheduleStore, clock: SteppedClock) -> None:
    """Applying the same definition in the middle of a day changes nothing: the order is taken up where it stands."""
    pools = (
        Pool("films", Query(libraries=("Films",)), Order.CHRONOLOGICAL),
        Pool("series", Query(libraries=("Series",)), Order.SHUFFLE, count=2),
    )
    items = [film(n) for n in range(9)] + [film(n, 23, "Series") for n in range(20)]
    station = Station(store, clock, [replace(channel("one"), pools=pools)], Catalogue.of(items))
    await station.publisher.start()
    await clock.step(9 * 3_600)
    change = await station.publisher.apply("one")
    assert change is not None
    assert change.removed == ()


async def test_rows_of_gone_items_are_replaced(store: ScheduleStore, clock: SteppedClock) -> None:
    """When items are gone for good, their rows give way in their own span; sooner ones and others stay."""
    station = Station(store, clock, [channel("one")])
    await station.publisher.start()
    async with station.running():
        await station.settled()
        before = await station.published("one")
        soon = next(row for row in before if row.starts >= station.now)
        gone = {soon.item, before[3].item}
        station.clock.shift(soon.starts - 5 * MINUTE - station.now)
        station.items = Catalogue.of(item for item in station.items.items.values() if item.key not in gone)
        revision = station.publisher.revision("one")
        await station.publisher.heard(station.items)
        await until(lambda: station.publisher.revision("one") > revision)
        await station.settled()
    after = await station.published("one")
    assert whole(after)
    assert [row for row in after if row.item in gone and row.starts > station.now] == [soon]
    kept = [row for row in before if row.item not in gone or row == soon]
    assert set(kept) <= set(after)
    assert station.publisher.cue("one", before[3].starts).segment.item not in gone


async def test_a_catalogue_that_was_never_loaded_takes_nothing_away(
    store: ScheduleStore, clock: SteppedClock
) -> None:
    """As long as the library has not been read, no item counts as gone."""
    station = Station(store, clock, [channel("one")])
    await station.publisher.start()
    before = await station.published("one")
    again = Station(store, clock, [channel("one")], Catalogue(), horizon_days=2)
    await again.publisher.start()
    async with again.running():
        await again.settled()
    assert await again.published("one") == before


async def test_programmes_take_the_place_of_cards_at_once(store: ScheduleStore, clock: SteppedClock) -> None:
    """A channel that had nothing to air begins with its programmes in the next minute after they were found."""
    station = Station(store, clock, [channel("one")], Catalogue.of([]))
    await station.publisher.start()
    assert {row.kind for row in await station.published("one")} == {SegmentKind.CARD}
    async with station.running():
        await station.settled()
        station.items = Catalogue.of([film(number) for number in range(30)])
        station.publisher.wake()
        next_minute = (station.now // MINUTE + 1) * MINUTE
        await until(lambda: station.publisher.cue("one", next_minute).segment.kind is SegmentKind.PROGRAMME)
        await station.settled()
        assert station.publisher.cue("one", next_minute).segment.starts == next_minute
        assert await station.ahead("one") >= 7 * DAY_MS
    assert whole(await station.published("one"))


async def test_programmes_do_not_cut_filler(store: ScheduleStore, clock: SteppedClock) -> None:
    """Where only filler was on, programmes begin when the piece that is on has ended."""
    filler = Pool("breaks", Query(libraries=("Breaks",)))
    definition = replace(channel("one"), filler=filler)
    breaks = [film(number, 7, "Breaks") for number in range(5)]
    station = Station(store, clock, [definition], Catalogue.of(breaks))
    await station.publisher.start()
    await clock.step(90)
    on_air = station.publisher.cue("one", station.now).segment
    assert on_air.kind is SegmentKind.FILLER
    async with station.running():
        await station.settled()
        station.items = Catalogue.of([*breaks, *(film(number) for number in range(30))])
        station.publisher.wake()
        await until(lambda: station.publisher.cue("one", on_air.ends).segment.kind is SegmentKind.PROGRAMME)
    rows = await station.published("one")
    assert whole(rows)
    assert on_air in rows


async def test_another_publisher_is_not_fought(store: ScheduleStore, clock: SteppedClock) -> None:
    """When another server has published meanwhile, its rows are taken over and the horizon is kept from their end."""
    station = Station(store, clock, [channel("one")], horizon_days=2)
    await station.publisher.start()
    other = Station(store, clock, [channel("one")], horizon_days=4)
    async with station.running():
        await station.settled()
        async with other.running():
            await until(lambda: clock.sleepers == 2)
        rows = await other.published("one")
        await station.next_round(3 * DAY_MS / 1000)
        await station.next_round(60)
        at = station.now
    assert station.publisher.cue("one", at).segment in rows
    after = await station.published("one")
    assert whole(after)
    assert after[: len(rows)] == rows
    assert after[-1].ends >= at + 2 * DAY_MS


async def test_a_stepped_wall_finds_its_rows(store: ScheduleStore, clock: SteppedClock) -> None:
    """When the wall jumps by days the window follows, and the row that is on is the one published."""
    station = Station(store, clock, [channel("one")])
    await station.publisher.start()
    async with station.running():
        await station.settled()
        clock.shift(4 * DAY_MS)
        await station.next_round()
        assert [station.publisher.cue("one", station.now).segment] == await store.segments(
            "one", station.now, station.now + 1
        )


async def test_without_its_database_the_channel_stays_on_air(
    store: ScheduleStore, clock: SteppedClock, database: Database
) -> None:
    """While the database refuses, what is in memory stays on air for a day and more; then publishing goes on."""
    station = Station(store, clock, [channel("one")])
    await station.publisher.start()
    async with station.running():
        await station.settled()
        async with database.write() as connection:
            await connection.execute(text("ALTER TABLE segment RENAME TO elsewhere"))
        for _ in range(5):
            await station.next_round(6 * 3_600)
            assert station.publisher.cue("one", station.now).segment.kind is SegmentKind.PROGRAMME
        with pytest.raises(StoreError):
            await station.publisher.rows("one", 0, station.now)
        async with database.write() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO segment"))
        await station.next_round(60)
        await station.next_round(60)
    assert await station.ahead("one") >= 7 * DAY_MS


async def test_the_guide_and_the_player_read_the_same_rows(store: ScheduleStore, clock: SteppedClock) -> None:
    """Rows come alike from memory and from the database, over any span, of one channel or of several."""
    station = Station(store, clock, [channel("one"), channel("two")])
    await station.publisher.start()
    for start, end in ((-HOUR, 3 * HOUR), (0, 30 * HOUR), (-9 * HOUR, HOUR), (20 * HOUR, 60 * HOUR)):
        asked = await station.publisher.rows("one", station.now + start, station.now + end)
        assert list(asked) == await store.segments("one", station.now + start, station.now + end)
        both = await station.publisher.rows_of(["two", "one"], station.now + start, station.now + end)
        assert list(both) == ["two", "one"]
        assert list(both["one"]) == list(asked)
        assert list(both["two"]) == await store.segments("two", station.now + start, station.now + end)
    assert b'exstream_published_until_seconds{channel="one"}' in station.metrics.exposition()
