"""What is found in files of servers is kept with them, for as long as they are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exstream.model.catalogue import Media
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
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
