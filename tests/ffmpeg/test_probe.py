"""Probing real files, in a child that may hang or die."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from exstream.errors import UnreadableMedia
from exstream.ffmpeg.probe import Probed, Prober
from exstream.ffmpeg.probe_child import look
from exstream.ffmpeg.process import Processes
from exstream.model.grid import Rate

pytestmark = pytest.mark.anyio

REASONS = {
    "no-index.mp4": "its index (the moov atom) is missing",
    "text.mp4": "no video or sound file of a kind that is played here",
    "empty.mkv": "it is empty",
    "absent.mkv": "No such file",
    "cover.png": "no video or sound file of a kind that is played here",
}


@pytest.fixture
async def processes(ffmpeg: str) -> AsyncIterator[Processes]:
    """Yield the owner of this test's children."""
    async with Processes(ffmpeg) as owner:
        yield owner


@pytest.fixture(params=[True, False], ids=["pyav", "ffmpeg"])
def prober(request: pytest.FixtureRequest, processes: Processes) -> Prober:
    """Return a prober of either kind."""
    return Prober(processes, use_pyav=request.param)


async def test_tracks_are_described_exactly(prober: Prober, clips: Path) -> None:
    """Rates are exact, fields, shape and channels are told, languages and defaults are there."""
    film = await prober.probe(str(clips / "surround.mkv"))
    assert film.video is not None
    assert film.video.rate == Rate(24_000, 1_001)
    assert (film.video.codec, film.video.width, film.video.height) == ("h264", 320, 180)
    assert (film.audio[0].codec, film.audio[0].channels, film.audio[0].sample_rate) == ("ac3", 6, 48_000)
    assert film.duration_ms == pytest.approx(4_004, abs=10)
    fields = await prober.probe(str(clips / "interlaced.ts"))
    assert fields.video is not None
    assert (fields.video.interlaced, fields.video.sar, fields.video.rate) == (True, (16, 11), Rate(25))
    deep = await prober.probe(str(clips / "deep.mkv"))
    assert deep.video is not None
    assert (deep.video.pixel_format, deep.video.interlaced) == ("yuv420p10le", False)
    tracks = (await prober.probe(str(clips / "tracks.mkv"))).audio
    assert [(track.index, track.language, track.default) for track in tracks] == [
        (0, "ger", False),
        (1, "eng", True),
    ]
    assert tracks[1].title == "Original"


async def test_a_cover_is_no_picture_and_a_turned_picture_is_known(prober: Prober, clips: Path) -> None:
    """Attached pictures do not make a song a film; a telephone's turn is reported."""
    song = await prober.probe(str(clips / "cover.m4a"))
    assert song.video is None
    assert len(song.audio) == 1
    turned = await prober.probe(str(clips / "turned.mp4"))
    assert turned.video is not None
    assert turned.video.rotation == 90
    mute = await prober.probe(str(clips / "mute.mp4"))
    assert mute.audio == ()


@pytest.mark.parametrize("name", REASONS)
async def test_an_unreadable_file_is_named_with_the_reason(prober: Prober, clips: Path, name: str) -> None:
    """The sentence says which file and why, in words that help."""
    with pytest.raises(UnreadableMedia) as refused:
        await prober.probe(str(clips / name))
    assert str(clips / name) in str(refused.value)
    assert REASONS[name] in str(refused.value)


def test_a_forbidden_file_says_so(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this user may not read is not called broken."""

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert look(str(clips / "plain.mkv")) == {"fault": "Permission denied"}


async def test_many_files_are_answered_in_order_by_one_child(processes: Processes, clips: Path) -> None:
    """Good and bad ones alike get one answer each; one interpreter does for all."""
    started: list[int] = []
    processes._count = started.append
    paths = sorted(str(path) for path in clips.iterdir())
    found = [each async for each in Prober(processes).probe_all(paths)]
    assert [each.path for each in found] == paths
    assert {Path(each.path).name for each in found if each.media is None} == set(REASONS) - {"absent.mkv"}
    assert all((each.media is None) == bool(each.fault) for each in found)
    assert started == [1, 0]


async def test_a_file_that_hangs_its_reader_is_marked_and_passed(
    processes: Processes, clips: Path, tmp_path: Path
) -> None:
    """A hung reader is killed after the timeout, and a new one goes on with the next file."""
    os.mkfifo(tmp_path / "hangs.mkv")
    paths = [str(clips / "plain.mkv"), str(tmp_path / "hangs.mkv"), str(clips / "mute.mp4")]
    first, second, third = [each async for each in Prober(processes, timeout=1.0).probe_all(paths)]
    assert first.media is not None
    assert second == Probed(paths[1], None, f"{paths[1]} cannot be used: reading it took over 1 s")
    assert third.media is not None
    assert processes.running() == ()


async def test_a_file_that_kills_its_reader_is_marked_and_passed(
    processes: Processes, clips: Path, tmp_path: Path
) -> None:
    """A crash costs one file: its reader is replaced."""
    os.mkfifo(tmp_path / "kills.mkv")
    paths = [str(tmp_path / "kills.mkv"), str(clips / "mute.mp4")]

    async def kill_the_first() -> None:
        while not processes.running():
            await asyncio.sleep(0.01)
        os.kill(processes.running()[0].pid, signal.SIGSEGV)

    killer = asyncio.create_task(kill_the_first())
    first, second = [each async for each in Prober(processes).probe_all(paths)]
    await killer
    assert first.fault == f"{paths[0]} cannot be used: it made its reader crash (signal 11)"
    assert second.media is not None


async def test_leaving_early_ends_the_child(processes: Processes, clips: Path) -> None:
    """Who needs no more answers leaves no reader behind."""
    async with aclosing(Prober(processes).probe_all([str(clips / "plain.mkv")] * 50)) as answers:
        async for _ in answers:
            break
    assert processes.running() == ()


async def test_a_name_in_any_bytes_can_be_probed(prober: Prober, clips: Path, tmp_path: Path) -> None:
    """Newlines, quotes and bytes that are no UTF-8 are part of people's file names."""
    for name in (b"two\nlines.mkv", b"caf\xe9.mkv", b"-y:a|b'.mkv"):
        path = os.fsencode(tmp_path) + b"/" + name
        await asyncio.to_thread(Path(os.fsdecode(path)).write_bytes, (clips / "mute.mp4").read_bytes())
        assert (await prober.probe(os.fsdecode(path))).video is not None


async def test_a_relative_path_is_a_mistake_of_the_caller(prober: Prober) -> None:
    """Children run in another folder: only absolute paths mean the same there."""
    with pytest.raises(ValueError, match="absolute"):
        await prober.probe("film.mkv")


async def test_a_missing_interpreter_marks_every_file(
    processes: Processes, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no child can be started every file gets an answer that says so."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    found = [
        each async for each in Prober(processes, use_pyav=True).probe_all([str(clips / "plain.mkv")] * 2)
    ]
    assert len(found) == 2
    assert all("/nowhere/python" in each.fault for each in found)
