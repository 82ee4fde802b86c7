"""The files that are set aside, kept over a restart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select

from exstream.model.bad_file import BadFile
from exstream.store.database import Database
from exstream.store.tables import bad_file


class BadFileStore:
    """The record; raises `StoreError` when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[BadFile]:
        """Return the files, the latest first."""
        query = select(bad_file).order_by(bad_file.c.last_at.desc(), bad_file.c.path)
        async with self._database.read() as connection:
            return [BadFile(**row) for row in (await connection.execute(query)).mappings()]

    async def update(self, keep: Sequence[BadFile], drop: Collection[str]) -> None:
        """Put ``keep`` on the record, each in the place of what was known of it, and take ``drop`` off it."""
        gone = [*drop, *(file.path for file in keep)]
        if not gone:
            return
        async with self._database.write() as connection:
            await connection.execute(delete(bad_file).where(bad_file.c.path.in_(gone)))
            if keep:
                await connection.execute(insert(bad_file), [asdict(file) for file in keep])
