"""The API over real sockets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exstream.errors import CatalogueError
from exstream.model.bad_file import BadFile
from exstream.playout.tuners import Join
from tests.web.station import HOUR, Watching, channel, station
from tests.web.wire import Reply, ask, head_of, send, served, until

pytestmark = pytest.mark.anyio


def read(reply: Reply) -> Any:
    """Return the answer's JSON, which must be a success."""
    assert reply.status == 200, reply
    return json.loads(reply.body)


async def test_channels_are_listed_and_found() -> None:
    """A channel is found by id and by number, with addresses on the host that was asked."""
    async with served(station()) as ports:
        listed = read(await ask(ports.iptv, "/api/v1/channels", host="tv.lan"))
        found = read(await ask(ports.iptv, "/api/v1/channels/1984.1", host="tv.lan"))
        head = await ask(ports.iptv, "/api/v1/channels", method="HEAD")
    assert [each["number"] for each in listed] == ["7", "102", "1984.1"]
    assert found == listed[2]
    assert found["stream_url"] == "http://tv.lan/iptv/channel/nineteen.ts"
    assert found["tags"] == ["news"]
    assert (found["format"]["width"], found["format"]["rate"]) == (854, "25")
    assert (head.status, head.body) == (200, b"")


async def test_now_and_next_follow_each_other() -> None:
    """What is on contains this instant, and what is next begins where it ends."""
    async with served(station()) as ports:
        everywhere = read(await ask(ports.iptv, "/api/v1/now"))
        one = read(await ask(ports.iptv, "/api/v1/channels/seven/now"))
    now = datetime.now(UTC)
    assert [each["channel"] for each in everywhere] == ["seven", "retro-toons", "nineteen"]
    assert datetime.fromisoformat(one["now"]["starts"]) <= now < datetime.fromisoformat(one["now"]["ends"])
    assert one["next"]["starts"] == one["now"]["ends"]


async def test_now_is_told_of_another_instant() -> None:
    """A player that shows the past asks what was on then; the instant needs its offset from UTC."""
    async with served(station(length_ms=HOUR)) as ports:
        path = "/api/v1/channels/seven/now?at=2027-01-01T12:59:59.990"
        one = read(await ask(ports.iptv, f"{path}Z"))
        east = read(await ask(ports.iptv, "/api/v1/channels/7/now?at=2027-01-01T14:00:00%2B01:00"))
        wrong = await ask(ports.iptv, path)
    assert (one["now"]["starts"], one["next"]["starts"]) == ("2027-01-01T12:00:00Z", "2027-01-01T13:00:00Z")
    assert east["now"] == one["next"]
    assert wrong.status == 422


async def test_a_session_is_found_by_its_id_or_by_its_own_name() -> None:
    """A movie's viewer asks which instants it is shown."""
    made = station()
    watching = Watching("12", "seven", "10.0.0.9", "Firefox", None, 1_000, "mp4", "abc")
    watching.joins = (Join(0.08, 1_798_804_800_000), Join(7.5, 1_798_804_812_000))
    made.studio.add(watching)
    async with served(made) as ports:
        found = read(await ask(ports.iptv, "/api/v1/sessions/abc"))
        same = read(await ask(ports.iptv, "/api/v1/sessions/12"))
        none = await ask(ports.iptv, "/api/v1/sessions/abcd")
    assert found == same
    assert found["joins"] == [
        {"at": 0.08, "instant": "2027-01-01T12:00:00Z"},
        {"at": 7.5, "instant": "2027-01-01T12:00:12Z"},
    ]
    assert none.status == 404


async def test_the_end_of_the_timeline_is_no_error() -> None:
    """Where nothing is published yet, now and next are null."""
    made = station()
    made.programmed.published_until = 0
    async with served(made) as ports:
        assert read(await ask(ports.iptv, "/api/v1/channels/seven/now")) == {
            "channel": "seven",
            "now": None,
            "next": None,
        }


async def test_the_guide_of_an_interval() -> None:
    """Programmes that overlap the interval are listed with what the library knows about them."""
    begin = datetime(2027, 1, 1, 12, 10, tzinfo=UTC)
    query = f"channel=7&from={begin:%Y-%m-%dT%H:%M:%SZ}&to={begin + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    async with served(station(length_ms=HOUR)) as ports:
        programmes = read(await ask(ports.iptv, f"/api/v1/guide?{query}"))
    assert [each["starts"] for each in programmes] == [f"2027-01-01T{hour}:00:00Z" for hour in (12, 13, 14)]
    film = next(each for each in programmes if each["kind"] == "film")
    episode = next(each for each in programmes if each["kind"] == "episode")
    assert (film["title"], film["year"], film["genres"]) == ("Alpha & <Omega>", 1954, ["Drama"])
    assert (episode["title"], episode["season"]) == ("Night Bus", 1)
    assert episode["subtitle"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/v1/channels/none", 404, "no such channel"),
        ("/api/v1/guide?channel=none", 404, "no such channel"),
        ("/api/v1/guide", 422, "channel"),
        ("/api/v1/guide?channel=7&from=yesterday", 422, "from"),
        ("/api/v1/guide?channel=7&from=2027-01-01T00:00:00", 422, "from"),
        ("/api/v1/guide?channel=7&from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z", 422, "after 'from'"),
        ("/api/v1/guide?channel=7&from=2027-01-01T00:00:00Z&to=2028-01-01T00:00:00Z", 422, "14 days"),
        ("/api/v1/guide?channel=7&from=9999-12-31T23:59:59.999999Z", 422, "after 'from'"),
        ("/api/v1/nothing", 404, "nothing at this address"),
        ("/api/nothing", 404, "nothing at this address"),
    ],
)
async def test_errors_are_problems_with_a_sentence(path: str, status: int, words: str) -> None:
    """What goes wrong is told as problem JSON."""
    async with served(station()) as ports:
        reply = await ask(ports.iptv, path)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    problem = json.loads(reply.body)
    assert problem["status"] == status
    assert words in problem["detail"]


async def test_an_error_of_ours_is_told_and_not_traced() -> None:
    """An error raised on purpose in a part becomes its sentence."""
    made = station()

    async def fails(channel: str, start: int, end: int) -> list[Any]:
        raise CatalogueError("The database is full: make room.")

    made.parts.timeline.rows = fails  # type: ignore[method-assign] # a fake of one method
    async with served(made) as ports:
        reply = await ask(ports.iptv, "/api/v1/channels/7/now")
        page = await ask(ports.iptv, "/")
    assert (reply.status, json.loads(reply.body)["detail"]) == (503, "The database is full: make room.")
    assert (page.status, page.text) == (503, "The database is full: make room.\n")


async def test_sessions_are_listed_and_stopped() -> None:
    """Who watches is listed, and stopping a session ends its stream."""
    made = station()
    async with served(made) as ports:
        reader, writer = await send(ports.hdhr, "/auto/v7", User_Agent="VLC/3")
        await head_of(reader)
        session = read(await ask(ports.iptv, "/api/v1/sessions"))[0]
        stopped = await ask(ports.iptv, f"/api/v1/sessions/{session['id']}", method="DELETE")
        await reader.read()
        await until(lambda: not made.studio.sessions())
        again = await ask(ports.iptv, f"/api/v1/sessions/{session['id']}", method="DELETE")
        writer.close()
    assert (session["channel"], session["agent"], session["tuner"], session["peer"]) == (
        "seven",
        "VLC/3",
        0,
        "127.0.0.1",
    )
    assert session["since"] == "1970-01-01T00:00:01Z"
    assert (stopped.status, again.status) == (204, 404)


async def test_jobs_and_faults_are_listed() -> None:
    """Running jobs come first with their progress, then those that ended; faults are as they were found."""
    made = station(channels=[channel("a", "1", "A")])
    made.programmed.faults = ("kids.yaml, line 3: unknown key 'nmae'",)
    with made.board.job("scan"):
        pass
    with made.board.job("demo library") as job:
        job.progress(3, 24, "clip")
        async with served(made) as ports:
            jobs = read(await ask(ports.iptv, "/api/v1/jobs"))
            faults = read(await ask(ports.iptv, "/api/v1/faults"))
    assert [(each["name"], each["state"]) for each in jobs] == [("demo library", "running"), ("scan", "done")]
    assert (jobs[0]["done"], jobs[0]["total"], jobs[0]["finished"]) == (3, 24, None)
    assert faults == ["kids.yaml, line 3: unknown key 'nmae'"]


async def test_files_that_are_set_aside_are_listed() -> None:
    """Each with the reason, how often it failed and when, as the quarantine gives them."""
    made = station()
    made.programmed.bad_files = [BadFile("/films/a.mkv", "moov atom not found", 3, 1_000, 61_000)]
    async with served(made) as ports:
        listed = read(await ask(ports.iptv, "/api/v1/bad-files"))
    assert listed == [
        {
            "path": "/films/a.mkv",
            "reason": "moov atom not found",
            "failures": 3,
            "first": "1970-01-01T00:00:01Z",
            "last": "1970-01-01T00:01:01Z",
        }
    ]


async def test_the_openapi_document_describes_every_route() -> None:
    """The document is served, and every one of its GET paths answers."""
    made = station()
    made.studio.add(Watching("12", "seven", "10.0.0.9", "Firefox", None, 1_000))
    async with served(made) as ports:
        document = read(await ask(ports.iptv, "/api/v1/openapi.json"))
        for path, methods in document["paths"].items():
            if "get" in methods:
                target = path.replace("{channel}", "seven").replace("{session}", "12")
                reply = await ask(ports.iptv, target + ("?channel=7" if path.endswith("/guide") else ""))
                assert reply.status == 200, path
        foreign = await ask(ports.iptv, "/docs")
    assert len(document["paths"]) == 12
    assert foreign.status == 404
