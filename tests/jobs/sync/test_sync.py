"""A server is brought up to date: everything once, then only what has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.errors import Misunderstood, SignInNeeded, Unreachable
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.plan import Wishes
from exstream.jobs.sync.sync import ServerSync
from exstream.model.server import Mapping, Server
from exstream.plex.records import Kind, MarkerRecord, Record
from exstream.store.catalogue import CatalogueStore
from exstream.store.plex import PlexStore
from tests.jobs.sync.paper import PaperServer, media, movie, show
from tests.jobs.sync.told import Told

pytestmark = pytest.mark.anyio


async def test_the_first_synchronisation_brings_everything(
    sync: ServerSync, kept: CatalogueStore, told: Told
) -> None:
    """Every film and episode is an item after the listings alone, and both bars and every line were shown."""
    statistics = await sync.run()
    items = (await kept.load()).items
    assert len(items) == 17
    assert (statistics.total, statistics.added, statistics.processed, statistics.skipped) == (17, 17, 17, 0)
    assert (statistics.updated, statistics.removed, statistics.faults) == (0, 0, [])
    assert told.libraries == ["Films (1/2)", "TV Shows (2/2)"]
    assert told.items[0] == "Film 100 (1/10)"
    assert told.items[-1] == "Battlestar Galactica / Part 3 (3/3)"
    assert "Added movie: Film 100" in told.lines
    assert "Added episode: Part 1" in told.lines
    assert items["paper:301"].show_year == 2003
    assert items["paper:201"].show_year == 1978
    assert items["paper:301"].labels == ("night",)
    assert items["paper:201"].genres == ("Drama", "War", "Science Fiction")


async def test_nothing_changed_costs_five_requests_and_no_write(
    sync: ServerSync, paper: PaperServer, told: Told
) -> None:
    """A second run asks who answers, for the libraries and for what is newer, skips everything and says nothing."""
    await sync.run()
    told.clear()
    paper.asked.clear()
    statistics = await sync.run()
    assert statistics.requests <= 5, paper.asked
    assert (statistics.total, statistics.skipped, statistics.processed) == (17, 17, 0)
    assert (statistics.added, statistics.updated, statistics.writes) == (0, 0, 0)
    assert told.lines == []


async def test_details_are_read_once_in_the_order_that_is_wanted(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """Streams and markers come in batches, the most wanted first, and are no change that anybody is told of."""
    paper.put("1", movie(100, markers=(MarkerRecord("intro", 0, 9),), people=("A. Actor",)))
    await sync.run()
    told.clear()
    assert (await kept.load()).items["paper:100"].media is None
    paper.asked.clear()
    left = await sync.details(lambda keys: sorted(keys, reverse=True))
    assert left == 0
    details = [what for what in paper.asked if what.startswith("details")]
    assert details[0].split()[2].startswith("303,302,301,204")
    item = (await kept.load()).items["paper:100"]
    assert item.media
    assert item.media.video
    assert (len(item.markers), item.people) == (1, ("A. Actor",))
    assert told.lines == []
    paper.asked.clear()
    assert await sync.details() == 0
    assert paper.asked == []


async def test_a_dry_run_tells_and_writes_nothing(
    sync: ServerSync, paper: PaperServer, shelves: PlexStore, kept: CatalogueStore, told: Told
) -> None:
    """Before anything is kept and after, a rehearsal tells the lines of the run that follows."""
    first = await sync.run(Wishes(dry_run=True))
    assert (first.added, first.writes) == (17, 0)
    assert (await kept.load()).items == {}
    assert await shelves.libraries("paper") == []
    lines = list(told.lines)
    told.clear()
    await sync.run()
    assert told.lines == lines
    told.clear()
    paper.drop("1", "101")
    rehearsed = await sync.run(Wishes(dry_run=True, deep=True))
    assert (rehearsed.removed, rehearsed.writes) == (1, 0)
    assert "Removed movie: Film 101" in told.lines
    assert not (await kept.load()).items["paper:101"].missing


async def test_deep_reads_everything_and_writes_what_differs(
    sync: ServerSync, paper: PaperServer, told: Told
) -> None:
    """Every skip is ignored: details of all items are read, and a change that no digest tells is found."""
    await sync.run()
    await sync.details()
    told.clear()
    paper.put("1", movie(100, summary="Better"))
    paper.asked.clear()
    statistics = await sync.run(Wishes(deep=True))
    assert statistics.skipped == 0
    assert told.lines == ["Updated movie: Film 100"]


async def test_a_library_that_is_off_is_not_read(
    sync: ServerSync, paper: PaperServer, shelves: PlexStore
) -> None:
    """Only what is enabled is asked for, unless a library is named."""
    libraries = (await sync.libraries())[1]
    await shelves.enable_library(libraries[1].library.id, enabled=False)
    assert (await sync.run()).added == 10
    assert (await sync.run(Wishes(section="TV Shows"))).added == 7


async def test_two_servers_share_rating_keys(
    sync: ServerSync, means: Means, shelves: PlexStore, kept: CatalogueStore
) -> None:
    """The same numbers on another server are other items: reading one touches nothing of the other."""
    await sync.run()
    await shelves.keep_server(Server("attic", "Attic", "http://attic:32400", "t"))
    other = PaperServer("attic")
    other.library("1", Kind.MOVIE, "Films", [movie(number, f"Other {number}") for number in range(100, 103)])
    second = ServerSync(replace(means, server=Server("attic", "Attic", "http://attic:32400"), asking=other))
    assert (await second.run()).added == 3
    items = (await kept.load()).items
    assert len(items) == 20
    assert (items["paper:100"].title, items["attic:100"].title) == ("Film 100", "Other 100")
    other.drop("1", "100", "101", "102")
    await second.run(Wishes(force=True))
    assert sorted(key for key, item in (await kept.load()).items.items() if item.missing) == [
        "attic:100",
        "attic:101",
        "attic:102",
    ]


async def test_another_server_at_the_address_is_not_believed(sync: ServerSync, paper: PaperServer) -> None:
    """Where another machine answers, nothing is asked any further and nothing is written."""
    paper.machine = "somebody-else"
    with pytest.raises(Misunderstood, match="another server answers"):
        await sync.run()
    assert paper.asked == ["identity"]


async def test_a_fault_of_one_library_does_not_stop_the_others(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore
) -> None:
    """A library that the server does not tell properly is named, keeps what it had, and the next one is read."""
    paper.fault = lambda what: Misunderstood("half an answer") if what.startswith("page 1") else None
    statistics = await sync.run()
    assert statistics.added == 7
    assert statistics.faults == ["Den, Films: what is known of it is kept: half an answer"]


@pytest.mark.parametrize("error", [SignInNeeded("sign in again"), Unreachable("gone")])
async def test_a_server_that_does_not_let_in_or_answer_is_not_asked_further(
    sync: ServerSync, paper: PaperServer, error: Unreachable
) -> None:
    """Without a token, or without a server, one request is enough."""
    paper.fault = lambda what: error if what.startswith("page 1") else None
    with pytest.raises(type(error)):
        await sync.run()
    assert paper.asked[-1].startswith("page 1")


async def test_files_are_where_the_mapping_says(
    sync: ServerSync, shelves: PlexStore, kept: CatalogueStore
) -> None:
    """The server's path is kept raw beside the path here."""
    await shelves.add_mapping(Mapping("paper", "/media/movies", "/mnt/films"), lambda _m, _r: lambda _p: "")
    await sync.run()
    item = (await kept.load()).items["paper:100"]
    assert (item.path, item.versions[0].parts[0].path) == ("/mnt/films/100.mkv", "/media/movies/100.mkv")


async def test_an_item_the_server_cannot_tell_is_named_and_not_asked_for_again(
    sync: ServerSync, paper: PaperServer
) -> None:
    """One entry that spoils the answer for all is found by halves; the others have their details."""
    await sync.run()

    def fault(what: str) -> Misunderstood | None:
        asked = what.partition("details ")[2].partition(" ")[2].split(",")
        return Misunderstood("garbage") if "105" in asked else None

    paper.fault = fault
    assert await sync.details() == 0
    paper.asked.clear()
    assert await sync.details() == 0
    assert paper.asked == []


async def test_music_is_tracks_of_artists(
    sync: ServerSync, paper: PaperServer, kept: CatalogueStore, told: Told
) -> None:
    """An artist takes the place of a show, an album is told beside it; other videos are items as well."""
    artist = Record("40", Kind.ARTIST, "Abba", added_at=1, updated_at=1)
    song = Record(
        "41",
        Kind.TRACK,
        "SOS",
        index=1,
        grandparent_key="40",
        grandparent_title="Abba",
        parent_title="Abba",
        added_at=2,
        updated_at=2,
        duration=60_000,
        media=media(41, "/m"),
    )
    paper.library("3", Kind.ARTIST, "Music", [artist, song])
    paper.put("1", replace(movie(120, "Holiday"), kind=Kind.CLIP))
    paper.library("4", Kind.PHOTO, "Photos", [])
    await sync.run()
    items = (await kept.load()).items
    assert (items["paper:41"].show, items["paper:41"].album) == ("Abba", "Abba")
    assert {"Added track: SOS", "Added video: Holiday"} <= set(told.lines)
    assert "Photos" not in "".join(told.libraries)


async def test_shows_of_the_first_kind_only(sync: ServerSync, paper: PaperServer) -> None:
    """A show that is gone with all of its episodes is dropped once nothing of it is kept."""
    paper.put("2", show(30, "Empty", 2000))
    await sync.run()
    paper.drop("2", "30")
    statistics = await sync.run(Wishes(deep=True))
    assert statistics.faults == []
