"""Writing what differs, and nothing else, into tables whose rows are known by server and rating key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Insert, Table, and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Key = tuple[str, str]
"""A row's identity: the server's and the rating key."""
Values = dict[str, Any]

BATCH = 500
"""How many rows a statement is about: databases bound the parameters of one."""

_IDENTITY = ("server_id", "rating_key")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Kept:
    """The identities of rows that were not there, and of those that differed."""

    added: tuple[Key, ...] = ()
    updated: tuple[Key, ...] = ()


def upsert(dialect: str, table: Table, columns: Iterable[str]) -> Insert:
    """Return the statement that writes ``columns`` of rows of ``table``, new or not."""
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return insert.on_conflict_do_update(
        index_elements=_IDENTITY,
        set_={name: insert.excluded[name] for name in columns if name not in _IDENTITY},
    )


def among(table: Table, keys: Iterable[Key]) -> ColumnElement[bool]:
    """Return the condition that a row's identity is one of ``keys``; there is at least one."""
    return or_(
        *(
            and_(table.c.server_id == server, table.c.rating_key.in_([key for _, key in of_server]))
            for server, of_server in groupby(sorted(keys), key=lambda key: key[0])
        )
    )


def batches(things: Iterable[_T]) -> Iterator[list[_T]]:
    """Yield ``things`` in lists of at most `BATCH`."""
    rest = iter(things)
    while batch := list(islice(rest, BATCH)):
        yield batch


async def fetched(
    connection: AsyncConnection, table: Table, columns: Sequence[str], keys: Collection[Key]
) -> dict[Key, Values]:
    """Return ``columns``, which hold the identity, of the rows of ``keys``."""
    found: dict[Key, Values] = {}
    for batch in batches(keys):
        rows = await connection.execute(
            select(*(table.c[name] for name in columns)).where(among(table, batch))
        )
        for row in rows.mappings():
            found[row["server_id"], row["rating_key"]] = dict(row)
    return found


async def keep(
    connection: AsyncConnection,
    statement: Insert,
    wanted: Mapping[Key, Values],
    known: Mapping[Key, Values],
) -> Kept:
    """Write those of ``wanted`` that are not what is ``known``, with ``statement``, and tell which they were."""
    changed = [key for key, values in wanted.items() if known.get(key) != values]
    for batch in batches(changed):
        await connection.execute(statement, [wanted[key] for key in batch])
    return Kept(
        tuple(key for key in changed if key not in known), tuple(key for key in changed if key in known)
    )
