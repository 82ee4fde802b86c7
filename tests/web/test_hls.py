"""HLS over real sockets: what players, caches and strangers get."""

from __future__ import annotations

import asyncio
import re
import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from exstream.model.channel import Profile
from tests import material
from tests.playout.studio import SpeedyClock
from tests.referee import WRAP, decode_faults, examine
from tests.web.on_air import MASTER, MEDIA, OnAir, clips, on_air
from tests.web.wire import ask, until

pytestmark = pytest.mark.anyio
WRAP_SECONDS = WRAP / 90_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make three clips."""
    return clips(tmp_path_factory.mktemp("hls"))


async def played(on: OnAir, path: str, seconds: float, *options: str) -> str:
    """Let ffmpeg decode ``seconds`` of an address; return what it complains about."""
    arguments = [
        "-hide_banner",
        "-nostdin",
        "-v",
        "warning",
        *options,
        "-i",
        on.url(path),
        "-t",
        str(seconds),
    ]
    process = await asyncio.create_subprocess_exec(
        material.FFMPEG, *arguments, "-f", "null", "-", stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 90)
    return said.decode() + ("" if process.returncode == 0 else f"exit {process.returncode}")


async def test_ffmpeg_plays_the_master_playlist_over_boundaries(folder: Path) -> None:
    """A cold channel plays without a warning, over two boundaries; its viewer is counted as one by HLS."""
    async with on_air(folder) as on:
        playing = asyncio.create_task(played(on, MASTER, 14))
        await until(on.station.tuners.sessions)
        session = on.station.tuners.sessions()[0]
        assert await playing == ""
        assert len(on.station.tuners.sessions()) == 1
        assert (session.kind, session.peer, session.agent[:4]) == ("hls", "127.0.0.1", "Lavf")
        assert session.bytes_sent > 100_000
        assert on.station.notes.card_seconds == 0


async def test_the_master_playlist_says_what_the_stream_is(folder: Path) -> None:
    """Codecs, size and rates are those of the pictures themselves, and the media playlist is named by the id."""
    async with on_air(folder) as on:
        by_number = await ask(on.port, f"/iptv/channel/{quote('1.5')}.m3u8")
        reply = await ask(on.port, MASTER)
        data = b"".join((await on.segments(0.1)).values())
    lines = reply.text.splitlines()
    attributes = dict(re.findall(r'([A-Z-]+)=("[^"]*"|[^,]+)', lines[-2].partition(":")[2]))
    sequence = data[data.index(b"\x00\x00\x01\x67") + 4 :][:3].hex()
    assert attributes["CODECS"] == f'"avc1.{sequence},mp4a.40.2"'
    assert (attributes["RESOLUTION"], attributes["FRAME-RATE"]) == ("320x180", "25.000")
    assert int(attributes["BANDWIDTH"]) >= int(attributes["AVERAGE-BANDWIDTH"]) > 100_000
    assert re.fullmatch(r"one/live\.m3u8\?viewer=[A-Za-z0-9_-]{12}", lines[-1])
    assert by_number.text.splitlines()[-1].startswith("one/live.m3u8?viewer=")
    assert reply.headers["content-type"] == "application/vnd.apple.mpegurl"


@pytest.mark.parametrize("profile", [material.SMALL, material.CINEMA], ids=lambda profile: profile.name)
async def test_every_segment_stands_alone_and_all_of_them_follow_on(
    folder: Path, tmp_path: Path, profile: Profile
) -> None:
    """Each decodes from its first picture without a complaint; one behind the other they are one clean stream."""
    async with on_air(folder, profile=profile) as on:
        segments = await on.segments(14)
    assert sorted(segments) == list(range(min(segments), max(segments) + 1))
    assert len(segments) >= 5
    picture = 90_000 * profile.rate.seconds
    for number, data in segments.items():
        file = tmp_path / f"{number}.ts"
        file.write_bytes(data)
        report = examine(data, float(picture))
        assert report.faults == []
        assert min(report.video, key=lambda pts: (pts - report.video[0]) % WRAP) == report.keys[0]
        assert (report.keys[0] - number * 360_000) % WRAP < 360_000
        assert decode_faults(material.FFMPEG, file) == ""
    whole = b"".join(segments[number] for number in sorted(segments))
    assert examine(whole, float(picture)).faults == []


async def test_two_stations_give_the_same_pictures_the_same_names(folder: Path) -> None:
    """Stations with the same clock and timetable list the same numbers and dates, whenever they went on air."""
    clock = SpeedyClock(time.time())
    async with on_air(folder, clock=clock) as first, on_air(folder, clock=clock) as second:
        await ask(first.port, MEDIA)
        await asyncio.sleep(1.5)
        await ask(second.port, MEDIA)
        await asyncio.sleep(6)
        texts = [(await ask(on.port, MEDIA)).text for on in (first, second)]
    entries = [dict(re.findall(r"DATE-TIME:(\S+)\n#EXTINF:[\d.]+,\n(\d+)\.ts", text)) for text in texts]
    both = sorted(entries[0].keys() & entries[1].keys())
    assert len(both) >= 3
    assert all(entries[0][instant] == entries[1][instant] for instant in both)


async def test_a_step_of_the_wall_is_one_discontinuity(folder: Path, tmp_path: Path) -> None:
    """The dates jump with the wall, once; the stream itself goes on without a break."""
    async with on_air(folder) as on:
        first = asyncio.create_task(on.segments(16))
        await asyncio.sleep(4)
        on.station.clock.shift_ms = 3_600_000
        segments = await first
        text = (await ask(on.port, MEDIA)).text
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:0\n" in text
    before, after = text.split("#EXT-X-DISCONTINUITY\n")
    hours = [set(re.findall(r"DATE-TIME:\S+T(\d\d):", half)) for half in (before, after)]
    assert hours[0] != hours[1]
    whole = tmp_path / "whole.ts"
    whole.write_bytes(b"".join(segments[number] for number in sorted(segments)))
    assert examine(whole.read_bytes()).faults == []
    assert decode_faults(material.FFMPEG, whole) == ""


async def test_the_stamps_wrap_in_the_middle_of_a_playlist(folder: Path, tmp_path: Path) -> None:
    """Over the wrap of 33 bits names run on, dates run on, and the segments follow on."""
    wrap = -(-time.time() // WRAP_SECONDS) * WRAP_SECONDS
    async with on_air(folder, clock=SpeedyClock(wrap - 6)) as on:
        segments = await on.segments(14)
        text = (await ask(on.port, MEDIA)).text
    assert sorted(segments) == list(range(min(segments), max(segments) + 1))
    instants = re.findall(r"DATE-TIME:(\S+)", text)
    assert instants == sorted(instants)
    stamps = examine(b"".join(segments[number] for number in sorted(segments)))
    assert stamps.faults == []
    assert min(stamps.keys) < 10 * 90_000 < WRAP - 10 * 90_000 < max(stamps.keys)
    assert "DISCONTINUITY\n" not in text
    assert all(later - earlier == 1 for earlier, later in pairwise(sorted(segments)))
    assert int(wrap) // 4 in segments


async def test_viewers_are_counted_by_their_token_and_forgotten(folder: Path) -> None:
    """Two tokens are two viewers however often they read; who reads no more is gone after three target durations."""
    clock = SpeedyClock(time.time(), speed=1)
    async with on_air(folder, clock=clock) as on:
        for viewer in ("a", "b", "a", "b"):
            await ask(on.port, f"{MEDIA}?viewer={viewer}")
        assert [session.kind for session in on.station.tuners.sessions()] == ["hls", "hls"]
        clock.set(clock.air() + 11)
        await ask(on.port, f"{MEDIA}?viewer=a")
        clock.set(clock.air() + 3)
        await until(lambda: len(on.station.tuners.sessions()) == 1, seconds=4)
        clock.set(clock.air() + 12.5)
        await until(lambda: not on.station.tuners.sessions(), seconds=4)
        await until(lambda: not on.station.tuners.on_air(), seconds=4)
        assert (await ask(on.port, "/iptv/channel/one/448000000.ts")).status == 404


async def test_a_session_that_is_stopped_stays_stopped(folder: Path) -> None:
    """Its next reading is refused, others go on."""
    async with on_air(folder) as on:
        await ask(on.port, f"{MEDIA}?viewer=a")
        await ask(on.port, f"{MEDIA}?viewer=b")
        first = on.station.tuners.sessions()[0]
        assert on.station.tuners.stop(first.id)
        await until(lambda: len(on.station.tuners.sessions()) == 1, seconds=3)
        assert (await ask(on.port, f"{MEDIA}?viewer=a")).status == 503
        assert (await ask(on.port, f"{MEDIA}?viewer=b")).status == 200


async def test_what_is_not_there_is_refused(folder: Path) -> None:
    """Unknown channels, nonsense, what is gone, what is far ahead and paths with tricks are 404, and nothing tunes."""
    async with on_air(folder) as on:
        for path in (
            "/iptv/channel/two.m3u8",
            "/iptv/channel/two/live.m3u8",
            "/iptv/channel/two/1.ts",
            "/iptv/channel/one/1.ts",
            "/iptv/channel/one/../../etc/passwd.ts",
            "/iptv/channel/one/%2e%2e%2f1.ts",
        ):
            assert (await ask(on.port, path)).status == 404, path
        assert not on.station.tuners.sessions()
        for path in (MASTER, MEDIA):
            head = await ask(on.port, path, method="HEAD")
            assert (head.status, head.body) == (200, b"")
        assert not on.station.tuners.sessions()
        last = (await on.numbers())[-1]
        for number in (f"{last + 9}", f"{last - 999}", "-1", "1e9", "9" * 13, f"0{last}", "x", "%31%00", "٣"):
            assert (await ask(on.port, f"/iptv/channel/one/{quote(number, safe='%')}.ts")).status == 404, (
                number
            )
        odd = await ask(on.port, f"{MEDIA}?viewer={'x' * 5000}")
        assert odd.status == 200
        assert len({session.id for session in on.station.tuners.sessions()}) == 1


async def test_what_is_still_to_come_is_waited_for(folder: Path) -> None:
    """A cold channel's first playlist tells more than there is; whoever asks gets it when it is whole, not an error."""
    async with on_air(folder) as on:
        numbers = await on.numbers()
        replies = [await ask(on.port, f"/iptv/channel/one/{number}.ts") for number in numbers]
        replies.append(await ask(on.port, f"/iptv/channel/one/{numbers[-1] + 1}.ts"))
    assert [reply.status for reply in replies] == [200] * 4
    assert all(len(reply.body) % 188 == 0 for reply in replies)
    assert examine(b"".join(reply.body for reply in replies)).faults == []


async def test_segments_can_be_cached_and_read_in_parts(folder: Path) -> None:
    """Length, caching and ranges are as proxies want them; a playlist is not kept."""
    async with on_air(folder) as on:
        path = f"/iptv/channel/one/{(await on.numbers())[-1]}.ts"
        playlist = await ask(on.port, MEDIA)
        whole = await ask(on.port, path)
        head = await ask(on.port, path, method="HEAD")
        parts = {
            wanted: await ask(on.port, path, Range=wanted)
            for wanted in (
                "bytes=0-187",
                "bytes=188-",
                "bytes=-188",
                "bytes=0-999999999",
                "bytes=999999999-",
                "bits=1",
            )
        }
    size = len(whole.body)
    assert playlist.headers["cache-control"] == "no-cache"
    assert whole.headers["cache-control"].startswith("public, max-age=")
    assert (whole.headers["content-type"], whole.headers["content-length"]) == ("video/mp2t", str(size))
    assert (head.headers["content-length"], head.body) == (str(size), b"")
    assert (parts["bytes=0-187"].status, parts["bytes=0-187"].body) == (206, whole.body[:188])
    assert parts["bytes=188-"].headers["content-range"] == f"bytes 188-{size - 1}/{size}"
    assert parts["bytes=-188"].body == whole.body[-188:]
    assert parts["bytes=0-999999999"].body == whole.body
    assert (parts["bytes=999999999-"].status, parts["bits=1"].status) == (416, 200)


async def test_bytes_are_kept_for_segments_only_while_somebody_reads(folder: Path) -> None:
    """A channel that was watched otherwise keeps more for HLS, and no longer when its viewers have gone."""
    async with (
        on_air(folder) as on,
        on.station.tuners.attend("one", peer="", agent="", kind="ts") as (_, player),
    ):
        retained = [player.fanout._retained]
        await ask(on.port, MASTER)
        retained.append(player.fanout._retained)
        on.station.clock.set(on.station.clock.air() + 13)
        await until(lambda: len(on.station.tuners.sessions()) == 1, seconds=4)
        retained.append(player.fanout._retained)
    assert retained[0] == retained[2] == 0
    assert retained[1] > 40
