"""What a server has told of: a handful of items, read by themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from exstream.jobs.sync.reading import BATCH, Reading, batched
from exstream.jobs.sync.shows import take_shows
from exstream.jobs.sync.vanished import lose
from exstream.model.catalogue import ItemKey
from exstream.plex.items import ITEM_KINDS, key_of
from exstream.plex.records import Kind, Record

_SHOWS = frozenset({Kind.SHOW, Kind.ARTIST})


async def refresh(readings: Sequence[Reading], changed: Collection[str], deleted: Collection[str]) -> bool:
    """Read entries of one server by their rating keys and take what differs; of ``deleted``, what is gone is missing.

    Where too much is gone for that it is left to the next full pass. Return whether a collection or playlist was among
    what changed. Raises OutboundError and StoreError.
    """
    if not readings:
        return False
    server = readings[0].around.server
    keys = [key_of(server, key) for key in sorted({*changed, *deleted})]
    records = [record for batch in batched(keys, BATCH) for record in await readings[0].details(batch)]
    for reading in readings:
        mine = [record for record in records if record.section == reading.library.section]
        before = {key: show.digest for key, show in reading.shows.items()}
        await take_shows(reading, [record for record in mine if record.kind in _SHOWS])
        await reading.take([record for record in mine if record.kind in ITEM_KINDS], reading.state)
        for record in _retold(reading, mine, before):
            await reading.take(await reading.means.asking.leaves(record.key), reading.state)
        if not await lose(reading, await _present(reading, server, deleted)):
            reading.fault("more is said to be deleted than is believed at once: it is kept for now")
        await reading.settle()
    return any(record.kind in {Kind.COLLECTION, Kind.PLAYLIST} for record in records)


async def _present(reading: Reading, server: str, rating_keys: Collection[str]) -> list[ItemKey]:
    keys = [key_of(server, key) for key in rating_keys]
    await reading.look_up(keys)
    return [key for key in keys if key in reading.known and not reading.known[key].missing_since]


def _retold(reading: Reading, records: Sequence[Record], before: Mapping[ItemKey, str]) -> list[Record]:
    """Return the shows among ``records`` that are new, or mean something else now."""
    found = []
    for record in records:
        show = reading.shows.get(key_of(reading.around.server, record.key))
        if show and before.get(show.key) != show.digest:
            found.append(record)
    return found
