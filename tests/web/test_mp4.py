"""The movie of a channel over real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests import material
from tests.referee import decode_faults
from tests.web.on_air import OnAir, clips, on_air
from tests.web.station import station
from tests.web.wire import ask, chunk_of, head_of, send, served, until

pytestmark = pytest.mark.anyio
MOVIE = "/iptv/channel/one.mp4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make three clips."""
    return clips(tmp_path_factory.mktemp("mp4"))


async def received(on: OnAir, path: str, seconds: float) -> bytes:
    """Take a movie for ``seconds``."""
    reader, writer = await send(on.port, path, Range="bytes=0-")
    status, headers = await head_of(reader)
    assert (status, headers["content-type"]) == (200, "video/mp4")
    assert "content-length" not in headers
    data, ends = b"", asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < ends:
        data += await chunk_of(reader)
    writer.close()
    return data


@pytest.mark.parametrize("path", [MOVIE, "/iptv/channel/1.5.mp4"])
async def test_a_channel_is_a_movie_over_its_boundaries(folder: Path, tmp_path: Path, path: str) -> None:
    """By id and by number; it decodes without a complaint, and is a session of its kind while it lasts."""
    async with on_air(folder) as on:
        taking = asyncio.create_task(received(on, path, 8))
        await until(on.station.tuners.sessions)
        session = on.station.tuners.sessions()[0]
        data = await taking
        await until(lambda: not on.station.tuners.sessions(), seconds=1)
    assert (session.kind, session.tuner) == ("mp4", None)
    assert session.bytes_sent >= len(data)
    file = tmp_path / "movie.mp4"
    file.write_bytes(data[: data.rindex(b"moof") - 4])
    assert decode_faults(material.FFMPEG, file) == ""


async def test_leaving_before_the_first_picture_leaves_nothing_behind(folder: Path) -> None:
    """A browser that goes on to another channel at once takes no place."""
    async with on_air(folder) as on:
        for _ in range(5):
            _, writer = await send(on.port, MOVIE)
            await until(on.station.tuners.sessions)
            writer.close()
        await until(lambda: not on.station.tuners.sessions(), seconds=2)


async def test_a_movie_that_is_stopped_ends_properly(folder: Path) -> None:
    """Stopping the session ends the answer with a proper last chunk."""
    async with on_air(folder) as on:
        reader, writer = await send(on.port, MOVIE)
        await head_of(reader)
        await chunk_of(reader)
        assert on.station.tuners.stop(on.station.tuners.sessions()[0].id)
        while await chunk_of(reader):
            pass
        writer.close()


async def test_a_viewer_that_takes_nothing_is_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds a connection and reads nothing is cut off after a while, and takes no place any more."""
    monkeypatch.setattr("exstream.web.mp4.STALLED_SECONDS", 0.5)
    wide = replace(material.SMALL, video_kbps=20_000, max_kbps=20_000)
    async with on_air(folder, profile=wide) as on:
        reader, writer = await send(on.port, MOVIE)
        await head_of(reader)
        await until(lambda: not on.station.tuners.sessions(), seconds=60)
        writer.transport.abort()
        del reader


async def test_head_promises_a_movie_and_starts_nothing(folder: Path) -> None:
    """HEAD has no length and tunes to nothing; what is not there is 404."""
    async with on_air(folder) as on:
        head = await ask(on.port, MOVIE, method="HEAD")
        none = await ask(on.port, "/iptv/channel/two.mp4")
        assert not on.station.tuners.sessions()
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "video/mp4")
    assert head.headers["accept-ranges"] == "none"
    assert none.status == 404


async def test_a_channel_without_a_picture_is_refused() -> None:
    """A known channel that cannot go on air is 503."""
    async with served(station()) as ports:
        assert (await ask(ports.iptv, "/iptv/channel/seven.mp4")).status == 503
