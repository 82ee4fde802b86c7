"""The demo library: made whole, verified, in the order of air."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from exstream.ffmpeg.font import font_file
from exstream.ffmpeg.probe import Prober
from exstream.ffmpeg.process import Processes
from exstream.jobs.board import Board, JobState
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.demo import ATTEMPTS, RETRY_SECONDS, DemoLibrary, key_of
from exstream.jobs.demo_clip import WORKSHOP, ClipMaker, ClipNotMade
from exstream.jobs.demo_manifest import CLIPS, FILLERS, OPENING, Clip
from exstream.model.catalogue import ItemKind, LibraryKind, Media
from exstream.store.catalogue import CatalogueStore
from load.strip import picture_area, read_strip
from tests.fakes import SteppedClock, until

pytestmark = pytest.mark.anyio

SHORT = (OPENING[0], OPENING[1], FILLERS[0], FILLERS[1])
Build = Callable[..., DemoLibrary]


@pytest.fixture
def build(
    tmp_path: Path,
    processes: Processes,
    prober: Prober,
    shelves: CatalogueStore,
    catalogue: CatalogueHolder,
    board: Board,
    clock: SteppedClock,
) -> Build:
    """Return a way to make a demo library, as often as the server would start."""

    def build(clips: tuple[Clip, ...] = SHORT, owner: Processes = processes) -> DemoLibrary:
        maker = ClipMaker(tmp_path / "demo", owner, prober, font_file())
        return DemoLibrary(tmp_path / "demo", maker, shelves, catalogue, board, clock, clips)

    return build


def pictures(path: Path, every: int = 1) -> tuple[int, list[tuple[float, NDArray[np.uint8]]]]:
    """Return how many pictures a file has, and every n-th one with its time, as luma."""
    found: list[tuple[float, NDArray[np.uint8]]] = []
    count, first = 0, 0.0
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            time = frame.time or 0.0
            first = first if count else time
            if count % every == 0:
                found.append((time - first, np.asarray(frame.to_ndarray(format="gray"), np.uint8)))
            count += 1
    return count, found


def tone_of(path: Path, track: int) -> float:
    """Return the strongest frequency of an audio track in Hz, of a second in its middle."""
    resampler = av.AudioResampler("flt", "mono", 48_000)
    with av.open(str(path)) as container:
        blocks = [
            part.to_ndarray()[0]
            for frame in container.decode(audio=track)
            for part in resampler.resample(frame)
        ]
    samples = np.concatenate(blocks)
    middle = samples[len(samples) // 2 :][:48_000]
    return float(np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle))))) * 48_000 / len(middle))


def test_the_manifest_is_sound() -> None:
    """Codes, keys and paths are unique, and the library is as mixed and as short as it promises to be."""
    for unique in (
        {clip.code for clip in CLIPS},
        {key_of(clip) for clip in CLIPS},
        {clip.path for clip in CLIPS},
    ):
        assert len(unique) == len(CLIPS)
    assert {clip.code for clip in CLIPS} <= set(range(32))
    programmes = [clip for clip in CLIPS if clip.kind is not ItemKind.FILLER]
    assert len(programmes) >= 24
    assert len({clip.show for clip in programmes if clip.show}) >= 4
    assert sum(clip.kind is ItemKind.FILM for clip in programmes) >= 3
    assert all(20 <= clip.seconds <= 120 for clip in programmes)
    assert all(5 <= round(clip.seconds) <= 15 for clip in FILLERS)
    assert [clip.duration_ms for clip in OPENING] == [20_000] * 5
    tones = [tone for clip in CLIPS for tone in clip.tones]
    assert len(set(tones)) == len(tones)
    formats = {clip.format for clip in CLIPS}
    rates = {str(form.rate) for form in formats}
    assert rates == {"25", "50", "24000/1001", "30000/1001"}
    assert {form.layout for form in formats} == {"mono", "stereo", "5.1"}
    assert any(form.variable for form in formats)
    assert any(not form.audio for form in formats)
    assert any(form.languages == ("eng", "deu") for form in formats)
    assert any(form.interlaced and form.sar != (1, 1) for form in formats)
    assert max(form.height for form in formats) <= 720


async def test_the_opening_is_made_whole_and_to_the_picture(
    build: Build, tmp_path: Path, catalogue: CatalogueHolder, prober: Prober
) -> None:
    """The opening clips and fillers come first, and each picture carries its clip's code and its own position."""
    library = build(CLIPS)
    await library.install()
    assert set(catalogue.current.items) == {key_of(clip) for clip in CLIPS}
    assert not any(item.missing for item in catalogue.current.items.values())
    assert len(library.opening()) == 10
    await library.make_opening()
    assert set(library.waiting()) == {key_of(clip) for clip in CLIPS} - set(library.opening())
    for clip in (*OPENING, *FILLERS):
        item = catalogue.current.items[key_of(clip)]
        assert item.media == await prober.probe(item.path)
        count, frames = pictures(Path(item.path), every=37)
        assert count == clip.pictures
        for time, frame in frames:
            found = read_strip(frame)
            assert found is not None
            assert found[0] == clip.code
            assert abs(found[1] - time) <= 0.02
    assert not (tmp_path / "demo" / WORKSHOP / "0").exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_every_clip_is_what_the_manifest_says(build: Build, catalogue: CatalogueHolder) -> None:
    """All clips are made; length, pictures, strip, tones and tracks of each are those of the manifest."""
    library = build(CLIPS)
    await library.install()
    await library.run()
    assert library.waiting() == ()
    for clip in CLIPS:
        item = catalogue.current.items[key_of(clip)]
        media, form = item.media, clip.format
        assert media is not None
        assert media.video is not None
        assert abs(media.duration_ms - item.duration_ms) <= float(form.rate.seconds) * 1000
        assert (media.video.width, media.video.height, media.video.sar) == (form.width, form.height, form.sar)
        assert media.video.interlaced == form.interlaced
        assert media.video.pixel_format == form.pixel_format
        assert media.video.rate == (None if form.variable else form.rate)
        assert tuple(track.language for track in media.audio) == form.languages
        assert {track.channels for track in media.audio} <= {{"mono": 1, "stereo": 2, "5.1": 6}[form.layout]}
        count, frames = await asyncio.to_thread(pictures, Path(item.path), 11)
        assert form.variable or count == clip.pictures
        read = [(time, read_strip(frame)) for time, frame in frames]
        assert all(found and found[0] == clip.code and abs(found[1] - time) <= 0.021 for time, found in read)
        for track, tone in enumerate(clip.tones):
            assert abs(await asyncio.to_thread(tone_of, Path(item.path), track) - tone) <= 2


@pytest.mark.parametrize(
    ("size", "aspect"),
    [((640, 360), Fraction(16, 9)), ((720, 576), Fraction(4, 3)), ((640, 272), Fraction(40, 17))],
)
async def test_the_strip_survives_scaling_and_bars(
    size: tuple[int, int], aspect: Fraction, tmp_path: Path, processes: Processes
) -> None:
    """In a frame of 854x480 the strip is read from the picture's own area, and nothing is read from black."""
    clip = next(clip for clip in CLIPS if (clip.format.width, clip.format.height) == size)
    maker = ClipMaker(tmp_path, processes, Prober(processes), font_file())
    await maker.make(clip)
    area = picture_area(854, 480, aspect)
    scaled = tmp_path / "scaled.mkv"
    fit = f"bwdif=deint=interlaced,scale={area[2]}:{area[3]}:flags=bilinear,setsar=1,pad=854:480:{area[0]}:{area[1]}"
    argv = [
        "-v",
        "error",
        "-i",
        str(maker.path(clip)),
        "-t",
        "3",
        "-vf",
        fit,
        "-an",
        "-c:v",
        "libx264",
        str(scaled),
    ]
    assert (await processes.run(argv, 60, name="scale")).returncode == 0
    for time, frame in pictures(scaled)[1][2:]:
        found = read_strip(frame, area)
        assert found is not None
        assert found[0] == clip.code
        assert abs(found[1] - time) <= 0.045
    assert read_strip(np.full((480, 854), 128, np.uint8)) is None


async def test_a_second_start_makes_nothing_again(
    build: Build, catalogue: CatalogueHolder, tmp_path: Path
) -> None:
    """What is made is known after a restart; what was deleted meanwhile, and only that, is made once more."""
    first = build()
    await first.install()
    await first.run()
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo").rglob("*.mp4")}
    assert len(made) == len(SHORT)
    before = catalogue.current.version

    again = build()
    await again.install()
    assert again.waiting() == ()
    assert catalogue.current.version == before

    (tmp_path / "demo" / SHORT[2].path).unlink()
    third = build()
    await third.install()
    assert third.waiting() == (key_of(SHORT[2]),)
    await third.run()
    changed = {path for path, mtime in made.items() if path.stat().st_mtime_ns != mtime}
    assert changed == {tmp_path / "demo" / SHORT[2].path}


async def test_a_killed_start_is_taken_up_where_it_was(build: Build, tmp_path: Path) -> None:
    """A kill in the middle leaves no half clip under its name; the next start clears the rest away and goes on."""
    library = build()
    await library.install()
    running = asyncio.create_task(library.run())
    workshop = tmp_path / "demo" / WORKSHOP
    await until(lambda: any(workshop.rglob("clip.mp4")))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    bench = workshop / "0"
    bench.mkdir(parents=True, exist_ok=True)
    (bench / "clip.mp4").write_bytes(b"half a clip")
    truncated = tmp_path / "demo" / SHORT[3].path
    truncated.parent.mkdir(parents=True, exist_ok=True)
    truncated.write_bytes(b"ftyp")

    again = build()
    await again.install()
    assert not bench.exists()
    assert key_of(SHORT[3]) in again.waiting()
    await again.run()
    assert again.waiting() == ()
    assert truncated.stat().st_size > 10_000


async def test_what_airs_first_is_made_first(build: Build, tmp_path: Path) -> None:
    """The order of air that is told decides what is made next; unknown and finished keys are passed over."""
    library = build()
    await library.install()
    keys = [key_of(clip) for clip in SHORT]
    library.prioritise(["local:7/other.mkv", keys[3], keys[2], keys[3]])
    assert library.waiting() == (keys[3], keys[2], keys[0], keys[1])
    await library.run()
    times = [(tmp_path / "demo" / clip.path).stat().st_mtime_ns for clip in SHORT]
    assert max(times[2], times[3]) < max(times[0], times[1])
    library.prioritise(keys)
    assert library.waiting() == ()


def program(path: Path, text: str) -> str:
    """Write an executable script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_a_full_disk_is_said_and_waited_for(
    build: Build, tmp_path: Path, ffmpeg: str, board: Board, clock: SteppedClock
) -> None:
    """While the disk is full the board says what to do; once there is room the work goes on by itself."""
    full = tmp_path / "full"
    full.touch()
    script = (
        f'if [ -e "{full}" ]; then echo "Error writing trailer: No space left on device" >&2; exit 1; fi\n'
        f'exec "{ffmpeg}" "$@"'
    )
    async with Processes(program(tmp_path / "ffmpeg", script)) as owner:
        library = build((SHORT[2],), owner)
        await library.install()
        running = asyncio.create_task(library.run())
        await until(lambda: clock.sleepers)
        job = board.jobs()[0]
        assert job.state is JobState.RUNNING
        assert "is full: free" in job.message
        assert not (tmp_path / "demo" / WORKSHOP / str(SHORT[2].code)).exists()
        full.unlink()
        await clock.step(RETRY_SECONDS)
        await running
    assert library.waiting() == ()
    assert board.jobs()[0].state is JobState.DONE
    assert (tmp_path / "demo" / SHORT[2].path).exists()


async def test_a_clip_that_cannot_be_made_is_taken_out_of_planning(
    build: Build, tmp_path: Path, ffmpeg: str, catalogue: CatalogueHolder, board: Board
) -> None:
    """A clip that ffmpeg refuses is given up after some attempts and marked missing; the others are made."""
    tried = tmp_path / "tried"
    script = (
        f'case "$*" in *"title={SHORT[0].title}"*) echo x >>"{tried}"; echo "Unknown encoder" >&2; exit 8;; esac; '
        f'exec "{ffmpeg}" "$@"'
    )
    async with Processes(program(tmp_path / "ffmpeg", script)) as owner:
        library = build((SHORT[0], SHORT[2]), owner)
        await library.install()
        await library.run()
    assert tried.read_text().count("x") == ATTEMPTS
    assert catalogue.current.items[key_of(SHORT[0])].missing
    assert not catalogue.current.items[key_of(SHORT[2])].missing
    assert catalogue.current.items[key_of(SHORT[2])].media is not None


async def test_a_folder_that_moves_keeps_its_items(
    build: Build, shelves: CatalogueStore, catalogue: CatalogueHolder, tmp_path: Path
) -> None:
    """When the data directory has another path, the demo library is one library still."""
    await shelves.add_library(LibraryKind.DEMO, "Demo", "/somewhere/else")
    library = await build().install()
    assert [found.path for found in await shelves.libraries()] == [str(tmp_path / "demo")]
    assert library.path == str(tmp_path / "demo")
    assert len(catalogue.current.items) == len(SHORT)


async def test_no_path_upsets_the_filters(tmp_path: Path, processes: Processes, prober: Prober) -> None:
    """Signs that mean something to ffmpeg's filters may stand in the data directory's path."""
    folder = tmp_path / "it's [50%]: a,b;c \\ ü{x}"
    font = folder / "font's.ttf"
    folder.mkdir()
    font.write_bytes(font_file().read_bytes())
    maker = ClipMaker(folder, processes, prober, font)
    media = await maker.make(SHORT[2])
    assert media.duration_ms == SHORT[2].duration_ms


class Liar:
    """A prober that finds every file a second short."""

    async def probe(self, path: str) -> Media:
        return Media(SHORT[2].duration_ms - 1_000)

    def probe_all(self, paths: object) -> None:
        raise AssertionError


async def test_a_clip_of_the_wrong_length_is_not_kept(tmp_path: Path, processes: Processes) -> None:
    """A clip that is not as long as the catalogue says never gets its name."""
    maker = ClipMaker(tmp_path, processes, Liar(), font_file())  # type: ignore[arg-type] # it only probes
    with pytest.raises(ClipNotMade, match="came out 4000 ms long, not 5000"):
        await maker.make(SHORT[2])
    assert not maker.path(SHORT[2]).exists()
