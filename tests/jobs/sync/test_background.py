"""The server's own job: probes, notices and details, and patience with servers that do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exstream.errors import Busy, OutboundError, SignInNeeded, StoreError, Unreachable
from exstream.jobs.board import Board, JobState
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.sync.background import NEWS_SECONDS, BackgroundSync
from exstream.jobs.sync.debounce import LONGEST_SECONDS, QUIET_SECONDS, Debounce
from exstream.jobs.sync.reloads import APART_SECONDS, Reloads
from exstream.jobs.sync.rounds import FIRST_PAUSE, PROBE_SECONDS
from exstream.model.catalogue import Catalogue
from exstream.model.server import Server
from exstream.plex.records import Happening, Notice
from exstream.store.catalogue import CatalogueStore
from exstream.store.plex import PlexStore
from tests.fakes import SteppedClock, until
from tests.jobs.sync.paper import PaperServer, episode, media, movie

pytestmark = pytest.mark.anyio


class House:
    """The job, running, with what it works with."""

    def __init__(
        self,
        paper: PaperServer,
        shelves: PlexStore,
        catalogue: CatalogueHolder,
        clock: SteppedClock,
        section: str = "",
    ) -> None:
        self.paper, self.catalogue, self.clock = paper, catalogue, clock
        self.board = Board(clock.now_ms)
        self.connected: list[Server] = []
        self.job = BackgroundSync(shelves, self._connect, catalogue, self.board, clock, section=section)

    @asynccontextmanager
    async def _connect(self, server: Server) -> AsyncIterator[PaperServer]:
        self.connected.append(server)
        yield self.paper

    def title(self, key: str) -> str:
        item = self.catalogue.current.items.get(key)
        return "" if item is None or item.missing else item.title

    async def pass_time(self, seconds: float) -> None:
        """Let time pass a second at a time, so that each thing happens when it is due."""
        for _ in range(round(seconds)):
            await self.clock.step(1)
            await asyncio.sleep(0.005)

    async def idle(self) -> None:
        """Wait until the first reading and all details are done."""
        await until(lambda: len(self.catalogue.current.items) == 17)
        await until(lambda: all(item.media for item in self.catalogue.current.items.values()))
        await until(lambda: self.clock.sleepers >= 2)


@pytest.fixture
async def house(
    paper: PaperServer, shelves: PlexStore, kept: CatalogueStore, clock: SteppedClock
) -> AsyncIterator[House]:
    found = House(paper, shelves, CatalogueHolder(kept), clock)
    running = asyncio.create_task(found.job.run())
    yield found
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_everything_is_read_at_start_and_asked_for_every_few_minutes(house: House) -> None:
    """The first reading comes unasked with all details; later changes are found by the next probe."""
    await house.idle()
    assert house.board.jobs()[0].state is JobState.DONE
    assert "17 added" in house.board.jobs()[0].message
    house.paper.put("1", movie(100, "Other", updated_at=movie(900).updated_at))
    await house.pass_time(PROBE_SECONDS - 30)
    assert house.title("paper:100") == "Film 100"
    await house.pass_time(31)
    await until(lambda: house.title("paper:100") == "Other")


async def test_only_the_library_of_the_settings_is_read(
    paper: PaperServer, shelves: PlexStore, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """Where the settings name one library, neither probes nor notices bring anything of the others."""
    house = House(paper, shelves, CatalogueHolder(kept), clock, section="Films")
    running = asyncio.create_task(house.job.run())
    await until(lambda: len(house.catalogue.current.items) == 10)
    await until(lambda: all(item.media for item in house.catalogue.current.items.values()))
    await until(lambda: clock.sleepers >= 2)
    old = next(each for each in paper.entries["2"] if each.key == "10")
    paper.put("2", episode(205, old, 5, section="2"))
    paper.put("1", movie(150, section="1"))
    for key in ("205", "150"):
        paper.told.put_nowait(Notice(Happening.CHANGED, key))
    await house.pass_time(QUIET_SECONDS + 1)
    await until(lambda: bool(house.title("paper:150")))
    await house.pass_time(PROBE_SECONDS)
    assert len(house.catalogue.current.items) == 11
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_notice_is_read_once_it_is_quiet(house: House) -> None:
    """A burst of notices of one item makes one reading, ten seconds after the last; a deleted item is missing."""
    await house.idle()
    house.paper.put("1", movie(100, "Other", section="1", updated_at=movie(900).updated_at))
    house.paper.drop("1", "101")
    house.paper.asked.clear()
    for _ in range(5):
        house.paper.told.put_nowait(Notice(Happening.CHANGED, "100"))
        await house.pass_time(1)
    house.paper.told.put_nowait(Notice(Happening.DELETED, "101"))
    await house.pass_time(QUIET_SECONDS - 5)
    assert house.paper.asked == []
    await house.pass_time(6)
    await until(lambda: house.title("paper:100") == "Other")
    await until(lambda: not house.title("paper:101"))
    asked = [what for what in house.paper.asked if what.startswith("details")]
    assert len([what for what in asked if "100" in what]) <= 2


async def test_what_was_told_of_is_read_though_the_server_stumbles(house: House) -> None:
    """A server that is away when an item is to be read is asked for it when it is back; nothing else would tell."""
    await house.idle()
    replaced = movie(100, "Film 100", section="1", media=media(100, "/media/movies", size=2_000))
    house.paper.put("1", replaced)  # at the same instant: no listing of what has changed holds it
    asked: list[str] = []

    def away(what: str) -> Unreachable | None:
        asked.append(what)
        return Unreachable("away")

    house.paper.told.put_nowait(Notice(Happening.CHANGED, "100"))
    await house.pass_time(QUIET_SECONDS - 1)
    house.paper.fault = away
    await house.pass_time(2)
    await until(lambda: bool(asked))
    house.paper.fault = lambda _: None
    await house.pass_time(FIRST_PAUSE + QUIET_SECONDS + 1)

    def size() -> int:
        return house.catalogue.current.items["paper:100"].versions[0].parts[0].size

    await until(lambda: size() == 2_000)


async def test_a_line_that_is_up_again_has_the_server_asked(house: House) -> None:
    """What happened while nobody listened is not told: after a connection the changes are read."""
    await house.idle()
    house.paper.put("1", movie(100, "Other", updated_at=movie(900).updated_at))
    house.paper.told.put_nowait(Notice(Happening.CONNECTED))
    await house.pass_time(QUIET_SECONDS + 2)
    await until(lambda: house.title("paper:100") == "Other")


async def test_a_line_that_breaks_has_the_server_asked(house: House) -> None:
    """A server that goes away is found out within seconds of its line's end, not at the next probe, and is told."""
    await house.idle()
    house.paper.fault = lambda _: Unreachable("nobody there")
    house.paper.told.put_nowait(Notice(Happening.LOST))
    await house.pass_time(QUIET_SECONDS + 2)
    await until(lambda: house.board.jobs()[0].state is JobState.FAILED)
    assert str(house.job.faults()["paper"]) == "nobody there"


async def test_without_a_valid_token_one_probe_a_minute_until_there_is_another(
    house: House, shelves: PlexStore
) -> None:
    """A refused token is on the board in a sentence and makes no storm; another token is used within seconds."""
    await house.idle()
    house.paper.fault = lambda what: SignInNeeded("sign in again") if what == "sections" else None
    house.job.ask("paper")
    await until(lambda: house.board.jobs()[0].state is JobState.FAILED)
    assert house.board.jobs()[0].message == "sign in again"
    house.paper.asked.clear()
    await house.pass_time(180)
    assert 1 <= house.paper.asked.count("sections") <= 3
    house.paper.fault = lambda _: None
    await shelves.keep_server(Server("paper", "Den", "http://den:32400", "another"))
    await house.pass_time(NEWS_SECONDS + 1)
    await until(lambda: [server.token for server in house.connected] == ["token", "another"])
    await until(lambda: house.board.jobs()[0].state is JobState.DONE)


async def test_a_refusal_that_lasts_is_told_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """However often a refused token is tried, the log warns of it once; of another refusal, later, once more."""
    await house.idle()
    capsys.readouterr()

    async def refused() -> list[str]:
        house.paper.fault = lambda what: SignInNeeded("sign in again") if what == "sections" else None
        house.job.ask("paper")
        await until(lambda: house.board.jobs()[0].state is JobState.FAILED)
        await house.pass_time(600)
        return [line for line in capsys.readouterr().out.splitlines() if "cannot be read now" in line]

    house.paper.asked.clear()
    (line,) = await refused()
    assert "sign in again" in line
    assert house.paper.asked.count("sections") >= 3
    house.paper.fault = lambda _: None
    await house.pass_time(PROBE_SECONDS + 1)
    await until(lambda: house.board.jobs()[0].state is JobState.DONE)
    assert len(await refused()) == 1


@pytest.mark.parametrize("wait", [20, 200])
async def test_maintenance_is_waited_for_as_long_as_it_takes(house: House, wait: int) -> None:
    """A server that says when to come back is asked then and not before, and nothing is lost."""
    await house.idle()

    def busy(what: str) -> OutboundError | None:
        return Busy("maintenance", wait) if what == "identity" else None

    house.paper.fault = busy
    house.job.ask("paper")
    await until(lambda: house.board.jobs()[0].state is JobState.FAILED)
    house.paper.asked.clear()
    await house.pass_time(wait - 2)
    assert house.paper.asked == []
    house.paper.fault = lambda _: None
    await house.pass_time(4)
    await until(lambda: house.board.jobs()[0].state is JobState.DONE)
    assert len(house.catalogue.current.items) == 17


async def test_a_server_that_is_removed_is_left_alone(house: House, shelves: PlexStore) -> None:
    """Once it is not in the store any more, nothing is asked of it."""
    await house.idle()
    await shelves.remove_server("paper")
    await house.pass_time(NEWS_SECONDS + 1)
    house.paper.asked.clear()
    await house.pass_time(PROBE_SECONDS + 10)
    assert house.paper.asked == []


def test_what_never_gets_quiet_is_due_all_the_same() -> None:
    """A thing that is told of all the time is read every thirty seconds."""
    told: Debounce[str] = Debounce()
    taken = []
    for second in range(100):
        told.tell("a", second)
        taken += [second for _ in told.take(second)]
    assert taken == [30, 61, 92]
    assert told.next_due == 99 + min(QUIET_SECONDS, LONGEST_SECONDS)
    assert told.take(1_000) == ["a"]
    assert told.next_due == float("inf")


class Counting:
    """A shelf that counts how often it is read."""

    def __init__(self) -> None:
        self.read = 0
        self.fault: StoreError | None = None

    async def load(self) -> Catalogue:
        if self.fault is not None:
            raise self.fault
        self.read += 1
        return Catalogue()


async def test_a_catalogue_that_could_not_be_read_is_read_later(clock: SteppedClock) -> None:
    """What was written while the database could not be read is in the catalogue once it can, with no other write."""
    shelf = Counting()
    reloads = Reloads(CatalogueHolder(shelf), clock)
    shelf.fault = StoreError("the database is away")
    with pytest.raises(StoreError):
        await reloads.committed()
    shelf.fault = None
    await reloads.catch_up()
    assert shelf.read == 1
    await Reloads(CatalogueHolder(shelf), clock).catch_up()  # as after a restart of the job
    assert shelf.read == 2


async def test_the_catalogue_is_read_again_now_and_then_in_a_long_pass(clock: SteppedClock) -> None:
    """A hundred pages in a minute make the catalogue anew every fifteen seconds, and once in the end."""
    shelf = Counting()
    reloads = Reloads(CatalogueHolder(shelf), clock)
    for _ in range(100):
        await reloads.committed()
        await clock.step(0.6)
    assert shelf.read == 60 / APART_SECONDS
    await reloads.catch_up()
    await reloads.catch_up()
    assert shelf.read == 60 / APART_SECONDS + 1
