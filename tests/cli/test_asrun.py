"""`exstream asrun` and what is told of bad files."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from exstream.model.asrun import AsRunEntry, Means, Outcome
from exstream.model.bad_file import BadFile
from exstream.model.programme import Segment, SegmentKind, Way
from exstream.model.recovery import Failure, Setback, Step
from exstream.store.asrun import AsRunStore
from exstream.store.bad_files import BadFileStore
from exstream.store.database import Database
from tests.cli.test_commands import Shell, films, shell

__all__ = ["films", "shell"]

CHANNEL = "id: seven\nnumber: 7\nname: Seven\nprofile: 480p25\nprogrammes:\n  - pool: {kind: film}\n"
SECOND = 1_000


def keep(shell: Shell, work: Callable[[Database], Awaitable[None]]) -> None:
    """Have ``work`` done on the database that the commands read."""

    async def do() -> None:
        database = Database(f"sqlite+aiosqlite:///{shell.data}/exstream.db")
        try:
            await database.open()
            await work(database)
        finally:
            await database.dispose()

    asyncio.run(do())


@pytest.fixture
def aired(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> int:
    """Write a log of two hours ago with three entries; return when it begins, in UTC milliseconds."""
    monkeypatch.setenv("EXSTREAM_TIMEZONE", "Europe/Berlin")
    monkeypatch.setenv("EXSTREAM_DEMO", "false")
    (shell.data / "channels").mkdir(parents=True)
    (shell.data / "channels" / "seven.yaml").write_text(CHANNEL)
    begins = (round(time.time()) // 60 * 60 - 7_200) * SECOND
    rows = [
        Segment(
            "seven",
            SegmentKind.PROGRAMME,
            begins + 600 * k * SECOND,
            begins + 600 * (k + 1) * SECOND,
            f"i{k}",
            0,
            f"Film {k}",
        )
        for k in range(3)
    ]
    setback = Setback(
        rows[1].starts + 3 * SECOND,
        Step.PLANNED,
        Failure.IRREGULAR,
        "pictures are missing",
        "/f.mkv",
        1,
        Way.COPY,
    )
    entries = [
        AsRunEntry(rows[0], rows[0].starts + 20, rows[0].ends, Outcome.AIRED, "", 20, Means.COPY, 15_000, 0),
        AsRunEntry(
            rows[1],
            rows[1].starts,
            rows[1].ends,
            Outcome.PARTLY,
            "pictures are missing",
            -7,
            Means.TRANSCODE,
            15_000,
            375,
            (setback,),
            3,
        ),
        AsRunEntry(rows[2], rows[2].starts, rows[2].ends, Outcome.FILLER, "", None, Means.FILLER, 15_000, 0),
    ]
    keep(shell, lambda database: AsRunStore(database).record(entries))
    return begins


def test_what_aired_is_shown_beside_what_was_planned(shell: Shell, aired: int) -> None:
    """A line each with planned and aired times, drift, way and card seconds; failures beneath; exit code 0."""
    answer = shell("asrun", "7")
    lines = [line.split() for line in answer.out.splitlines()]
    assert answer.code == 0, answer.err
    assert lines[0][0] == "Seven,"
    assert lines[2][3:] == ["+20", "ms", "copy", "Film", "0"]
    assert lines[3][3:] == ["-7", "ms", "transcode", "15.0", "s", "Film", "1", "(partly)"]
    assert lines[4][1:] == ["planned", "->", "irregular:", "pictures", "are", "missing"]
    assert lines[5] == ["and", "2", "more"]
    assert lines[6][3:] == ["filler", "Film", "2", "(filler", "stood", "in)"]
    local = time.strftime("%H:%M", time.gmtime(aired / SECOND + 3_600))
    summer = time.strftime("%H:%M", time.gmtime(aired / SECOND + 7_200))
    assert lines[2][1][:5] in {local, summer}


def test_a_span_is_chosen_by_hours_and_by_its_beginning(shell: Shell, aired: int) -> None:
    """--hours counts back from now, or on from --since; JSON gives UTC instants and every setback."""
    assert json.loads(shell("asrun", "seven", "--json", "--hours", "1").out) == []
    since = time.strftime("%Y-%m-%d", time.gmtime(aired / SECOND - 2 * 86_400))
    assert json.loads(shell("asrun", "seven", "--json", "--since", since, "--hours", "1").out) == []
    every = json.loads(shell("asrun", "seven", "--json", "--since", since).out)
    assert [each["outcome"] for each in every] == ["aired", "partly", "filler"]
    assert every[0]["aired_start"].endswith(".020Z")
    assert every[1]["failures"] == 3
    assert every[1]["setbacks"][0] == {
        "at": every[1]["setbacks"][0]["at"],
        "step": "planned",
        "failure": "irregular",
        "reason": "pictures are missing",
        "file": "/f.mkv",
        "way": "copy",
    }


def test_planned_and_aired_add_up_to_the_drift(shell: Shell, aired: int) -> None:
    """Both columns have milliseconds, so that their difference is the drift where a segment aired from its start."""
    [_, _, first, *_] = shell("asrun", "7").out.splitlines()
    planned, on_air, drift = (first.split()[column] for column in (1, 2, 3))
    assert (planned[-7:], on_air[-7:], drift) == (":00.000", ":00.020", "+20")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("asrun", "7", "--since", "gestern"),
            "'gestern' is no instant: write 2026-05-31 or 2026-05-31T20:15",
        ),
        (("asrun", "7", "--hours", "-3"), "'-3' is no number of hours from 0.01 to 8784"),
        (("asrun", "7", "--hours", "nan"), "'nan' is no number of hours"),
        (("asrun", "7", "--hours", "three"), "'three' is no number of hours"),
        (("check-stream", "x.ts", "--seconds", "0"), "'0' is no number of seconds from 0.5 to 604800"),
    ],
)
def test_amounts_that_cannot_be_read_are_told_in_words(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    """A wrong instant or number ends with 1, and says how it is written, in no programming language."""
    answer = shell(*arguments)
    assert (answer.code, answer.out) == (1, "")
    assert words in answer.err
    assert "%" not in answer.err


def test_what_cannot_be_asked_is_told(shell: Shell, aired: int) -> None:
    """An unknown channel and a beginning that is to come end with 1; a channel that nothing aired on does not."""
    unknown = shell("asrun", "nowhere")
    assert (unknown.code, unknown.out) == (1, "")
    assert "`exstream channels list`" in unknown.err
    assert shell("asrun", "7", "--since", "2100-01-01").code == 1
    quiet = shell("asrun", "7", "--hours", "0.5")
    assert quiet.code == 0
    assert "Nothing was on the air on Seven" in quiet.out


def test_before_the_first_start_nothing_has_aired(shell: Shell) -> None:
    """Without a database there is no entry, and none is made."""
    (shell.data / "channels").mkdir(parents=True)
    (shell.data / "channels" / "seven.yaml").write_text(CHANNEL)
    assert "Nothing was on the air" in shell("asrun", "seven").out
    assert not (shell.data / "exstream.db").exists()


def test_a_bad_file_is_in_the_diagnosis_until_its_library_is_scanned(shell: Shell, films: Path) -> None:
    """The doctor names the file and its reason as a warning; a scan takes those below its folder off the record."""
    assert shell("library", "add", str(films)).code == 2
    bad = [
        BadFile(str(films / "Film (2001).mkv"), "moov atom not found", 3, 1, 2),
        BadFile("/elsewhere/other.mkv", "it hurts", 3, 1, 1),
    ]
    keep(shell, lambda database: BadFileStore(database).update(bad, ()))
    warned = [line for line in json.loads(shell("doctor", "--json").out) if line["name"] == "bad files"]
    assert [line["state"] for line in warned] == ["warn", "warn"]
    assert "moov atom not found" in warned[0]["text"]
    shell("library", "scan", str(films))
    left = [line for line in json.loads(shell("doctor", "--json").out) if line["name"] == "bad files"]
    assert ["/elsewhere/other.mkv" in line["text"] for line in left] == [True]
