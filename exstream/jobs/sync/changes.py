"""What has changed since a library was last read, without reading all of it again.

A server's filters are not to be trusted: those it does not know it passes by without a word. What comes is looked at,
and where it does not add up the library is read whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace

from exstream.jobs.sync.passes import ahead
from exstream.jobs.sync.plan import HOUR_MS
from exstream.jobs.sync.reading import MARGIN_SECONDS, Reading
from exstream.jobs.sync.shows import take_shows
from exstream.jobs.sync.vanished import lose_of_show
from exstream.model.catalogue import ItemKey
from exstream.model.server import Show
from exstream.plex.items import rating_key_of
from exstream.plex.records import Kind, Record, Section

_AT_ONCE = 500
MOST_SHOWS = 8
"""So many shows are asked for their episodes one by one; for more, the whole listing is cheaper."""


async def read_changes(reading: Reading, section: Section, *, moved: bool) -> bool:
    """Take what has changed; return False where only a full pass can tell.

    ``moved``: something was added, removed or scanned, so that new and lost items are looked for as well.
    """
    shows = dict(reading.shows)
    stamp, added = reading.state.newest_stamp, reading.state.newest_added
    told = True
    if reading.show_kind:
        told &= await _changed_shows(reading, reading.show_kind, moved=moved)
    told &= await _changed_items(reading, "updatedAt", stamp - 1)
    if moved:
        told &= await _changed_items(reading, "addedAt", added - MARGIN_SECONDS)
        if not await _adds_up(reading, shows):
            return False
    elif not await _retold(reading, shows):
        return False
    if not told and reading.means.clock.now_ms() - reading.state.full_at >= HOUR_MS:
        return False
    reading.statistics.total += reading.state.total
    reading.state = replace(
        reading.state,
        content_changed_at=section.content_changed_at,
        shows=len(reading.shows),
        newest_added=max(added, reading.newest_added),
        newest_stamp=max(stamp, reading.newest_stamp),
    )
    if reading.state != reading.library.state:
        await reading.means.shelves.keep_state(reading.id, reading.state)
    return True


async def _changed_shows(reading: Reading, kind: Kind, *, moved: bool) -> bool:
    """Take the shows that have changed; when something ``moved``, all of them, for how many episodes they have."""
    if moved:
        async for page in reading.means.asking.pages(reading.library.section, kind):
            await take_shows(reading, page.records)
        return True
    stamps = [show.stamp for show in reading.shows.values() if show.stamp <= reading.now]
    found, told = await _since(reading, kind, "updatedAt", max(stamps, default=0) - 1)
    await take_shows(reading, found)
    return told


async def _changed_items(reading: Reading, field: str, since: int) -> bool:
    found, told = await _since(reading, reading.item_kind, field, since)
    for start in range(0, len(found), _AT_ONCE):
        await reading.take(found[start : start + _AT_ONCE], reading.state)
    return told


async def _since(reading: Reading, kind: Kind, field: str, since: int) -> tuple[list[Record], bool]:
    """Return the entries whose ``field`` is later than ``since``, and whether these are surely all.

    The newest that is known is always among them. Where nothing comes the filter means something else to this server,
    and the newest entries are listed without it.
    """
    found, told = await _newest(reading, kind, field, since, {f"{field}>>": str(since)})
    if told and not found and since > 0:
        return await _newest(reading, kind, field, since, {})
    return found, told


async def _newest(
    reading: Reading, kind: Kind, field: str, since: int, filters: Mapping[str, str]
) -> tuple[list[Record], bool]:
    """Return the entries whose ``field`` is later than ``since``, and whether they came in order.

    The newest come first: the first older one ends the reading, where the filter is passed by.
    """
    found: list[Record] = []
    before: int | None = None
    pages = reading.means.asking.pages(reading.library.section, kind, sort=f"{field}:desc", filters=filters)
    async with aclosing(ahead(pages)) as coming:
        async for page in coming:
            for record in page.records:
                at = record.added_at if field == "addedAt" else record.updated_at or 0
                if before is not None and at > before:
                    return found, False
                if at <= since:
                    return found, True
                before = at
                found.append(record)
    return found, True


async def _retold(reading: Reading, before: Mapping[ItemKey, Show]) -> bool:
    """Read the episodes of shows that mean something else now; return False where these are too many."""
    anew = [key for key, show in reading.shows.items() if key in before and before[key].digest != show.digest]
    return await _read_leaves(reading, anew)


async def _adds_up(reading: Reading, before: Mapping[ItemKey, Show]) -> bool:
    """Tell whether the library has as many items as the server says, once the shows that differ were read."""
    anew = [key for key, show in reading.shows.items() if _differs(reading, before.get(key), show)]
    if not await _read_leaves(reading, anew):
        return False
    count = await reading.means.asking.count(reading.library.section, reading.item_kind)
    as_expected = count == reading.state.total + reading.grown
    reading.state = replace(reading.state, total=count)
    return as_expected


def _differs(reading: Reading, before: Show | None, show: Show) -> bool:
    """Tell whether a show has lost or gained episodes that the newest ones do not explain, or means something else."""
    grown = reading.changed_shows[show.key]
    expected = (before.leaf_count if before else 0) + grown
    return show.leaf_count != expected or (before is not None and before.digest != show.digest)


async def _read_leaves(reading: Reading, shows: list[ItemKey]) -> bool:
    if len(shows) > MOST_SHOWS:
        return False
    for key in shows:
        records = await reading.means.asking.leaves(rating_key_of(key))
        sifted = await reading.take(records, reading.state)
        if not await lose_of_show(reading, key, sifted.listed):
            return False  # too much is gone: only a full pass may tell
    return True
