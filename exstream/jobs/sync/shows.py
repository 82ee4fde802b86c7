"""Series and artists: read before what they hold, which takes its year, genres and rating from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from exstream.jobs.sync.reading import BATCH, Reading, batched
from exstream.model.catalogue import ItemKey
from exstream.model.server import Show
from exstream.plex.items import key_of, show_of
from exstream.plex.records import Kind, Record


async def read_shows(reading: Reading) -> Mapping[ItemKey, Show] | None:
    """Take every show of the library; return those that are listed, or None where some of them did not come."""
    if reading.show_kind is None:
        return {}
    listed: dict[ItemKey, Show] = {}
    total = faults = 0
    pages = reading.means.asking.pages(reading.library.section, reading.show_kind)
    async for page in pages:
        listed |= {show.key: show for show in await take_shows(reading, page.records)}
        total, faults = page.total, faults + len(page.faults)
        for fault in page.faults:
            reading.fault(fault)
    return listed if len(listed) + faults >= total else None


async def take_shows(reading: Reading, records: Sequence[Record]) -> list[Show]:
    """Write what differs among the shows that ``records`` list, with their details, and return all of them."""
    listed = {
        show.key: show for record in records if (show := show_of(record, reading.around.server)) is not None
    }
    found = {key: _merged(show, reading.shows.get(key)) for key, show in listed.items()}
    outdated = [
        key
        for key, show in listed.items()
        if reading.deep or key not in reading.shows or reading.shows[key].stamp != show.stamp
    ]
    for batch in batched(outdated, BATCH):
        for record in await reading.details(batch):
            key = key_of(reading.around.server, record.key)
            detailed = show_of(record, reading.around.server)
            if detailed and key in listed:
                found[key] = replace(
                    detailed,
                    stamp=listed[key].stamp,
                    leaf_count=listed[key].leaf_count,
                    child_count=listed[key].child_count,
                )
    changed = [show for show in found.values() if reading.shows.get(show.key) != show]
    if changed:
        taken = await reading.means.shelves.take_shows(reading.id, changed, ())
        reading.statistics.writes += taken.writes
        reading.shows |= {show.key: show for show in changed}
    return list(found.values())


async def drop_shows(reading: Reading, listed: Iterable[ItemKey]) -> None:
    """Drop the shows that are not ``listed`` any more, once nothing of theirs is kept."""
    held = {known.show_key for known in reading.known.values()}
    gone = [key for key in reading.shows.keys() - set(listed) if key not in held]
    if gone:
        taken = await reading.means.shelves.take_shows(reading.id, (), gone)
        reading.statistics.writes += taken.writes
        for key in gone:
            del reading.shows[key]


def _merged(show: Show, before: Show | None) -> Show:
    """Return ``before`` with what a listing tells for sure: it cuts genres short and knows no labels."""
    if before is None or before.stamp != show.stamp:
        return show
    return replace(before, leaf_count=show.leaf_count, child_count=show.child_count)


SEASONS = frozenset({Kind.SEASON, Kind.ALBUM})
"""What lies between shows and items; nothing is kept of them."""
