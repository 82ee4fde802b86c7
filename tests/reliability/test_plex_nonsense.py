"""Answers that are none: whatever a Plex server says, rows are kept, and never half a library is deleted."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exstream.errors import OutboundError
from exstream.jobs.sync.plan import Wishes
from load.plex_server import PlexServer as Fake
from load.plex_server import running_plex_server
from tests.jobs.sync.beside import Shelf, keeping

LISTING = "/library/sections/[12]/all"
ROWS = (
    "SELECT server_id, rating_key, title, kind, show_key, digest, plex_path, media, versions, missing, deleted"
    " FROM item ORDER BY rating_key"
)


@dataclass(frozen=True)
class Known:
    """A server, and a database that knows all it has."""

    fake: Fake
    database: Path


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """Read a library of everything once."""
    home = tmp_path_factory.mktemp("known")

    async def read(fake: Fake) -> None:
        async with keeping(fake, home) as shelf:
            assert (await shelf.read()).faults == []

    with running_plex_server(machine="m-den", name="Den") as fake:
        asyncio.run(read(fake))
        yield Known(fake, home)


def harmed(known: Known, folder: Path, harm: Callable[[Fake], object]) -> None:
    """Synchronise while ``harm`` is in force, and again when it is over: nothing is lost, and all is as it was."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(known.database, folder)
    known.fake.heal()

    async def judge() -> None:
        async with keeping(known.fake, folder) as shelf:
            before = shelf.rows(ROWS)
            harm(known.fake)
            await _tried(shelf)
            known.fake.heal()
            after = shelf.rows(ROWS)
            assert {row[:2] for row in after} >= {row[:2] for row in before}
            gone = [row for row in after if row[-2] or row[-1]]
            assert len(gone) <= len(before) // 5, gone
            await _tried(shelf)
            statistics = await shelf.read(Wishes(deep=True))
            assert statistics.faults == []
            here = {row[:2] for row in before}
            assert [row for row in shelf.rows(ROWS) if row[:2] in here] == before

    asyncio.run(judge())


async def _tried(shelf: Shelf) -> None:
    """Synchronise; that it cannot be done is allowed, any other end of it is not."""
    with suppress(OutboundError):
        await shelf.read(Wishes(deep=True))


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("status", {"status": 200, "body": ""}),
        ("status", {"status": 200, "body": "{}", "content_type": "application/json"}),
        ("status", {"status": 200, "body": '{"MediaContainer":{}}', "content_type": "application/json"}),
        (
            "status",
            {"status": 200, "body": '{"MediaContainer":{"size":0}}', "content_type": "application/json"},
        ),
        ("status", {"status": 200, "body": '<MediaContainer size="0"/>', "content_type": "text/xml"}),
        ("status", {"status": 200, "body": "<html><title>Sign in</title></html>"}),
        ("status", {"status": 200, "body": "null", "content_type": "application/json"}),
        ("status", {"status": 500}),
        ("status", {"status": 404}),
        ("shorten", {"after": 1_500}),
        ("cut", {"after": 900}),
        ("gzip_bomb", {"size": 300_000_000}),
        ("deep", {"size": 1_000_000}),
        ("wrong_types", {}),
        ("rewrite", {"change": {"Metadata": None}}),
        ("rewrite", {"change": {"Metadata": [], "size": 0, "totalSize": 0}}),
        ("rewrite", {"change": {"Metadata": [], "size": 0}}),
        ("rewrite", {"change": {"totalSize": 1}}),
        ("rewrite", {"change": {"totalSize": "many"}}),
        ("rewrite", {"change": {"offset": 7}}),
    ],
    ids=str,
)
def test_no_answer_makes_a_library_disappear(
    known: Known, tmp_path: Path, kind: str, rule: dict[str, Any]
) -> None:
    """Nothing, pages, halves, bombs, depths, false counts, other types: the old rows are kept and come right again."""
    harmed(known, tmp_path / "home", lambda fake: fake.harm(kind, LISTING, **rule))


def test_a_library_that_turns_empty_deletes_nothing(known: Known, tmp_path: Path) -> None:
    """Both libraries answer as if their disks were gone, with counts that fit: every row stays, and is said to."""

    def empty(fake: Fake) -> None:
        for section in (1, 2):
            fake.turn_empty(section)

    async def judge() -> None:
        shutil.copytree(known.database, tmp_path / "home")
        async with keeping(known.fake, tmp_path / "home") as shelf:
            before = shelf.rows(ROWS)
            empty(known.fake)
            try:
                statistics = await shelf.read(Wishes(deep=True))
                assert statistics.removed == 0
                assert statistics.held_back == 29
                assert [fault for fault in statistics.faults if "kept until a later look" in fault]
                assert shelf.rows(ROWS) == before
            finally:
                for section in (1, 2):
                    known.fake.turn_empty(section, empty=False)

    asyncio.run(judge())


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoilt(draw: st.DrawFn, listing: dict[str, Any]) -> str:
    """Return a whole listing with entries left out, doubled, moved, cut short, or with junk in the place of values."""
    tree = json.loads(json.dumps(listing))
    container = tree["MediaContainer"]
    entries: list[Any] = container["Metadata"]
    for _ in range(draw(st.integers(1, 4))):
        if not entries:
            break
        place = draw(st.integers(0, len(entries) - 1))
        what = draw(st.sampled_from(["drop", "half", "double", "junk", "field", "count", "shuffle"]))
        if what == "drop":
            del entries[place]
        elif what == "half":
            del entries[place:]
        elif what == "double":
            entries.append(entries[place])
        elif what == "junk":
            entries[place] = draw(JUNK)
        elif what == "field" and isinstance(entries[place], dict):
            name = draw(
                st.sampled_from(["Media", "index", "addedAt", "updatedAt", "type", "duration", "Guid"])
            )
            entries[place] = {**entries[place], name: draw(JUNK)}
        elif what == "count":
            container[draw(st.sampled_from(["size", "totalSize", "offset"]))] = draw(
                JUNK | st.integers(0, 40)
            )
        elif what == "shuffle":
            entries.reverse()
    text = json.dumps(tree)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 4)) == 0 else text


def listing_of(fake: Fake) -> dict[str, Any]:
    """Return the listing of all episodes as the server gives it."""
    request = urllib.request.Request(
        f"{fake.url}/library/sections/2/all?type=4&includeGuids=1&X-Plex-Container-Start=0&X-Plex-Container-Size=99",
        headers={"X-Plex-Token": fake.token, "Accept": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_whole_listing_looks_like_rows_stay(
    known: Known, tmp_path: Path, data: st.DataObject
) -> None:
    """Entries left out, doubled, of other types, counts that lie: no episode that is there goes missing in numbers."""
    body = data.draw(spoilt(listing_of(known.fake)))
    harmed(
        known,
        tmp_path / "home",
        lambda fake: fake.harm(
            "status",
            "/library/sections/2/all",
            query="type=4",
            status=200,
            body=body,
            content_type="application/json",
        ),
    )
