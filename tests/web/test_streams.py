"""Streams over real sockets: tuned before the first byte, let go at the last, whatever the client does."""

from __future__ import annotations

import asyncio

import pytest

from tests.web.station import Station, station
from tests.web.wire import ask, chunk_of, head_of, reset, send, served, until

pytestmark = pytest.mark.anyio

PATHS = ("/iptv/channel/nineteen.ts", "/iptv/channel/1984.1.ts")


@pytest.mark.parametrize("path", PATHS)
async def test_a_channel_plays_by_id_and_by_number_without_an_end(path: str) -> None:
    """A channel's stream is video/mp2t of unknown length, under its id and under its number."""
    async with served(station()) as ports:
        reader, writer = await send(ports.iptv, path)
        status, headers = await head_of(reader)
        data = await chunk_of(reader) + await chunk_of(reader)
        writer.close()
    assert status == 200
    assert headers["content-type"] == "video/mp2t"
    assert "content-length" not in headers
    assert "accept-ranges" not in headers
    assert "server" not in headers
    assert data[0] == 0x47
    assert len(data) % 188 == 0


@pytest.mark.parametrize("path", ["/auto/v1984.1", "/auto/1984.1", "/tuner1/v1984.1"])
async def test_an_hdhomerun_client_tunes_by_number(path: str) -> None:
    """The tuner's addresses play, and the answer says which tuner is held."""
    made = station()
    async with served(made) as ports:
        reader, writer = await send(ports.hdhr, path, User_Agent="Lavf/60")
        status, headers = await head_of(reader)
        await chunk_of(reader)
        held = made.studio.tuners_in_use()
        writer.close()
    assert status == 200
    tuner = 1 if path.startswith("/tuner1") else 0
    assert headers["x-hdhomerun-resource"] == f"tuner{tuner}"
    assert (held[tuner].channel, held[tuner].agent, held[tuner].peer) == ("nineteen", "Lavf/60", "127.0.0.1")


async def test_a_range_from_the_start_is_answered_in_full() -> None:
    """`Range: bytes=0-`, which every player sends, gets 200 and not 206."""
    async with served(station()) as ports:
        reader, writer = await send(ports.hdhr, "/auto/v7", Range="bytes=0-")
        status, headers = await head_of(reader)
        writer.close()
    assert status == 200
    assert "content-range" not in headers


@pytest.mark.parametrize("path", ["/iptv/channel/seven.ts", "/iptv/channel/7.ts"])
async def test_head_promises_a_stream_and_starts_nothing(path: str) -> None:
    """HEAD is answered like GET without a length, without a body and without tuning."""
    made = station()
    async with served(made) as ports:
        reply = await ask(ports.iptv, path, method="HEAD")
        tuner = await ask(ports.hdhr, "/auto/v7", method="HEAD")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"", "video/mp2t")
    assert "content-length" not in reply.headers
    assert tuner.status == 200
    assert made.studio.tuned == 0


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/auto/v99", "GET"),
        ("/auto/v99", "HEAD"),
        ("/auto/ch5000000", "GET"),
        ("/tuner9/v7", "GET"),
        ("/tuner0/7", "GET"),
    ],
)
async def test_an_unknown_channel_is_refused_with_an_empty_body(path: str, method: str) -> None:
    """What does not exist is 404 / 801, with nothing in the body that a recorder could keep."""
    async with served(station()) as ports:
        reply = await ask(ports.hdhr, path, method=method)
    assert (reply.status, reply.body) == (404, b"")
    assert reply.headers["x-hdhomerun-error"] == "801 Unknown Channel"
    assert reply.headers["content-length"] == "0"


async def test_a_disabled_channel_is_unknown() -> None:
    """A channel that is switched off cannot be tuned to."""
    made = station()
    made.programmed.channels = tuple(
        type(c)(**{**{f: getattr(c, f) for f in c.__slots__}, "enabled": False})
        for c in made.programmed.channels
    )
    async with served(made) as ports:
        assert (await ask(ports.iptv, "/iptv/channel/seven.ts")).status == 404


async def test_the_tuner_after_the_last_is_refused_before_any_byte() -> None:
    """With all tuners taken the next client gets 503 / 805 and an empty body; the IPTV port is not counted."""
    made = station(tuner_count=1)
    async with served(made) as ports:
        reader, writer = await send(ports.hdhr, "/auto/v7")
        await head_of(reader)
        refused = await ask(ports.hdhr, "/auto/v102")
        named = await ask(ports.hdhr, "/tuner0/v102")
        uncounted, other = await send(ports.iptv, "/iptv/channel/102.ts")
        status, _ = await head_of(uncounted)
        writer.close()
        other.close()
        await until(lambda: not made.studio.tuners_in_use())
        again, last = await send(ports.hdhr, "/auto/v102")
        assert (await head_of(again))[0] == 200
        last.close()
    assert (refused.status, refused.body) == (503, b"")
    assert refused.headers["x-hdhomerun-error"] == "805 All Tuners In Use"
    assert named.headers["x-hdhomerun-error"] == "804 Tuner In Use"
    assert status == 200


async def test_a_channel_without_a_picture_is_refused() -> None:
    """A known channel that gives no picture is 503 / 807 with an empty body."""
    made = station()
    made.studio.dark.add("seven")
    async with served(made) as ports:
        reply = await ask(ports.hdhr, "/auto/v7")
    assert (reply.status, reply.body, reply.headers["x-hdhomerun-error"]) == (503, b"", "807 No Video Data")


@pytest.mark.parametrize("cut", ["close", "reset"])
async def test_leaving_frees_the_tuner_at_once(cut: str) -> None:
    """A client that closes or resets its connection holds its tuner no longer."""
    made = station()
    async with served(made) as ports:
        reader, writer = await send(ports.hdhr, "/auto/v7")
        await head_of(reader)
        await chunk_of(reader)
        if cut == "close":
            writer.close()
        else:
            reset(writer)
        await until(lambda: not made.studio.sessions(), seconds=1)


async def test_leaving_while_it_tunes_frees_the_tuner() -> None:
    """A client that gives up before the first byte leaves nothing behind."""
    made = station()
    made.studio.slow.clear()
    async with served(made) as ports:
        _, writer = await send(ports.hdhr, "/auto/v7")
        await until(made.studio.sessions)
        writer.close()
        await until(lambda: not made.studio.sessions(), seconds=1)


async def test_the_duration_asked_for_ends_the_stream() -> None:
    """`duration=1` closes the stream after a second, and what Plex appends to the query is ignored."""
    made = station()
    async with served(made) as ports:
        reply = await ask(ports.hdhr, "/auto/v7?duration=1?transcode=none")
    assert reply.status == 200
    assert len(reply.body) > 188
    assert not made.studio.sessions()


@pytest.mark.parametrize(
    "query", ["transcode=heavy", "transcode=none?transcode=none", "duration=x", "duration=0"]
)
async def test_other_query_parameters_change_nothing(query: str) -> None:
    """Transcoding wishes and nonsense are read and ignored."""
    made = station()
    async with served(made) as ports:
        reader, writer = await send(ports.hdhr, f"/auto/v7?{query}")
        assert (await head_of(reader))[0] == 200
        for _ in range(5):
            assert await chunk_of(reader)
        writer.close()


async def test_a_stopped_session_ends_its_stream_properly() -> None:
    """Stopping a session ends the answer with a proper last chunk."""
    made = station()
    async with served(made) as ports:
        reader, writer = await send(ports.iptv, "/iptv/channel/7.ts")
        await head_of(reader)
        await chunk_of(reader)
        assert made.studio.stop(made.studio.sessions()[0].id)
        while await chunk_of(reader):
            pass
        writer.close()
        assert not made.studio.sessions()


async def test_a_client_that_never_reads_harms_nobody() -> None:
    """While one client takes nothing, another one receives everything in time."""
    made = station()
    made.studio.chunk = 2_000
    async with served(made) as ports:
        stuck_reader, stuck = await send(ports.iptv, "/iptv/channel/7.ts")
        reader, writer = await send(ports.iptv, "/iptv/channel/7.ts")
        await head_of(reader)
        for expected in range(30):
            data = await chunk_of(reader)
            assert int.from_bytes(data[-4:], "big") == expected
        writer.close()
        stuck.transport.abort()
        del stuck_reader


async def _stalled(made: Station) -> None:
    await until(lambda: not made.studio.sessions(), seconds=5)


async def test_a_stalled_viewer_is_let_go() -> None:
    """A viewer that takes nothing for the time allowed is cut off and its tuner is free."""
    made = station()
    made.studio.patience = 0.3
    made.studio.chunk = 5_000
    async with served(made) as ports:
        _, writer = await send(ports.hdhr, "/auto/v7")
        await until(made.studio.sessions)
        await _stalled(made)
        writer.transport.abort()


async def test_many_short_tunes_leave_nothing_behind() -> None:
    """A burst of requests that are dropped at once, as Kodi sends them, leaves no session."""
    made = station(tuner_count=32)
    async with served(made) as ports:

        async def zap() -> None:
            _, writer = await send(ports.hdhr, "/auto/v7")
            writer.close()

        await asyncio.gather(*(zap() for _ in range(30)))
        await until(lambda: made.studio.tuned >= 1 and not made.studio.sessions())


async def test_an_old_client_gets_the_stream_without_chunks() -> None:
    """HTTP/1.0 has no chunks: the stream comes as it is and ends with the connection."""
    made = station()
    made.studio.limit = 20
    async with served(made) as ports:
        reader, writer = await send(ports.hdhr, "/auto/v7", version="1.0")
        status, headers = await head_of(reader)
        data = await asyncio.wait_for(reader.read(), 10)
        old, other = await send(ports.hdhr, "/lineup.json", version="1.0")
        _, known = await head_of(old)
        lineup = await asyncio.wait_for(old.read(), 10)
        writer.close()
        other.close()
    assert (status, headers.get("transfer-encoding")) == (200, None)
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    assert len(packets) == 20 * 7
    assert all(packet[0] == 0x47 and len(packet) == 188 for packet in packets)
    assert len(lineup) == int(known["content-length"])
