"""A channel on air: real encoders, real pipes, judged from outside by what a viewer receives."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from exstream.model.asrun import Outcome
from exstream.model.catalogue import AudioStream, Media, VideoStream
from exstream.model.channel import Profile
from exstream.model.grid import CLOCK_HZ, Rate
from exstream.mpegts.intake import Intake
from exstream.playout.tuners import Viewer
from tests import material
from tests.playout.studio import Rota, Shelf, SpeedyClock, Station, station
from tests.referee import decode_faults, examine

pytestmark = pytest.mark.anyio
WRAP_SECONDS = (1 << 33) / CLOCK_HZ


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make three clips of 8 s."""
    folder = tmp_path_factory.mktemp("player")
    for number in range(3):
        material.clip(folder, f"{number}.mp4", tone=300 + 100 * number)
    return folder


def clips(folder: Path) -> list[str | None]:
    """Return the clips."""
    return [str(folder / f"{number}.mp4") for number in range(3)]


async def idle(on: Station) -> None:
    """Wait until no encoder runs any more; fail after 5 s."""
    async with asyncio.timeout(5):
        while on.processes.running():
            await asyncio.sleep(0.05)


async def watch(on: Station, viewer: Viewer, seconds: float) -> None:
    """Watch for so long."""
    ends = on.clock.air() + seconds
    async for _ in viewer:
        if on.clock.air() > ends:
            break


async def test_a_stream_goes_on_over_boundaries_and_ends_with_its_viewer(folder: Path) -> None:
    """Programmes follow each other without a fault or a card, each whole, and nothing runs on after the linger."""
    path = folder / "boundaries.ts"
    async with station(Rota(clips(folder), 2_000)) as on:
        data = await on.record(9, path)
        await idle(on)

    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    assert on.notes.failures == []
    assert on.notes.card_seconds == 0
    assert [entry.outcome for entry in on.notes.entries[1:4]] == [Outcome.AIRED] * 3


async def test_the_first_picture_is_the_moment_of_tuning(folder: Path) -> None:
    """A cold tune begins in the middle of the programme, with the picture that is due now."""
    async with station(Rota(clips(folder), 8_000)) as on:
        asked = on.clock.air()
        data = await on.record(1)
    first = examine(data).video[0]

    assert 0 <= (first - asked * CLOCK_HZ) % (1 << 33) < 0.3 * CLOCK_HZ


async def test_a_second_viewer_joins_at_a_key_frame_with_stock(folder: Path) -> None:
    """Who tunes to a running channel gets tables and a key frame at once, and 2 to 5 s of stream with it."""
    clock = SpeedyClock(1_800_000_000 // 8 * 8 + 0.5)
    async with (
        station(Rota(clips(folder), 8_000), clock=clock) as on,
        on.tuners.tune("one", peer="a", agent="") as first,
    ):
        async for _ in first:
            if on.clock.air() - on.tuners.sessions()[0].since_ms / 1000 > 4:
                break
        began = time.monotonic()
        async with on.tuners.tune("one", peer="b", agent="") as second:
            pieces = aiter(second)
            data = await anext(pieces)
            took = time.monotonic() - began
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    async for piece in pieces:
                        data += piece
    report = examine(data)

    assert took < 0.2
    assert report.keys[0] == report.video[0]
    assert 2.0 < (report.video[-1] - report.video[0]) / CLOCK_HZ < 5.0
    assert len(on.feeds.feeds) <= 2


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
async def test_an_encoder_that_dies_or_hangs_never_breaks_the_stream(
    folder: Path, kill: signal.Signals
) -> None:
    """Encoders are killed or stopped again and again; viewers see cards at worst, and never a fault."""
    path = folder / f"{kill.name}.ts"
    async with station(Rota(clips(folder), 8_000)) as on:

        async def harm() -> None:
            while True:
                await asyncio.sleep(2.3)
                for process in on.processes.running():
                    os.kill(process.pid, kill)

        async with asyncio.TaskGroup() as group:
            harming = group.create_task(harm())
            data = await on.record(14, path)
            harming.cancel()
        await idle(on)

    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    assert on.notes.failures


async def test_a_file_that_cannot_be_played_gives_way_to_a_card_until_its_end(folder: Path) -> None:
    """An unopenable file, a vanished one and an unknown item are covered; the next programme begins on time."""
    broken = folder / "broken.mp4"
    broken.write_bytes((folder / "0.mp4").read_bytes()[:5_000])
    rota = Rota(
        [str(broken), str(folder / "1.mp4"), str(folder / "gone.mp4"), str(folder / "2.mp4"), "nowhere"],
        2_000,
    )
    path = folder / "unplayable.ts"
    async with station(rota) as on:
        data = await on.record(13, path)
    outcomes = {entry.segment.item: entry.outcome for entry in on.notes.entries[1:]}

    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    assert outcomes[str(folder / "1.mp4")] is Outcome.AIRED
    assert outcomes[str(folder / "2.mp4")] is Outcome.AIRED
    assert on.notes.card_seconds > 3


async def test_a_channel_that_begins_with_a_broken_file_shows_a_card_in_time(folder: Path) -> None:
    """When the very first programme cannot start, the viewer has a picture within two seconds."""
    async with station(Rota([str(folder / "gone.mp4")], 60_000)) as on:
        began = time.monotonic()
        data = await on.record(2.5)
        took = time.monotonic() - began

    assert took < 5
    assert examine(data).faults == []
    assert [(cold, missed) for _, cold, missed in on.notes.tunes] == [(True, True)]
    assert on.notes.tunes[0][0] < 2.2


async def test_nothing_scheduled_is_an_off_air_card(folder: Path) -> None:
    """A planned card is no failure and no missed tune, costs no process, and hands over on time."""
    async with station(Rota([None, str(folder / "0.mp4")], 3_000)) as on:
        data = await on.record(10)

    assert examine(data).faults == []
    assert on.notes.failures == []
    assert on.notes.card_seconds == 0


async def test_mislabelled_files_still_fill_their_slots(folder: Path) -> None:
    """Files shorter than said, or without the sound or picture that the library promised, disturb nothing."""
    short = material.clip(folder, "short.mp4", seconds=1)
    mute, blind = folder / "mute.mkv", folder / "blind.mka"
    material.run("-y", "-v", "error", "-i", str(folder / "0.mp4"), "-an", "-c", "copy", str(mute))
    material.run("-y", "-v", "error", "-i", str(folder / "0.mp4"), "-vn", "-c", "copy", str(blind))
    video, audio = VideoStream(0, "h264", 320, 180, Rate(25)), (AudioStream(0, "aac", 2, 48_000),)
    shelf = Shelf({str(mute): Media(8_000, video=video), str(blind): Media(8_000, audio=audio)})
    path = folder / "mislabelled.ts"
    async with station(Rota([str(short), str(mute), str(blind)], 2_500), shelf=shelf) as on:
        data = await on.record(10, path)

    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""


async def test_a_step_of_the_wall_clock_moves_the_programme_not_the_time_stamps(folder: Path) -> None:
    """When the wall is set 3 s on, what is on air follows the guide and the stream has no fault."""
    clock = SpeedyClock(2_000_000_000.0)
    async with station(Rota(clips(folder), 5_000), clock=clock) as on:

        async def step() -> None:
            await asyncio.sleep(3)
            clock.shift_ms = 3_000

        async with asyncio.TaskGroup() as group:
            group.create_task(step())
            data = await on.record(8)
    last = on.feeds.feeds[-1].order

    assert examine(data).faults == []
    assert (clock.shift_ms + round(last.span.first * 40)) % 5_000 == pytest.approx(last.offset_ms, abs=40)
    assert any(feed.order.offset_ms % 5_000 for feed in on.feeds.feeds[1:])


@pytest.mark.parametrize("profile", [material.CINEMA, material.FAST], ids=lambda profile: profile.name)
async def test_the_clock_wraps_on_air_at_any_rate(folder: Path, profile: Profile) -> None:
    """At 23.976 and at 50 pictures a second, programmes join without a fault while the 33-bit clock wraps."""
    clock = SpeedyClock(WRAP_SECONDS * 7 - 4)
    rate = profile.rate
    async with station(Rota(clips(folder), 2_000), clock=clock, profile=profile) as on:
        data = await on.record(8)
    report = examine(data, CLOCK_HZ * rate.den / rate.num)

    assert report.faults == []
    assert max(report.video) - min(report.video) > 1 << 32


def paced(folder: Path, factor: float, burst: float) -> str:
    """Return an ffmpeg that reads its source at ``factor`` times real time, after ``burst`` seconds at once."""
    program = folder / f"ffmpeg-{factor}"
    options = f"-readrate {factor} -readrate_initial_burst {burst}"
    program.write_text(f'#!/bin/sh\nexec "{material.FFMPEG}" {options} "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("burst", [3.0, 0.1], ids=["after a good start", "from the start"])
async def test_an_encoder_slower_than_the_clock_never_breaks_the_stream(folder: Path, burst: float) -> None:
    """Cards take the place of what comes too late; no picture is sent twice, and the stream keeps up with the clock."""
    long = material.clip(folder, "long.mp4", seconds=40)
    shelf = Shelf({str(long): material.media(40)})
    rota = Rota([str(long)], 40_000)
    clock = SpeedyClock(1_800_000_000.0)
    async with station(rota, clock=clock, shelf=shelf, ffmpeg=paced(folder, 0.6, burst)) as on:
        data = await on.record(14)
        ended = clock.air()
    report = examine(data)

    assert report.faults == []
    assert on.notes.card_seconds > 0
    assert (report.video[-1] - ended * CLOCK_HZ) % (1 << 33) < 3 * CLOCK_HZ


async def test_a_fault_of_ours_costs_one_feed_and_not_the_stream(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in the pump's thread gives up the feed it happened in; the viewers' stream goes on without a fault."""
    feed, calls = Intake.feed, []

    def stumble(self: Intake, data: bytes) -> None:
        calls.append(data)
        if len(calls) == 6:
            raise IndexError("a fault of ours")
        feed(self, data)

    monkeypatch.setattr(Intake, "feed", stumble)
    async with station(Rota(clips(folder), 4_000)) as on:
        data = await on.record(14)
        await idle(on)

    assert examine(data).faults == []
    assert len(on.notes.failures) == 1
    assert len(calls) > 8


async def test_a_card_gives_way_to_programmes_that_are_published_later(folder: Path) -> None:
    """Where nothing was scheduled for an hour and then something is, it begins on time for who is watching."""
    rota = Rota([None], 3_600_000)
    clock = SpeedyClock(1_800_000_000.0)
    async with station(rota, clock=clock) as on:

        async def publish() -> None:
            await asyncio.sleep(2)
            rota.items, rota.length_ms = [str(folder / "0.mp4")], 8_000

        async with asyncio.TaskGroup() as group:
            group.create_task(publish())
            data = await on.record(12)

    assert examine(data).faults == []
    assert on.feeds.feeds


async def test_what_was_cut_short_is_in_the_as_run_log(folder: Path) -> None:
    """A programme that is on when the last viewer leaves, and one that could never be shown, are noted as they were."""
    rota = Rota([str(folder / "gone.mp4"), str(folder / "1.mp4")], 4_000)
    async with station(rota, clock=SpeedyClock(1_800_000_000.0)) as on:
        await on.record(7)
        await idle(on)
    noted = [(Path(str(entry.segment.item)).name, entry.outcome) for entry in on.notes.entries]

    assert noted[0] == ("gone.mp4", Outcome.CARD)
    assert noted[1] == ("1.mp4", Outcome.AIRED)
    assert on.notes.entries[1].ended - on.notes.entries[1].started < 4_500


@pytest.mark.parametrize("pictures", [1, 2, 3])
@pytest.mark.parametrize("profile", [material.SMALL, material.FAST], ids=lambda profile: profile.name)
async def test_tuning_in_just_before_a_boundary(folder: Path, profile: Profile, pictures: int) -> None:
    """Who tunes in one, two or three pictures before a boundary gets a faultless stream, and nothing fails."""
    rate = profile.rate
    clock = SpeedyClock(1_800_000_000.0)
    async with station(Rota(clips(folder), 2_000), clock=clock, profile=profile) as on:
        clock.set(1_800_000_002.0 - (pictures + 0.3) * float(rate.seconds))
        data = await on.record(3)
        await idle(on)

    assert examine(data, CLOCK_HZ * rate.den / rate.num).faults == []
    assert on.notes.failures == []
    assert {Outcome.AIRED} == {entry.outcome for entry in on.notes.entries[1:]}
