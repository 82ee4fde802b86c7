"""The record of bad files is kept behind the players' backs."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from exstream.errors import StoreError
from exstream.jobs.bad_files import ROUND_SECONDS, BadFiles
from exstream.model.bad_file import BadFile
from exstream.sources.quarantine import ENOUGH, Quarantine
from tests.fakes import SteppedClock, until

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000_000


class Record:
    """A record in memory that can refuse."""

    def __init__(self, *files: BadFile) -> None:
        self.files = {file.path: file for file in files}
        self.refuses = False

    async def load(self) -> Sequence[BadFile]:
        """Return what is kept."""
        if self.refuses:
            raise StoreError("the disk is full: free some space")
        return list(self.files.values())

    async def update(self, keep: Sequence[BadFile], drop: Collection[str]) -> None:
        """Keep and drop."""
        if self.refuses:
            raise StoreError("the disk is full: free some space")
        for path in drop:
            self.files.pop(path, None)
        self.files |= {file.path: file for file in keep}


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Return a file that cannot be played."""
    path = tmp_path / "bad.mkv"
    path.write_text("nothing")
    return path


def fail(quarantine: Quarantine, path: Path) -> None:
    """Have encoders of a file fail until it is set aside."""
    quarantine.clear("/films/good.mkv")
    for _ in range(ENOUGH):
        quarantine.suspect(str(path), "it hurts")


async def test_a_bad_file_is_recorded_and_let_go_when_it_changes(bad: Path) -> None:
    """It is written with its size, counted, taken off the record when the file is another one, and let go."""
    quarantine, record, counted = Quarantine(SteppedClock(NOW)), Record(), [0.0]
    job = BadFiles(quarantine, record, SteppedClock(NOW), counted.append)
    fail(quarantine, bad)
    await job.round()
    assert record.files[str(bad)].size == len("nothing")
    assert counted[-1] == 1
    await job.round()
    assert quarantine.set_aside(str(bad)) == "it hurts"
    bad.write_text("a whole film")
    await job.round()
    assert not quarantine.set_aside(str(bad))
    assert record.files == {}
    assert counted[-1] == 0


async def test_a_file_that_is_away_stays_on_record(bad: Path) -> None:
    """A share that is not there for a while changes nothing about its bad files."""
    quarantine, record = Quarantine(SteppedClock(NOW)), Record()
    job = BadFiles(quarantine, record, SteppedClock(NOW), lambda _: None)
    fail(quarantine, bad)
    await job.round()
    bad.unlink()
    await job.round()
    assert quarantine.set_aside(str(bad))


async def test_a_restart_knows_what_was_set_aside_and_a_scan_lets_it_go(bad: Path) -> None:
    """What is on record is passed over from the first airing on; once it is off the record, it is played again."""
    quarantine = Quarantine(SteppedClock(NOW))
    record = Record(BadFile(str(bad), "broken", 3, NOW - 9, NOW - 5))
    job = BadFiles(quarantine, record, SteppedClock(NOW), lambda _: None)
    await job.load()
    assert quarantine.set_aside(str(bad)) == "broken"
    await job.round()
    assert quarantine.set_aside(str(bad)) == "broken"
    record.files.clear()
    await job.round()
    assert not quarantine.set_aside(str(bad))


async def test_a_database_that_fails_is_asked_again(bad: Path) -> None:
    """Meanwhile what is in memory counts; nothing is lost, and the rounds go on."""
    clock = SteppedClock(NOW)
    quarantine, record = Quarantine(clock), Record()
    running = asyncio.create_task(BadFiles(quarantine, record, clock, lambda _: None).run())
    await clock.step(0)
    fail(quarantine, bad)
    record.refuses = True
    await clock.step(ROUND_SECONDS)
    await until(lambda: clock.sleepers)
    assert quarantine.set_aside(str(bad))
    record.refuses = False
    await clock.step(ROUND_SECONDS)
    await until(lambda: str(bad) in record.files)
    running.cancel()
