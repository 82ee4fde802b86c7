"""A channel that sends its items as they are: real files, real pipes, judged by what a viewer receives."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from exstream.model.channel import Profile
from exstream.model.grid import CLOCK_HZ
from exstream.model.programme import Way
from exstream.mpegts.conformance import Checker, Severity
from tests import copyable, material
from tests.playout.studio import Rota, Shelf, SpeedyClock, station
from tests.referee import decode_faults, examine

pytestmark = pytest.mark.anyio
PROFILE = copyable.profile()


def shelf(folder: Path, *names: str) -> Shelf:
    """Return the files with what probing finds out about them."""
    paths = [copyable.make(folder, name) for name in names]
    return Shelf({str(path): copyable.known(path) for path in paths})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the files are."""
    return tmp_path_factory.mktemp("copy")


def judged(data: bytes, path: Path, profile: Profile = PROFILE) -> None:
    """Fail unless the stream is faultless and decodes without a word."""
    path.write_bytes(data)
    assert examine(data, CLOCK_HZ * profile.rate.den / profile.rate.num).faults == []
    assert decode_faults(material.FFMPEG, path) == ""


async def test_every_way_follows_every_other(folder: Path) -> None:
    """Copied, half copied and encoded items follow each other on the air without a fault and without a visible card."""
    known = shelf(folder, *copyable.RECIPES)
    async with station(Rota(list(known.media), 4_000), shelf=known, profile=PROFILE) as on:
        data = await on.record(38)
        ways = {feed.order.way for feed in on.feeds.feeds}

    judged(data, folder / "ways.ts")
    assert ways == set(Way)
    assert on.notes.failures == []
    assert on.notes.card_seconds == 0


async def test_a_cold_tune_begins_with_the_key_frame_before(folder: Path) -> None:
    """In the middle of an item with far key frames the programme itself comes at once, with stock for the player."""
    known = shelf(folder, "pyramid.mp4")
    clock = SpeedyClock(1_800_000_000 // 8 * 8 + 6.3)
    async with station(Rota(list(known.media), 8_000), shelf=known, profile=PROFILE, clock=clock) as on:
        asked = clock.air()
        async with on.tuners.tune("one", peer="a", agent="") as viewer:
            pieces = aiter(viewer)
            data = await anext(pieces)
            took = clock.air() - asked
            async for piece in pieces:
                data += piece
                if clock.air() - asked > 4:
                    break
    report = examine(data)
    judged(data, folder / "cold.ts")

    assert took < 1.0
    assert report.keys[0] == report.video[0]
    assert (asked * CLOCK_HZ - report.video[0]) % (1 << 33) == pytest.approx(6.3 * CLOCK_HZ, abs=CLOCK_HZ / 2)
    assert on.notes.card_seconds == 0


@pytest.mark.parametrize("name", ["pyramid.mkv", "surround.mkv"])
async def test_a_killed_copy_heals_inside_the_stream(folder: Path, name: str) -> None:
    """When the process behind a copied item is killed, the stream goes on without a fault, soon with the programme."""
    known = shelf(folder, name)
    async with station(Rota(list(known.media), 8_000), shelf=known, profile=PROFILE) as on:
        watching = asyncio.create_task(on.record(14))
        for _ in range(3):
            await asyncio.sleep(3.3)
            for feed in on.feeds.feeds:
                if feed.returncode is None and feed.fd >= 0:
                    os.kill(feed.pid, signal.SIGKILL)
        data = await watching

    judged(data, folder / f"killed-{name}.ts")
    assert on.notes.failures
    assert on.notes.card_seconds < 9


async def test_a_file_that_lies_about_its_pictures_is_encoded_instead(folder: Path) -> None:
    """Where a file is found out on air not to run as it was said to, it is encoded from there on."""
    path = folder / "liar.mkv"
    material.run(
        *("-y", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=8"),
        *(
            "-f",
            "lavfi",
            "-i",
            "sine=r=48000:d=8",
            "-vf",
            "select='not(eq(n,60))'",
            "-fps_mode",
            "passthrough",
        ),
        *(*copyable.H264, "-bf", "0", "-g", "50", *copyable.AAC, str(path)),
    )
    honest = copyable.known(copyable.make(folder, "plain.mkv"))
    clock = SpeedyClock(1_800_000_000 // 8 * 8 + 0.5)
    known = Shelf({str(path): honest})
    async with station(Rota([str(path)], 8_000), shelf=known, profile=PROFILE, clock=clock) as on:
        data = await on.record(7)

    judged(data, folder / "lied.ts")
    assert on.feeds.feeds[0].order.way is Way.COPY
    assert Way.TRANSCODE in {feed.order.way for feed in on.feeds.feeds}
    assert on.notes.card_seconds < 2.5


@pytest.mark.parametrize("missing", [0.7, 4])
async def test_pictures_that_end_early_are_encoded_from_the_start(folder: Path, missing: float) -> None:
    """An item that is known to have sound for longer than pictures airs to its end in one piece, without a fault."""
    path = folder / f"longer-{missing}.mkv"
    both = ("-i", str(copyable.make(folder, "plain.mkv")))
    maps = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    material.run("-y", "-v", "error", "-t", str(8 - missing), *both, *both, *maps, str(path))
    known = Shelf({str(each): copyable.known(each) for each in (path, copyable.make(folder, "plain.mkv"))})
    clock = SpeedyClock(1_800_000_000 // 16 * 16 + 2.0)
    async with station(Rota(list(known.media), 8_000), shelf=known, profile=PROFILE, clock=clock) as on:
        data = await on.record(8)

    judged(data, folder / f"aired-{missing}.ts")
    checker = Checker(rate=PROFILE.rate)
    found = [*checker.feed(data), *checker.finish()]
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []
    assert [feed.order.way for feed in on.feeds.feeds[:2]] == [Way.TRANSCODE, Way.COPY]
    assert (on.notes.failures, on.shelf.suspects, on.notes.card_seconds) == ([], [], 0)
