"""What a Plex server tells while it happens: its frames to notices, and a line that is opened again by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from random import Random

import orjson
import structlog

from exstream.clock import Clock
from exstream.errors import NotAllowed, OutboundError, SignInNeeded
from exstream.outbound import Patience, line
from exstream.plex.records import Happening, Notice
from exstream.plex.tree import Tree, text, trees, whole

log = structlog.get_logger(__name__)

LIBRARY = "com.plexapp.plugins.library"
"""Who speaks of libraries; others speak of the television guide, with numbers of their own."""
PROCESSED, DELETED = 5, 9
SCAN = "library.update.section"
AGAIN = Patience(first=2.0, longest=60.0)
STEADY_SECONDS = 60.0
"""A line that held so long was a good one: the next pause is a short one again."""

Line = Callable[..., AbstractAsyncContextManager[AsyncIterator[str]]]


def parse(frame: str) -> tuple[Notice, ...]:
    """Return what a frame tells of items and libraries; nothing for everything else, noise and nonsense included."""
    try:
        told = orjson.loads(frame)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return ()
    if not isinstance(told, dict):
        return ()
    inner = told.get("NotificationContainer")
    container: Tree = inner if isinstance(inner, dict) else told
    return tuple(dict.fromkeys([*_timeline(container), *_activities(container)]))


def _timeline(container: Tree) -> Iterator[Notice]:
    for entry in trees(container, "TimelineEntry"):
        item = text(entry, "itemID")
        if text(entry, "identifier") not in {"", LIBRARY} or not item or item == "-1":
            continue
        kind = _happening(entry)
        if kind is not None:
            yield Notice(kind, item, _section(text(entry, "sectionID")))


def _happening(entry: Tree) -> Happening | None:
    state, metadata = whole(entry, "state"), text(entry, "metadataState")
    if state == DELETED or metadata == "deleted":
        return Happening.DELETED
    if text(entry, "mediaState") and not metadata:
        return None  # thumbnails and analysis, many times a second
    # A library without an agent stops at "created": it never comes to be processed.
    return Happening.CHANGED if state == PROCESSED or metadata == "created" else None


def _activities(container: Tree) -> Iterator[Notice]:
    for entry in trees(container, "ActivityNotification"):
        for activity in trees(entry, "Activity"):
            if text(entry, "event") != "ended" or text(activity, "type") != SCAN:
                continue
            sections = [_section(text(context, "librarySectionID")) for context in trees(activity, "Context")]
            yield Notice(Happening.SCANNED, section=next(iter(sections), ""))


def _section(said: str) -> str:
    return "" if said == "-1" else said


async def listen(
    address: str,
    path: str,
    headers: Mapping[str, str],
    clock: Clock,
    *,
    verify: bool,
    chance: Random,
    opened: Line = line,
) -> AsyncGenerator[Notice, None]:
    """Yield what the server at ``address`` tells, each time from CONNECTED to LOST: the time in between is not told.

    Connects again for ever, ever more slowly. Raises `SignInNeeded` and `NotAllowed`.
    """
    failures = 0
    while True:
        since, connected = clock.air(), False
        try:
            async with opened(address, path, headers=headers, verify=verify) as frames:
                connected = True
                yield Notice(Happening.CONNECTED)
                async for frame in frames:
                    for notice in parse(frame):
                        yield notice
        except (SignInNeeded, NotAllowed):
            raise
        except OutboundError as fault:
            log.debug("no notices from the server now", why=str(fault))
        if connected:
            yield Notice(Happening.LOST)
        failures = 1 if clock.air() - since >= STEADY_SECONDS else failures + 1
        # Half of it for certain: without a pause a server that closes every line would be asked without end.
        pause = min(AGAIN.longest, AGAIN.first * 2 ** min(failures - 1, 10))
        await clock.sleep(pause / 2 + chance.uniform(0.0, pause / 2))
