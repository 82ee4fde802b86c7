"""Tuning in for the last seconds of an item: what is left of it is shown, picture by picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from exstream.ffmpeg.copying import cheapest
from exstream.model.channel import Profile
from exstream.model.programme import Way
from exstream.model.recovery import Failure, Step
from tests import copyable, material
from tests.playout.shown import Shown, shown, strip_clip
from tests.playout.studio import Rota, Shelf, SpeedyClock, Station, station
from tests.referee import examine
from tests.reliability.recording import unix_time

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

CODE, SLOT = 7, 8
ENDS = 1_800_000_000 // (2 * SLOT) * 2 * SLOT + SLOT
"""When the item is over, which every second slot has; the others are cards."""
LEFT = (0.2, 0.52, 1.0, 2.0, 4.0)
"""So many seconds before the end."""
REMUXED = {"last.mkv": ("-c", "copy"), "last.ts": ("-c", "copy")}
ENCODED = {
    "last.avi": ("-c:v", "mpeg4", "-bf", "2", "-q:v", "2", "-g", "300", "-c:a", "mp2"),
    "far.ts": ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "20", "-g", "250", "-c:a", "aac"),
}
"""Files whose key frames lie further apart than they are long."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the same clip of 8 s in several containers."""
    folder = tmp_path_factory.mktemp("last")
    clip = strip_clip(folder, "last.mp4", CODE, SLOT)
    for name, how in (REMUXED | ENCODED).items():
        material.run("-y", "-v", "error", "-i", str(clip), *how, str(folder / name))
    return folder


async def record(on: Station, path: Path) -> None:
    """Watch until what is shown lies behind the item, however long that takes to come."""
    data = b""
    async with on.tuners.tune("one", peer="127.0.0.1", agent="test") as viewer:
        async for piece in viewer:
            data += piece
            if unix_time(examine(data).video[-1], ENDS) > ENDS + 1:
                break
    path.write_bytes(data)


async def tuned(
    path: Path, left: float, profile: Profile, ffmpeg: str = material.FFMPEG
) -> tuple[list[Shown], Station]:
    """Return what who tunes in ``left`` seconds before the end of ``path`` sees up to then, and the station."""
    known = Shelf({str(path): copyable.known(path)})
    rota = Rota([str(path), None], SLOT * 1_000)
    clock = SpeedyClock(0)
    recording = path.with_suffix(f".{left}.{profile.name}.ts")
    async with station(rota, shelf=known, profile=profile, clock=clock, ffmpeg=ffmpeg) as on:
        clock.set(ENDS - left)
        await record(on, recording)
    return [each for each in shown(recording, ENDS) if each.at < ENDS - 0.02], on


@pytest.mark.parametrize(
    ("name", "copies"),
    [(name, False) for name in ("last.mp4", *REMUXED, *ENCODED)]
    + [(name, True) for name in ("last.mp4", *REMUXED, "far.ts")],
)
async def test_what_is_left_of_an_item_is_shown(folder: Path, name: str, *, copies: bool) -> None:
    """Whoever tunes in shortly before the end of an item sees it to its last picture, whatever holds it."""
    path = folder / name
    profile = copyable.profile() if copies else material.SMALL
    assert (cheapest(copyable.known(path), profile) is not Way.TRANSCODE) is copies
    for left in LEFT:
        seen, on = await tuned(path, left, profile)
        own = [each for each in seen if each.code == CODE]

        assert len(own) >= len(seen) - (2 if copies else 0), (left, seen)
        assert own or left < 1  # a busy machine may need a moment to tune
        assert not own or own[-1].position == pytest.approx(SLOT - 0.04, abs=0.13)
        assert (on.notes.failures, on.shelf.suspects) == ([], [])


def slow(folder: Path, seconds: float) -> str:
    """Return an ffmpeg that takes so much longer to start a feed."""
    program = folder / f"ffmpeg-{seconds}"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *mpegts*) sleep {seconds};; esac\nexec "{material.FFMPEG}" "$@"\n'
    )
    program.chmod(0o755)
    return str(program)


async def test_a_late_start_still_shows_the_end(folder: Path) -> None:
    """An encoder that takes so long that a card is shown comes in half a second after it, however little is left."""
    seen, on = await tuned(folder / "last.mkv", 4.4, material.SMALL, slow(folder, 1.6))
    own = [each for each in seen if each.code == CODE]

    assert len(seen) > len(own) > 0
    assert own[-1].position == pytest.approx(SLOT - 0.04, abs=0.13)
    assert (on.notes.failures, on.shelf.suspects) == ([], [])


async def test_a_file_is_not_to_blame_for_coming_late(folder: Path) -> None:
    """A copied item that is late for its last key frame is encoded instead, and nobody suspects its file."""
    seen, on = await tuned(folder / "far.ts", 6.5, copyable.profile(), slow(folder, 1.6))

    assert seen[0].code == 0
    assert set(on.notes.failures) == {Failure.LATE}
    assert on.notes.steps[0] is Step.TRANSCODE
    assert [feed.order.way for feed in on.feeds.feeds][:2] == [Way.AUDIO, Way.TRANSCODE]
    assert on.shelf.suspects == []
