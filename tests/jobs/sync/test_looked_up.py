"""How much of what is kept a synchronisation looks up: all of it only where all of it is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from exstream.jobs.sync.means import Means
from exstream.jobs.sync.sync import ServerSync
from exstream.model.catalogue import ItemKey
from exstream.model.server import Known
from exstream.plex.records import Kind
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import Vault
from tests.fakes import SteppedClock
from tests.jobs.sync.paper import PaperServer, movie

pytestmark = pytest.mark.anyio


class Counted(PlexStore):
    """The store, which counts what it gives of items."""

    given = 0

    async def known(self, library_id: int, keys: Collection[ItemKey] | None = None) -> dict[ItemKey, Known]:
        found = await super().known(library_id, keys)
        self.given += len(found)
        return found

    async def unfilled(self, library_id: int) -> dict[ItemKey, Known]:
        found = await super().unfilled(library_id)
        self.given += len(found)
        return found


@pytest.fixture
def counted(database: Database, tmp_path: Path) -> Counted:
    return Counted(database, Vault(tmp_path))


@pytest.fixture
def sync(means: Means, counted: Counted, paper: PaperServer) -> ServerSync:
    paper.library("3", Kind.MOVIE, "More", [movie(number, section="3") for number in range(500, 560)])
    return ServerSync(replace(means, shelves=counted))


async def test_where_nothing_has_changed_only_the_newest_are_looked_up(
    sync: ServerSync, counted: Counted, clock: SteppedClock
) -> None:
    """A probe that finds nothing to do looks up one item of each library, and no item for its details."""
    assert (await sync.run()).added == 77
    await sync.details()
    await clock.step(60)
    counted.given = 0
    assert (await sync.run()).skipped == 77
    await sync.details()
    assert counted.given == 3


async def test_what_was_not_looked_up_is_not_missed(
    sync: ServerSync, counted: Counted, paper: PaperServer, clock: SteppedClock
) -> None:
    """Changed, new and lost items are told apart, and their number is right, though few of them were looked up."""
    await sync.run()
    await sync.details()
    await clock.step(60)
    counted.given = 0
    paper.put("3", movie(507, "Changed", updated_at=clock.now_ms() // 1_000))
    assert (await sync.run()).updated == 1
    assert counted.given < 10
    paper.put("3", movie(560, added_at=clock.now_ms() // 1_000))
    paper.touch("3")
    done = await sync.run()
    assert (done.added, done.updated, done.removed) == (1, 0, 0)
    paper.drop("3", "501")
    paper.touch("3")
    assert (await sync.run()).removed == 1
    assert [each.state.total for each in await counted.libraries("paper")] == [10, 7, 60]


async def test_a_notice_looks_up_what_it_is_about(
    sync: ServerSync, counted: Counted, paper: PaperServer
) -> None:
    """What the server tells of is looked up by itself; one that is lost is counted against all that there are."""
    await sync.run()
    await sync.details()
    counted.given = 0
    assert (await sync.refresh({"510"})).updated == 0
    assert counted.given == 1
    paper.drop("3", "510")
    assert (await sync.refresh((), {"510"})).removed == 1
    assert [each.state.total for each in await counted.libraries("paper")] == [10, 7, 59]
