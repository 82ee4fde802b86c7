"""What a server tells while it happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.errors import NotAllowed, OutboundError, SignInNeeded, Unreachable
from exstream.plex.notices import LIBRARY, listen, parse
from exstream.plex.records import Happening, Notice
from tests.fakes import SteppedClock, turn
from tests.plex.recorded import recording

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000


def timeline(**entry: Any) -> str:
    told = {"identifier": LIBRARY, "sectionID": "2", "itemID": "301", "type": 4, "state": 5, **entry}
    return json.dumps({"NotificationContainer": {"type": "timeline", "size": 1, "TimelineEntry": [told]}})


def activity(event: str, kind: str, **context: Any) -> str:
    told = {"event": event, "uuid": "u", "Activity": {"type": kind, "Context": context}}
    return json.dumps({"NotificationContainer": {"type": "activity", "ActivityNotification": [told]}})


CHANGED = Notice(Happening.CHANGED, "301", "2")
DELETED = Notice(Happening.DELETED, "301", "2")


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (timeline(), [CHANGED]),
        (timeline(itemID=301, sectionID=2), [CHANGED]),
        (timeline(state="5", metadataState="processed"), [CHANGED]),
        (timeline(state=0, metadataState="created"), [CHANGED]),
        (timeline(state=9), [DELETED]),
        (timeline(state=1, metadataState="deleted", mediaState="analyzing"), [DELETED]),
        (timeline(sectionID=-1), [Notice(Happening.CHANGED, "301")]),
        (
            activity("ended", "library.update.section", librarySectionID=2),
            [Notice(Happening.SCANNED, section="2")],
        ),
        (activity("ended", "library.update.section"), [Notice(Happening.SCANNED)]),
    ],
)
def test_changes_deletions_and_scans_are_told(frame: str, expected: Sequence[Notice]) -> None:
    """Numbers or texts, with or without a library: an item that changed or went, a scan that is over."""
    assert list(parse(frame)) == expected


@pytest.mark.parametrize(
    "frame",
    [
        timeline(mediaState="thumbnailing"),
        timeline(state=3),
        timeline(identifier="tv.plex.providers.epg.cloud:1", state=9),
        timeline(itemID=-1),
        timeline(itemID=None),
        activity("started", "library.update.section", librarySectionID=2),
        activity("ended", "library.refresh.items", key="/library/metadata/1"),
        json.dumps(
            {"NotificationContainer": {"type": "playing", "PlaySessionStateNotification": [{"state": "x"}]}}
        ),
        *("", "{", "[]", "5", "null", '{"NotificationContainer": 5}', '{"TimelineEntry": [5, null]}'),
    ],
)
def test_noise_is_not(frame: str) -> None:
    """Thumbnails, steps on the way, the television guide's own numbers, what others watch, and nonsense."""
    assert parse(frame) == ()


def test_entries_of_one_frame_are_told_once_each() -> None:
    """A server says the same several times in one breath."""
    entry = {"identifier": LIBRARY, "itemID": "1", "state": 5}
    frame = {"NotificationContainer": {"TimelineEntry": [entry, entry, {**entry, "itemID": "2"}]}}
    assert [notice.item for notice in parse(json.dumps(frame))] == ["1", "2"]


@pytest.mark.parametrize("name", ["plextraktsync__events.json", "plextraktsync__events-played.json"])
def test_recorded_frames_are_noise(name: str) -> None:
    """What real servers say of refreshed items and of players is understood and left alone."""
    assert parse(recording(name).decode()) == ()


NAMES = st.sampled_from(
    ["NotificationContainer", "TimelineEntry", "ActivityNotification", "Activity", "Context", "state"]
)
FRAMES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
)


@given(st.text() | FRAMES.map(json.dumps))
def test_no_frame_breaks_it(frame: str) -> None:
    """Whatever a server writes into a frame, notices come of it or nothing."""
    assert all(isinstance(notice, Notice) for notice in parse(frame))


class Lines:
    """Opens lines that say so much each, then break; at the end it refuses."""

    def __init__(self, clock: SteppedClock, *said: Sequence[str] | OutboundError) -> None:
        self.clock = clock
        self.said = list(said)
        self.opened: list[float] = []

    @asynccontextmanager
    async def __call__(
        self, address: str, path: str, **_options: object
    ) -> AsyncIterator[AsyncIterator[str]]:
        self.opened.append(self.clock.air())
        now = self.said.pop(0) if self.said else SignInNeeded("no more")
        if isinstance(now, OutboundError):
            raise now

        async def frames() -> AsyncIterator[str]:
            for frame in now:
                yield frame
            raise Unreachable("closed")

        yield frames()


async def heard(lines: Lines) -> list[Notice]:
    """Return what is told until the server refuses."""
    told: list[Notice] = []

    async def listening() -> None:
        async for notice in listen(
            "http://tv", "/", {}, lines.clock, verify=True, chance=Random(3), opened=lines
        ):
            told.append(notice)  # noqa: PERF401 -- what was told before the refusal counts

    task = asyncio.create_task(listening())
    while not task.done():
        await lines.clock.step(1.0)
        await turn()
    with pytest.raises((SignInNeeded, NotAllowed)):
        await task
    return told


async def test_every_connection_is_told_and_the_line_is_opened_again() -> None:
    """After each one comes CONNECTED, then what is said, then LOST when it breaks; a refused token ends it."""
    lines = Lines(
        SteppedClock(NOW), [timeline(), timeline(state=9)], Unreachable("down"), ["noise", timeline()]
    )
    connected, lost = Notice(Happening.CONNECTED), Notice(Happening.LOST)
    assert await heard(lines) == [connected, CHANGED, DELETED, lost, connected, CHANGED, lost]
    assert len(lines.opened) == 4


async def test_a_server_that_is_away_is_asked_ever_more_rarely() -> None:
    """Pauses grow to a minute and stay there; none is nothing."""
    lines = Lines(SteppedClock(NOW), *[Unreachable("down")] * 12)
    assert await heard(lines) == []
    pauses = [later - earlier for earlier, later in pairwise(lines.opened)]
    assert all(0.9 <= pause <= 62.0 for pause in pauses)
    assert pauses[0] <= 3.0
    assert all(pause >= 30.0 for pause in pauses[6:])


async def test_a_user_who_may_not_listen_ends_it() -> None:
    """Asking again would not change that."""
    assert await heard(Lines(SteppedClock(NOW), NotAllowed("no"))) == []
