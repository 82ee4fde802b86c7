"""Harm that falls on the requests it is meant for, as often as it is meant to, and is lifted again."""

import json
import time

import httpx
import pytest

from load.plex_server import PlexServer
from tests.plex_server.asking import container, rows, session

ALL = "/library/sections/1/all"


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 504])
def test_a_status_falls_on_its_path_as_often_as_said(own: PlexServer, status: int) -> None:
    """Two requests are refused, the third is answered; other paths are never harmed."""
    rule = own.harm("status", "/library/sections/1", status=status, times=2)
    with session(own) as client:
        assert [client.get(ALL).status_code for _ in range(3)] == [status, status, 200]
        assert client.get("/library/sections/2/all").status_code == 200
    assert own.hits(rule) == 2


def test_too_many_requests_say_when_to_come_again(own: PlexServer) -> None:
    """429 with ``Retry-After``."""
    own.harm("status", ALL, status=429, headers={"Retry-After": "7"}, times=1)
    with session(own) as client:
        answer = client.get(ALL)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_maintenance_is_xml_whatever_was_asked_for(own: PlexServer) -> None:
    """Every address says 503, the identity too, until it is over."""
    own.maintenance()
    with session(own) as client:
        answer = client.get("/identity")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/xml;charset=utf-8")
        assert answer.text.startswith('<Response code="503" title="Maintenance"')
        own.heal()
        assert client.get("/identity").status_code == 200


def test_another_answers_with_200(own: PlexServer) -> None:
    """The page of a proxy, or nothing at all, where a container should be."""
    with session(own) as client:
        own.login_page(ALL, times=1)
        page = client.get(ALL)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
        own.nothing(ALL, times=1)
        assert (client.get(ALL).status_code, client.get(ALL).status_code) == (200, 200)


def test_one_broken_entry_breaks_the_pages_that_hold_it(own: PlexServer) -> None:
    """A page with the entry at place 6 is 500; all others are answered, so halving finds it."""
    own.harm("status", ALL, status=500, covers=6)
    with session(own) as client:
        told = [
            client.get(f"{ALL}?X-Plex-Container-Start={start}&X-Plex-Container-Size={size}").status_code
            for start, size in ((0, 10), (5, 5), (0, 5), (7, 3), (6, 1), (5, 1))
        ]
    assert told == [500, 500, 200, 200, 500, 200]


def test_a_rule_may_wait_and_look_at_the_query(own: PlexServer) -> None:
    """It skips the first it finds, and one that names a query finds no other."""
    own.harm("status", "/all", query="type=4", skip=1, times=1)
    with session(own) as client:
        path = "/library/sections/2/all"
        asked = [client.get(f"{path}?type={number}").status_code for number in (4, 2, 4, 4)]
    assert asked == [200, 200, 500, 200]


@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_a_connection_ends_in_the_middle_of_a_file(filed: PlexServer, kind: str) -> None:
    """So many bytes come, then a reset or an end; asked again from there, the rest comes."""
    with session(filed) as client:
        part = rows(client, ALL)[0]["Media"][0]["Part"][0]["key"]
        filed.harm(kind, "/library/parts/", after=300_000, times=1)
        got = b""
        with pytest.raises(httpx.TransportError), client.stream("GET", part) as answer:  # noqa: PT012 -- a stream
            for piece in answer.iter_raw():
                got += piece
        assert len(got) == 300_000 if kind == "cut" else len(got) <= 300_000
        rest = client.get(part, headers={"Range": f"bytes={len(got)}-"})
        assert got + rest.content == client.get(part).content


def test_a_connection_ends_before_the_first_byte(own: PlexServer) -> None:
    """The head of an answer, and nothing after it."""
    own.harm("reset", ALL, times=1)
    with session(own) as client, pytest.raises(httpx.TransportError):
        client.get(ALL)


def test_a_shortened_body_ends_as_if_it_were_whole(own: PlexServer) -> None:
    """Its length is right for what comes, and JSON breaks off."""
    own.harm("shorten", ALL, after=400, times=1)
    with session(own) as client:
        answer = client.get(ALL)
    assert (answer.status_code, len(answer.content)) == (200, 400)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_bytes_may_drip(own: PlexServer) -> None:
    """So slowly that whoever waits for the whole would wait for hours."""
    own.harm("drip", ALL, rate=20)
    began = time.monotonic()
    with session(own) as client, client.stream("GET", ALL) as answer:
        pieces = answer.iter_raw()
        got = b"".join(next(pieces) for _ in range(5))
    assert len(got) <= 20
    assert time.monotonic() - began >= 0.3


def test_an_answer_may_come_late_or_never(own: PlexServer) -> None:
    """A delay holds back the answer; whoever waits on a server that hangs runs out of patience."""
    with session(own) as client:
        own.harm("delay", "/identity", seconds=0.3, times=1)
        began = time.monotonic()
        assert client.get("/identity").status_code == 200
        assert time.monotonic() - began >= 0.3
        own.harm("hang", ALL)
        with pytest.raises(httpx.ReadTimeout):
            client.get(ALL, timeout=0.3)


def test_a_bomb_unfolds_beyond_what_it_weighs(own: PlexServer) -> None:
    """A little gzip that becomes a lot of JSON."""
    own.harm("gzip_bomb", ALL, size=20_000_000)
    with session(own) as client, client.stream("GET", ALL) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < 40_000
    with session(own) as client:
        assert len(client.get(ALL).content) > 20_000_000


def test_lists_in_lists_in_lists(own: PlexServer) -> None:
    """As deep as is wanted."""
    own.harm("deep", ALL, size=1_000_000)
    with session(own) as client:
        assert client.get(ALL).content.count(b"[") == 1_000_000


def test_types_may_be_others(own: PlexServer) -> None:
    """Numbers come as text, keys as numbers, flags as 0 and 1, a list of one as what it holds."""
    own.harm("wrong_types", ALL)
    with session(own) as client:
        told = container(client, ALL)
    film = next(row for row in told["Metadata"] if row["title"] == "Seen")
    assert (film["ratingKey"], film["year"], told["allowSync"]) == (10, "2017", 1)
    assert isinstance(film["Media"], dict)


def test_a_container_may_tell_what_is_not_so(own: PlexServer) -> None:
    """The total of a listing, or whatever else."""
    own.harm("rewrite", ALL, change={"totalSize": 9_999})
    with session(own) as client:
        assert (
            container(client, f"{ALL}?X-Plex-Container-Start=0&X-Plex-Container-Size=2")["totalSize"] == 9_999
        )


def test_a_file_of_another_size_is_told_with_a_range(filed: PlexServer) -> None:
    """In the middle of playing, the file turns out to be another."""
    filed.harm("another_size", "/library/parts/", size=123)
    with session(filed) as client:
        part = rows(client, ALL)[0]["Media"][0]["Part"][0]["key"]
        assert client.get(part, headers={"Range": "bytes=0-9"}).headers["content-range"] == "bytes 0-9/123"


def test_the_server_may_be_gone_for_a_while(own: PlexServer) -> None:
    """Connections are dropped and refused; later it answers on the same port, and it can be talked to meanwhile."""
    with session(own) as client:
        assert client.get("/identity").status_code == 200
        own.stop_listening()
        with pytest.raises(httpx.TransportError):
            client.get("/identity")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{own.url}/identity", trust_env=False)
        own.listen_again()
        assert client.get("/identity").status_code == 200


def test_requests_are_counted_by_kind(own: PlexServer) -> None:
    """With bytes and the time it took to make the answers; each request can be looked at, its headers too."""
    with session(own) as client:
        client.get(ALL)
        size = len(client.get(f"{ALL}?sort=addedAt").content)
        client.get("/identity")
    counts = own.counts()["kinds"]
    assert (counts["list"]["requests"], counts["identity"]["requests"], own.requests) == (2, 1, 3)
    assert counts["list"]["bytes"] >= 2 * size - 10
    assert 0 < counts["list"]["seconds"] < 1
    second = own.asked()[1]
    assert (second["path"], second["query"], second["status"]) == (ALL, "sort=addedAt", 200)
    assert second["headers"]["x-plex-token"] == own.token
    own.reset_counts()
    assert own.requests == 0
