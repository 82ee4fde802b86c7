"""The record of bad files on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.model.bad_file import BadFile
from exstream.store.bad_files import BadFileStore
from exstream.store.database import Database

pytestmark = pytest.mark.anyio

OLD = BadFile("/films/Ä old.mkv", "moov atom not found", 3, 1_700_000_000_000, 1_700_000_001_000)
NEW = BadFile("/films/new.mkv", "it hurts", 4, 1_700_000_000_000, 1_800_000_000_000, 5_000_000_000, 1 << 60)


async def test_what_is_kept_is_read_as_it_was_written(database: Database) -> None:
    """Every field comes back, the latest file first; what is kept again takes the place of what was known."""
    record = BadFileStore(database)
    assert await record.load() == []
    await record.update([OLD, NEW], ())
    assert await record.load() == [NEW, OLD]
    changed = replace(OLD, size=7, mtime_ns=8)
    await record.update([changed], [NEW.path, "/films/unknown.mkv"])
    assert await record.load() == [changed]
    await record.update([], [])
    assert await record.load() == [changed]
