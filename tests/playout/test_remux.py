"""The movie for browsers: the same pictures and sound, in time, whatever the stream does."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from exstream.model.channel import Profile
from exstream.mpegts.demux import Demux, Picture, Sound
from exstream.playout.fanout import Cursor
from exstream.playout.remux import Remux, movie
from exstream.playout.tuners import Kind, Session
from tests import material
from tests.playout.studio import Rota, SpeedyClock, station
from tests.referee import WRAP, decode_faults

pytestmark = pytest.mark.anyio
PACKETS = 188 * 50
WRAP_SECONDS = WRAP / 90_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make three clips."""
    folder = tmp_path_factory.mktemp("remux")
    for number in range(3):
        material.clip(folder, f"{number}.mp4", tone=300 + 100 * number)
    return folder


async def recorded(folder: Path, seconds: float, profile: Profile, clock: SpeedyClock | None = None) -> bytes:
    """Record a channel whose clips change every three seconds."""
    rota = Rota([str(folder / f"{number}.mp4") for number in range(3)], 3_000)
    async with station(rota, profile=profile, clock=clock) as on:
        return await on.record(seconds)


def pieces(stream: bytes, size: int = PACKETS) -> list[bytes]:
    """Cut a stream into what a reader gets at a time."""
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def ticks_of(clock: SpeedyClock) -> Callable[[], int]:
    """Return what tells the time of ``clock`` in 90 kHz."""
    return lambda: round(clock.air() * 90_000)


def units(stream: bytes, near: int) -> tuple[list[Picture], list[Sound]]:
    """Return the pictures and the sound of a stream."""
    found = Demux(near).feed(stream)
    return [u for u in found if isinstance(u, Picture)], [u for u in found if isinstance(u, Sound)]


def times(data: bytes, kind: str) -> list[tuple[int, int]]:
    """Return decode times and durations of a movie's packets, as PyAV reads them."""
    with av.open(io.BytesIO(data), mode="r") as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(p.dts, p.duration or 0) for p in container.demux(stream) if p.dts is not None]


@pytest.mark.parametrize("profile", [material.SMALL, material.CINEMA], ids=lambda profile: profile.name)
async def test_a_movie_has_every_picture_and_no_hole(folder: Path, tmp_path: Path, profile: Profile) -> None:
    """Over boundaries each packet follows the one before it, pictures and sound stay together, decoders are content."""
    began = time.time()
    stream = await recorded(folder, 9, profile)
    remux = Remux(round(began * 90_000))
    data = b"".join(remux.feed(piece) for piece in pieces(stream)) + remux.skip()
    file = tmp_path / "movie.mp4"
    file.write_bytes(data)
    pictures, _ = units(stream, round(began * 90_000))
    shown, heard = times(data, "video"), times(data, "audio")
    assert len(shown) == len(pictures) >= 200
    for packets in (shown, heard):
        assert all(earlier + lasts == later for (earlier, lasts), (later, _) in pairwise(packets))
    assert shown[0][0] == 0
    assert abs(heard[-1][0] / 48_000 - shown[-1][0] / 90_000) < 1
    assert decode_faults(material.FFMPEG, file) == ""
    with av.open(str(file)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == (320, 180)
        assert video.average_rate is not None
        assert abs(video.average_rate - Fraction(profile.rate.num, profile.rate.den)) < Fraction(1, 4)
        assert sum(1 for _ in container.decode(video)) == len(pictures)


async def test_the_stamps_wrap_inside_a_movie(folder: Path) -> None:
    """The movie's own time goes on over the wrap of 33 bits."""
    wrap = -(-time.time() // WRAP_SECONDS) * WRAP_SECONDS
    stream = await recorded(folder, 7, material.SMALL, SpeedyClock(wrap - 3))
    remux = Remux(round((wrap - 3) * 90_000))
    shown = times(b"".join(remux.feed(piece) for piece in pieces(stream)), "video")
    assert shown[-1][0] > 6 * 90_000
    assert all(later - earlier == 3_600 for (earlier, _), (later, _) in pairwise(shown))


@pytest.mark.parametrize("lost", [1, 20, 95])
async def test_a_viewer_that_was_moved_on_has_a_movie_without_a_hole(
    folder: Path, tmp_path: Path, lost: int
) -> None:
    """Pieces are lost in the middle: the movie goes on at the next key frame, at the very time where it broke off."""
    stream = await recorded(folder, 9, material.SMALL)
    given, remux = pieces(stream), Remux(round(time.time() * 90_000))
    middle = len(given) // 2
    before = b"".join(remux.feed(piece) for piece in given[:middle])
    data = before + remux.skip() + b"".join(remux.feed(piece) for piece in given[middle + lost :])
    file = tmp_path / "movie.mp4"
    file.write_bytes(data)
    shown, heard = times(data, "video"), times(data, "audio")
    assert len(shown) > 100
    holes = [later - earlier - lasts for (earlier, lasts), (later, _) in pairwise(shown)]
    assert all(0 <= hole <= 3 * 3_600 for hole in holes), "no more than pictures that were never complete"
    gaps = [later - earlier - lasts for (earlier, lasts), (later, _) in pairwise(heard)]
    assert all(0 <= gap < 24_000 for gap in gaps), "a moment of silence at most"
    assert len([gap for gap in gaps if gap]) <= 1
    assert decode_faults(material.FFMPEG, file) == ""


async def test_a_slow_reader_is_moved_on_and_counted(folder: Path) -> None:
    """Who takes nothing for longer than the ring lasts goes on with a picture of now; the session tells of it."""
    rota = Rota([str(folder / f"{number}.mp4") for number in range(3)], 3_000)
    async with (
        station(rota) as on,
        on.tuners.attend("one", peer="", agent="", kind="mp4") as (session, player),
    ):
        parts = movie(session, player, ticks_of(on.clock))
        data = await anext(parts)
        player.fanout._keep = 2.0
        await asyncio.sleep(8)
        async for part in parts:
            data += part
            if session.skips and len(times(data, "video")) > 150:
                break
        await parts.aclose()
    shown = times(data, "video")
    assert session.skips == 1
    first, second = session.joins
    assert second.instant_ms - first.instant_ms > 1_000 * (second.at - first.at) + 1_000
    holes = [later - earlier - lasts for (earlier, lasts), (later, _) in pairwise(shown)]
    assert all(0 <= hole <= 3 * 3_600 for hole in holes)


async def test_a_movie_ends_with_its_session(folder: Path) -> None:
    """Stopping the session ends the movie."""
    rota = Rota([str(folder / "0.mp4")], 60_000)
    async with (
        station(rota) as on,
        on.tuners.attend("one", peer="", agent="", kind="mp4") as (session, player),
    ):
        assert session in on.tuners.sessions()
        assert isinstance(session, Session)
        count = 0
        async for _ in movie(session, player, ticks_of(on.clock)):
            count += 1
            if count == 3:
                on.tuners.stop(session.id)
        assert count == 3
        assert await player.fanout.read(Cursor())


@pytest.mark.parametrize("kind", ["hls", "mp4"])
async def test_a_movie_shows_the_present_and_tells_which(folder: Path, kind: Kind) -> None:
    """Where the channel was begun in the past for a reader of segments, the movie waits until it has caught up."""
    rota = Rota([str(folder / f"{number}.mp4") for number in range(3)], 3_000)
    async with (
        station(rota) as on,
        on.tuners.attend("one", peer="", agent="", kind=kind),
        on.tuners.attend("one", peer="", agent="", kind="mp4") as (session, player),
    ):
        parts = movie(session, player, ticks_of(on.clock))
        await anext(parts)
        late = on.clock.now_ms() - session.joins[0].instant_ms
        await parts.aclose()
    assert 0 <= session.joins[0].at < 0.2
    assert -200 <= late <= 1_000 * (material.SMALL.gop_seconds + 3), (
        "a group of pictures, and the time to start"
    )
