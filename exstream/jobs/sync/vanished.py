"""What is not on a server any more: asked for once more, held back where it is too much, missing before it is gone."""

from __future__ import annotations

from collections.abc import Container, Sequence

import structlog

from exstream.jobs.sync.plan import KEPT_MS, SECOND_LOOK_MS, is_too_much
from exstream.jobs.sync.reading import BATCH, Reading, batched
from exstream.model.catalogue import ItemKey
from exstream.plex.items import key_of

log = structlog.get_logger(__name__)


async def judge(reading: Reading, *, force: bool = False) -> int:
    """Mark what a complete pass has not seen as missing, and drop what has been missing for long.

    More than a fifth of a library at once is rather a disk that is away: it stays until a later pass says the same,
    or by ``force``. Return how many items are held back so.
    """
    gone = await reading.means.shelves.unseen(reading.id, reading.state.pass_number)
    present = reading.present
    if not gone:
        await forget(reading)
        return 0
    if is_too_much(len(gone), present) and not force and not _is_second_look(reading, len(gone), present):
        where = f"{len(gone)} of {present} items are not there any more"
        reading.fault(f"{where}: they are kept until a later look says the same, or with --force")
        return len(gone)
    await reading.miss(await confirmed(reading, gone))
    await forget(reading)
    return 0


async def lose(reading: Reading, keys: Sequence[ItemKey], *, force: bool = False) -> bool:
    """Mark those of ``keys`` as missing that are not there when they are asked for; none where these are too many.

    What was found missing within the last hour counts with them: much may go little by little. While a full pass holds
    something back nothing is believed at all. Return whether it was; by ``force`` it always is.
    """
    gone = await confirmed(reading, keys)
    if not gone:
        return True
    await reading.look_up_all()
    since = reading.means.clock.now_ms() - SECOND_LOOK_MS
    lately = sum(known.missing_since > since for known in reading.known.values())
    too_much = is_too_much(len(gone) + lately, reading.present + lately)
    if not force and (too_much or reading.state.held_back):
        return False
    await reading.miss(gone)
    return True


async def lose_of_show(
    reading: Reading, show: ItemKey, listed: Container[ItemKey], *, force: bool = False
) -> bool:
    """Lose, as `lose` does, what is kept of a show and is not among its items that are ``listed``."""
    await reading.look_up_all()
    unlisted = [
        key
        for key, known in reading.known.items()
        if known.show_key == show and not known.missing_since and key not in listed
    ]
    return await lose(reading, unlisted, force=force)


async def confirmed(reading: Reading, keys: Sequence[ItemKey]) -> list[ItemKey]:
    """Ask for ``keys`` by themselves; take those that are there after all, and return the others."""
    gone = dict.fromkeys(keys)
    for batch in batched(keys, BATCH):
        records = await reading.details(batch)
        if records:
            await reading.take(records, reading.state)
        for record in records:
            gone.pop(key_of(reading.around.server, record.key), None)
    return [key for key in gone if key not in reading.unreadable]


def _is_second_look(reading: Reading, gone: int, present: int) -> bool:
    """Tell whether so much was gone an hour ago already; what has gone since may not be too much by itself."""
    before = reading.state
    waited = reading.means.clock.now_ms() - before.full_at >= SECOND_LOOK_MS
    return waited and before.held_back > 0 and not is_too_much(gone - before.held_back, present)


async def forget(reading: Reading) -> None:
    """Drop what has been missing for long."""
    taken = await reading.means.shelves.forget(reading.id, reading.means.clock.now_ms() - KEPT_MS)
    reading.statistics.writes += taken.writes
    for key in taken.removed:
        title = reading.known.pop(key).title if key in reading.known else ""
        log.info(
            "an item was missing for long and is dropped",
            server=reading.means.server.name,
            server_id=reading.means.server.id,
            library=reading.library.library.name,
            item=key,
            title=title,
        )
    if taken.removed:
        await reading.means.committed()
