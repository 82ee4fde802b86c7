"""Writing what differs, and nothing else, into tables whose rows are known by server and rating key."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeVar

import orjson
from sqlalchemy import JSON, ColumnElement, Insert, Row, Table, Text, and_, cast, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.store.connections import Written

Key = tuple[str, str]
"""A row's identity: the server's and the rating key."""
Values = dict[str, Any]

BATCH = 500
"""How many rows a statement is about: databases bound the parameters of one."""
PORTION = 100
"""How many whole rows go to the database or come from it at once: the event loop has viewers to serve in between."""

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


def batches(things: Iterable[_T], size: int = BATCH) -> Iterator[list[_T]]:
    """Yield ``things`` in lists of at most ``size``."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch


async def fetched(
    connection: AsyncConnection, table: Table, columns: Sequence[str], keys: Collection[Key]
) -> dict[Key, Values]:
    """Return ``columns``, which hold the identity, of the rows of ``keys``, to be written. JSON is read in a thread.

    Nobody else writes these rows until the transaction ends: what is written would be made of what they were.
    """
    chosen = [table.c[name] for name in columns]
    json = [column.name for column in chosen if isinstance(column.type, JSON)]
    query = select(
        *(cast(column, Text).label(column.name) if column.name in json else column for column in chosen)
    )
    rows: list[Row[Any]] = []
    for batch in batches(keys, PORTION):
        mine = query.where(among(table, batch)).order_by(table.c.server_id, table.c.rating_key)
        # Of no meaning to SQLite, which has one writer at a time.
        rows += await connection.execute(mine.with_for_update())
    return await asyncio.to_thread(_read, rows, columns, json)


async def keep(
    connection: AsyncConnection,
    table: Table,
    statement: Insert,
    wanted: Mapping[Key, Values],
    known: Mapping[Key, Values],
) -> Kept:
    """Write those of ``wanted`` that are not what is ``known``, with ``statement``, and tell which they were."""
    rows = await asyncio.to_thread(_changed, table, wanted, known)
    for batch in batches(rows.values(), PORTION):
        await connection.execute(statement, batch)
    return Kept(tuple(key for key in rows if key not in known), tuple(key for key in rows if key in known))


def _read(rows: Iterable[Row[Any]], columns: Sequence[str], json: Sequence[str]) -> dict[Key, Values]:
    found: dict[Key, Values] = {}
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        for name in json:
            if values[name] is not None:
                values[name] = orjson.loads(values[name])
        found[values["server_id"], values["rating_key"]] = values
    return found


def _changed(table: Table, wanted: Mapping[Key, Values], known: Mapping[Key, Values]) -> dict[Key, Values]:
    """Return those of ``wanted`` that are not what is ``known``, ready to be sent."""
    json = {column.name for column in table.c if isinstance(column.type, JSON)}
    return {
        key: {
            name: Written(orjson.dumps(value).decode()) if name in json and value is not None else value
            for name, value in values.items()
        }
        for key, values in wanted.items()
        if known.get(key) != values
    }
