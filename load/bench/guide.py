"""The whole guide anew, for a hundred channels and for five hundred, and what the event loop notices of it."""

from __future__ import annotations

import asyncio
import gzip
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import yaml

from exstream.jobs.describing import key_of
from exstream.model.catalogue import Item, ItemKind, Library, LibraryKind
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from load.bench.lag import Wakes
from load.bench.media import SETTINGS
from load.bench.server import Server
from load.bench.spread import median
from load.bench.table import NotMeasured, Row

DAYS = 7
HORIZON_DAYS = DAYS + 2
SIZES = {100: 2.0, 500: 10.0}
"""Target in seconds by number of channels."""
TARGET_LAG = 0.050
EPISODES = 17_000
_MINUTES = 25
_PLOT = (
    "Somebody arrives, somebody leaves, and nobody says why until it is nearly too late for both of them. "
)
_PUBLISH_SECONDS = 600.0
_SHOWS = 200


class Made(NamedTuple):
    """One guide."""

    seconds: float
    compressed: bytes
    lag: float
    """Ninety-nine of a hundred wakes of the event loop were less late, in seconds."""


def measure(folder: Path) -> list[Row]:
    """Make the guide of either number of channels, by a server that has not made any part of it yet."""
    rows: list[Row] = []
    for channels, target in SIZES.items():
        home = folder / f"{channels}"
        _furnish(home, channels)
        rows += _rows(channels, target, _made(home, channels))
    return rows


def _furnish(home: Path, channels: int) -> None:
    """Make a data directory with a large library, of which the guide tells and nothing is played."""
    definitions = home / "channels"
    definitions.mkdir(parents=True)
    for number in range(1, channels + 1):
        definition = {
            "number": str(number),
            "name": f"Channel {number}",
            "profile": "480p25",
            "programmes": [{"pool": {}, "order": "shuffle"}],
        }
        (definitions / f"c{number:03}.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    asyncio.run(_shelve(home))


async def _shelve(home: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{home / 'exstream.db'}")
    try:
        await database.open()
        store = CatalogueStore(database)
        # A share that is not there: what it held stays in the library.
        library = await store.add_library(LibraryKind.FOLDER, "Shows", str(home / "away"))
        await store.apply(library.id, (_episode(library, number) for number in range(EPISODES)))
    finally:
        await database.dispose()


def _episode(library: Library, number: int) -> Item:
    show, place = number % _SHOWS + 1, number // _SHOWS
    return Item(
        key_of(library, f"Show {show}/{place}.mp4"),
        ItemKind.EPISODE,
        f"Part {place + 1} of {show}",
        _MINUTES * 60_000 + number % 600 * 1_000,
        library.name,
        show=f"Show {show}",
        season=place // 20 + 1,
        episode=place % 20 + 1,
        year=1950 + show % 70,
        summary=_PLOT * 2,
        genres=("Drama", "Comedy"),
    )


def _made(home: Path, channels: int) -> Made:
    with Server(home, {**SETTINGS, "EXSTREAM_HORIZON_DAYS": str(HORIZON_DAYS)}) as server:
        _wait_until_published(server, channels)
        before = Wakes.of(server)
        began = time.perf_counter()
        compressed = _guide(server.port)
        seconds = time.perf_counter() - began
        lag = Wakes.of(server).since(before).at_most(0.99)
    return Made(seconds, compressed, lag)


def _wait_until_published(server: Server, channels: int) -> None:
    deadline = time.monotonic() + _PUBLISH_SECONDS
    while True:
        until = server.figures("exstream_published_until_seconds")
        # All of it: a server that goes on planning changes the guide, and does two things at a time.
        if len(until) == channels and min(until) >= time.time() + HORIZON_DAYS * 86_400:
            return
        if time.monotonic() > deadline:
            raise NotMeasured(f"{channels} channels were not published after {_PUBLISH_SECONDS:.0f} s")
        time.sleep(1)


def _guide(port: int) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", f"/iptv/xmltv.xml?days={DAYS}", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise NotMeasured(f"the guide was answered with {answer.status}")
        return answer.read()
    finally:
        connection.close()


def _rows(channels: int, target: float, made: Made) -> list[Row]:
    text = gzip.decompress(made.compressed)
    floors = []
    for _ in range(3):
        began = time.perf_counter()
        gzip.compress(text, 6)
        floors.append(time.perf_counter() - began)
    what = f"guide of {channels} channels, {DAYS} days"
    programmes = text.count(b"<programme ")
    return [
        Row(
            f"{what} ({programmes:,} programmes): whole answer",
            f"{made.seconds:.1f} s",
            f"{median(floors):.1f} s its gzip alone",
            f"<= {target:.0f} s",
            made.seconds <= target,
            {"seconds": made.seconds, "floor": median(floors), "programmes": programmes, "bytes": len(text)},
        ),
        Row(
            f"{what}: event loop late meanwhile, p99",
            f"<= {made.lag * 1_000:g} ms",
            "",
            f"<= {TARGET_LAG * 1_000:.0f} ms",
            made.lag <= TARGET_LAG,
            {"p99": made.lag},
        ),
    ]
