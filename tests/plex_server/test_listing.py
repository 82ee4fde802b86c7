"""Pages, filters and order of listings, with what real servers ignore in silence."""

import httpx
import pytest

from load.plex_server import PlexServer
from tests.plex_server.asking import container, rows, session, titles

ALL = "/library/sections/1/all"
EPISODES = "/library/sections/2/all?type=4"
START, SIZE = "X-Plex-Container-Start", "X-Plex-Container-Size"


def test_a_page_tells_where_it_is_and_a_whole_listing_does_not(asked: httpx.Client) -> None:
    """``totalSize`` and ``offset`` belong to pages alone; ``size`` is the page's."""
    page = container(asked, ALL, f"{START}=8&{SIZE}=5")
    assert (page["size"], page["totalSize"], page["offset"], len(page["Metadata"])) == (2, 10, 8, 2)
    whole = container(asked, ALL)
    assert whole["size"] == len(whole["Metadata"]) == 10
    assert {"totalSize", "offset"} & set(whole) == set()


def test_a_page_may_be_asked_for_in_headers_and_its_total_comes_in_headers(asked: httpx.Client) -> None:
    """Headers do as the query does; HEAD answers the total alone."""
    page = container(asked, ALL, **{START: "2", SIZE: "3"})
    assert (page["size"], page["offset"]) == (3, 2)
    head = asked.head(ALL, headers={START: "0", SIZE: "0"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["x-plex-container-total-size"] == "10"


def test_a_page_of_size_0_counts(asked: httpx.Client) -> None:
    """Nothing is listed, and the total is told."""
    page = container(asked, EPISODES, f"&{START}=0&{SIZE}=0".removeprefix("&"))
    assert (page["size"], page["totalSize"], page.get("Metadata")) == (0, 4, None)
    page = container(asked, f"{EPISODES}&{START}=0&{SIZE}=0")
    assert (page["size"], page["totalSize"]) == (0, 19)


def test_pages_one_after_the_other_are_the_whole(asked: httpx.Client) -> None:
    """Pages in a stable order hold every entry once."""
    pages = [
        rows(asked, f"{EPISODES}&sort=addedAt:asc&{START}={start}&{SIZE}=4") for start in range(0, 24, 4)
    ]
    keys = [row["ratingKey"] for page in pages for row in page]
    assert keys == [row["ratingKey"] for row in rows(asked, f"{EPISODES}&sort=addedAt:asc")]
    assert len(set(keys)) == 19


def test_a_server_may_return_fewer_than_asked_and_count_wrongly(own: PlexServer) -> None:
    """Both are switches: a limit to pages, and an error in the total."""
    own.switch(page_limit=3, count_by=7)
    with session(own) as client:
        page = container(client, ALL, f"{START}=0&{SIZE}=50")
    assert (page["size"], page["totalSize"]) == (3, 17)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("year>>=2015", {"Without Numbers", "Seen"}),
        ("year%3E%3E=2015", {"Without Numbers", "Seen"}),
        ("year<<=1970", {"The Long Harbour"}),
        ("year=1970,1984", {"In Two Parts", "Two Versions"}),
        ("addedAt>>=1700000540", {"Seen"}),
        ("addedAt<<=1700000120", {"The Long Harbour"}),
        ("title=two", {"In Two Parts", "Two Versions"}),
        ("title==seen", {"Seen"}),
        ("title<=two", {"Two Versions"}),
        ("genre=noir", {"The Long Harbour"}),
        ("label=bw", {"The Long Harbour"}),
        ("unwatched=0", {"Seen"}),
        ("duplicate=1", {"Two Versions", "Optimised"}),
        ("push=1&year>>=2016&or=1&title=harbour&pop=1", {"Seen", "The Long Harbour"}),
        ("lastViewedAt>=1", set()),
    ],
)
def test_a_filter_lets_through_what_it_says(asked: httpx.Client, query: str, found: set[str]) -> None:
    """Filters end in ``=``; dates take ``>>=`` and ``<<=``, and ``>=`` on a date matches nothing."""
    assert set(titles(asked, ALL, query)) == found


@pytest.mark.parametrize(
    "query",
    [
        "addedAt>>==1700000540",
        "addedAt%3E%3E%3D=1700000540",
        "year>>==2015",
        "nosuchfield=1",
        "addedAt>>=soon",
    ],
)
def test_a_filter_that_is_not_understood_is_ignored_in_silence(asked: httpx.Client, query: str) -> None:
    """It answers 200 and the whole library, as if nothing had been asked."""
    assert len(titles(asked, ALL, query)) == 10


def test_the_order_is_as_asked_for(asked: httpx.Client) -> None:
    """By title unless something else is said; descending where that is said; by what a show has below it."""
    assert titles(asked, ALL, "sort=year:desc")[:2] == ["Seen", "Without Numbers"]
    assert titles(asked, ALL)[0] == "A Legacy Film"
    assert titles(asked, ALL, "sort=addedAt")[0] == "The Long Harbour"
    shows = rows(asked, "/library/sections/2/all", "sort=episode.addedAt:desc")
    assert next((show["title"], show["year"]) for show in shows) == ("The Daily Signal", 2024)


def test_listings_of_other_kinds_and_of_all_libraries(asked: httpx.Client) -> None:
    """``type`` picks a level; without a library, all of them are listed."""
    assert len(rows(asked, "/library/sections/4/all", "type=10")) == 6
    assert len(rows(asked, "/library/sections/4/albums")) == 2
    assert len(rows(asked, "/library/all", "type=1")) == 12
    assert len(rows(asked, "/library/metadata/16/allLeaves")) == 11
    assert titles(asked, "/library/sections/1/all", "type=18") == ["Harbour Films", "Since the Nineties"]
    assert titles(asked, "/library/collections/52/children") == [
        "The Long Harbour",
        "Two Versions",
        "In Two Parts",
    ]


def test_dead_keys_of_a_batch_are_left_out(asked: httpx.Client) -> None:
    """Of several keys the living are answered; if none lives, it is 404."""
    assert titles(asked, "/library/metadata/3,99999,1") == ["In Two Parts", "The Long Harbour"]
    dead = asked.get("/library/metadata/99998,99999")
    assert (dead.status_code, dead.headers["content-type"]) == (404, "text/html")


def test_what_children_share_may_be_told_once(own: PlexServer) -> None:
    """Where values are hoisted, the container has them and the children do not."""
    own.switch(hoisting=True)
    with session(own) as client:
        told = container(client, "/library/metadata/21/children")
    assert told["grandparentTitle"] == "Battlestar Galactica"
    assert told["parentTitle"] == "Season 1"
    assert all("parentTitle" not in row and row["index"] for row in told["Metadata"])


def test_only_a_token_that_counts_is_answered(plex: PlexServer) -> None:
    """In a header or in the query; without one, all but the identity is refused in HTML."""
    with session(plex, token="") as client:
        refused = client.get("/library/sections")
        assert (refused.status_code, refused.headers["content-type"]) == (401, "text/html")
        assert client.get("/identity").json()["MediaContainer"]["machineIdentifier"] == plex.machine
        assert client.get("/library/sections", params={"X-Plex-Token": plex.token}).status_code == 200


def test_a_shared_user_may_read_and_no_more(own: PlexServer) -> None:
    """Orders are forbidden to them, and a library that is not shared is not there."""
    own.allow("friend", owner=False, sections=[2], downloads=False)
    with session(own, token="friend") as client:
        assert [row["title"] for row in container(client, "/library/sections")["Directory"]] == ["TV Shows"]
        assert client.get(ALL).status_code == 404
        assert client.get("/library/metadata/1").status_code == 404
        assert client.get("/library/sections/2/refresh").status_code == 403
        assert client.put("/library/metadata/16/refresh").status_code == 403
        own.refuse("friend")
        assert client.get("/library/sections").status_code == 401


def test_a_server_that_speaks_xml_alone(own: PlexServer) -> None:
    """With that switch, ``Accept`` is not heeded."""
    own.switch(always_xml=True)
    with session(own) as client:
        assert client.get("/library/sections").text.startswith("<?xml")
