"""More than 150 odd and damaged files on the air: each one plays, or is left out with a reason, and no stream stops."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from exstream.mpegts.conformance import check
from exstream.schedule.planner import SHORTEST_MS
from tests.referee import decode_faults, examine
from tests.reliability.corpus import make_corpus
from tests.reliability.library import channel, station
from tests.reliability.recording import recordings
from tests.reliability.server import Server, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PARTS = 5
LONGEST_MS = 30_000
"""What a damaged file says of its length may be anything; files that claim more get a channel each."""


class Item(NamedTuple):
    """What the library knows of a file."""

    key: str
    """What the as-run log calls it."""
    path: str
    title: str
    duration_ms: int


class Aired(NamedTuple):
    """How an item went on a channel."""

    channel: str
    item: str
    outcome: str
    reason: str


@pytest.fixture(scope="module")
def corpus(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """Make the files."""
    return make_corpus(ffmpeg, tmp_path_factory.mktemp("corpus") / "media")


@pytest.fixture(scope="module")
def refused(corpus: Sequence[Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the command line says of a library with these files."""
    home = tmp_path_factory.mktemp("refused")
    added = command(home, "library", "add", str(_root(corpus)))
    assert "Traceback" not in added.stderr
    return added.stdout + added.stderr


@pytest.fixture
def server(corpus: Sequence[Path], tmp_path: Path) -> Iterator[Server]:
    """Run a server whose channels, encoding and copying, air a part of the files each."""
    made = station(tmp_path / "server", _root(corpus), {})
    for number, (name, titles) in enumerate(plan(items(made)).items(), start=1):
        profile = "copy" if name.startswith("copy") else "small"
        pool = json.dumps({"title": titles})
        definition = channel(str(number), name, profile=profile, pool=pool)
        (made.data_dir / "channels" / f"{name}.yaml").write_text(definition)
    with served(made) as server:
        yield server


def _root(corpus: Sequence[Path]) -> Path:
    return corpus[0].parents[1]


def _rows(server: Server, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{server.data_dir / 'exstream.db'}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


def items(server: Server) -> list[Item]:
    """Return the library's items."""
    rows = _rows(server, "SELECT rating_key, file_path, title, duration_ms FROM item ORDER BY title")
    return [Item(f"local:{key}", str(path), str(title), int(str(ms))) for key, path, title, ms in rows]


def aired(server: Server) -> list[Aired]:
    """Return what is in the as-run log."""
    rows = _rows(server, "SELECT channel, item, outcome, reason FROM asrun WHERE item IS NOT NULL")
    return [Aired(*map(str, row)) for row in rows]


def plan(known: Sequence[Item]) -> Mapping[str, list[str]]:
    """Return the titles of each channel."""
    titles = sorted({item.title for item in known if SHORTEST_MS <= item.duration_ms <= LONGEST_MS})
    channels = {f"{kind}-{part}": titles[part::PARTS] for kind in ("encode", "copy") for part in range(PARTS)}
    endless = [item.title for item in known if item.duration_ms > LONGEST_MS]
    return channels | {f"endless-{place}": [title] for place, title in enumerate(endless)}


def test_what_is_left_out_is_named_with_its_reason(
    corpus: Sequence[Path], refused: str, server: Server
) -> None:
    """There are 150 files and more; every one of them is in the library, or named as unreadable in a sentence."""
    taken = {item.path for item in items(server)}
    assert len(corpus) >= 150
    assert len(taken) >= 100
    for path in corpus:
        line = next((line for line in refused.splitlines() if f"{path} " in line), "")
        assert str(path) in taken or line.split(str(path))[-1].strip(), path


def test_every_file_plays_or_gives_way_and_no_stream_stops(
    server: Server, tmp_path: Path, ffmpeg: str
) -> None:
    """Each item is on air on a channel that encodes and on one that copies; streams keep format, clock and viewers."""
    known = items(server)
    paths = {item.key: item.path for item in known}
    wanted = {
        (kind, item.path)
        for item in known
        if SHORTEST_MS <= item.duration_ms <= LONGEST_MS
        for kind in ("encode", "copy")
    }

    def missing() -> set[tuple[str, str]]:
        return wanted - {(row.channel.partition("-")[0], paths[row.item]) for row in aired(server)}

    names = list(plan(known))
    with recordings({name: server.stream(name) for name in names}, tmp_path) as recorded:
        give_up = time.monotonic() + 400
        while missing() and time.monotonic() < give_up:
            assert not [name for name, each in recorded.items() if each.ended.is_set()]
            time.sleep(2)
        assert missing() == set()
        data = {name: each.stop() for name, each in recorded.items()}
    for row in aired(server):
        assert row.outcome == "aired" or row.reason, row
    for name in names:
        assert examine(data[name]).faults == [], name
        assert check(data[name]).told() == [], name
        if not name.startswith("copy"):  # damage inside a picture that is sent as it is stays in it
            assert decode_faults(ffmpeg, tmp_path / f"{name}.ts") == "", name
