"""What is found in files of servers is kept with them, for as long as they are the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from exstream.model.catalogue import Media
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.keeping import fetched
from exstream.store.plex import PlexStore
from exstream.store.tables import item
from exstream.store.vault import Vault
from tests.store.listings import ALPHA, STATE, Listed, listed
from tests.store.samples import MEDIA

pytestmark = pytest.mark.anyio

SEEN = replace(MEDIA, duration_ms=1_319_000, probed=2)


async def test_what_was_found_in_a_file_stays_with_it(database: Database, tmp_path: Path) -> None:
    """It outlasts a listing and details of the same file, not another file; what changed nothing is not written."""
    store = PlexStore(database, Vault(tmp_path))
    await store.keep_server(ALPHA)
    library = (await store.take_sections("alpha", [Listed("1")]))[0].library.id
    await store.take_items(library, [listed(1), listed(2, detailed=True)], [], STATE)

    async def media(key: str) -> Media | None:
        return (await CatalogueStore(database).load()).items[key].media

    found = {key: {f"/library/parts/{key[-1]}/0/file.mkv": SEEN} for key in ("alpha:1", "alpha:2")}
    assert await store.describe_parts({**found, "alpha:9": {"/elsewhere": SEEN}}) == 2
    assert (await media("alpha:1"), await media("alpha:2")) == (SEEN, SEEN)
    assert await store.describe_parts(found) == 0
    assert await store.describe_parts({"alpha:1": {"/library/parts/77/0/file.mkv": MEDIA}}) == 0
    await store.take_items(
        library, [listed(1, digest="new"), listed(2, digest="new", detailed=True)], [], STATE
    )
    assert (await media("alpha:1"), await media("alpha:2")) == (SEEN, SEEN)
    await store.take_items(library, [listed(1, stamp=5)], [], STATE)
    assert await media("alpha:1") is None


async def test_a_row_that_is_read_to_be_written_is_nobody_elses_meanwhile(
    database: Database, tmp_path: Path
) -> None:
    """A listing with another file that comes between reading a row and writing it is not undone by that write."""
    store = PlexStore(database, Vault(tmp_path))
    await store.keep_server(ALPHA)
    library = (await store.take_sections("alpha", [Listed("1")]))[0].library.id
    await store.take_items(library, [listed(1)], [], STATE)
    async with database.write() as connection:
        rows = await fetched(connection, item, ("server_id", "rating_key", "versions"), [("alpha", "1")])
        replaced = asyncio.create_task(store.take_items(library, [listed(1, stamp=5)], [], STATE))
        await asyncio.wait({replaced}, timeout=0.3)
        await connection.execute(update(item).values(versions=rows["alpha", "1"]["versions"]))
    await replaced
    (version, *_) = (await CatalogueStore(database).load()).items["alpha:1"].versions
    assert version.parts[0].key == listed(1, stamp=5).item.versions[0].parts[0].key
