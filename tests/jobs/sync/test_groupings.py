"""Collections and playlists, plain and smart, by their members."""

from __future__ import annotations

import pytest

from exstream.errors import NotAllowed
from exstream.jobs.sync.plan import HOUR_MS
from exstream.jobs.sync.sync import ServerSync
from exstream.plex.records import Kind, Record
from exstream.store.catalogue import CatalogueStore
from tests.fakes import SteppedClock
from tests.jobs.sync.paper import PaperServer

pytestmark = pytest.mark.anyio


def grouped(paper: PaperServer) -> None:
    """Give the server a collection of films, a smart one of shows, and a playlist of a season and a film."""
    paper.grouped["900"] = (Record("900", Kind.COLLECTION, "Night", section="1"), ["100", "101"])
    paper.grouped["901"] = (Record("901", Kind.COLLECTION, "Space", section="2", smart=True), ["20"])
    season = Record("1001", Kind.SEASON, "Season 1", parent_key="10")
    paper.entries["2"].append(season)
    paper.grouped["902"] = (Record("902", Kind.PLAYLIST, "Mine"), ["100", "1001"])


async def test_items_know_what_they_are_in(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """Films are in their collection and playlist, episodes in those of their show and season."""
    grouped(paper)
    await sync.run()
    await sync.details()
    items = (await kept.load()).items
    assert (items["paper:100"].collections, items["paper:100"].playlists) == (("Night",), ("Mine",))
    assert items["paper:301"].collections == ("Space",)
    assert (items["paper:201"].collections, items["paper:201"].playlists) == ((), ("Mine",))


async def test_members_are_asked_for_where_something_may_have_changed(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """Within the hour nothing is asked; then the smart one, and a plain one only if it is not as it was."""
    grouped(paper)
    await sync.run()
    await sync.details()
    paper.asked.clear()
    await sync.run()
    await sync.details()
    assert not [what for what in paper.asked if what.startswith(("collections", "members"))]
    paper.grouped["901"] = (paper.grouped["901"][0], ["10"])
    del paper.grouped["902"]
    clock.shift(HOUR_MS)
    await sync.run()
    await sync.details()
    assert [what for what in paper.asked if what.startswith("members")] == ["members 901"]
    items = (await kept.load()).items
    assert (items["paper:301"].collections, items["paper:201"].collections) == ((), ("Space",))
    assert items["paper:100"].playlists == ()


async def test_a_user_who_may_not_see_them_does_without(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, clock: SteppedClock
) -> None:
    """What is known stays where the server refuses to tell, and the rest is read."""
    grouped(paper)
    await sync.run()
    await sync.details()
    paper.fault = lambda what: NotAllowed("not for you") if what.startswith("collections") else None
    clock.shift(HOUR_MS)
    await sync.run()
    assert await sync.details() == 0
    assert (await kept.load()).items["paper:100"].collections == ("Night",)
