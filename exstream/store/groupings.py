"""Shows, collections and playlists: what holds the items of a server together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from exstream.model.catalogue import ItemKey
from exstream.model.server import Grouping, GroupingKind, ServerId, Show, Taken
from exstream.store.items import Memberships, identity
from exstream.store.keeping import BATCH, PORTION, Key, Values, among, batches, fetched, keep, upsert
from exstream.store.tables import grouping as groupings_table
from exstream.store.tables import grouping_member as members_table
from exstream.store.tables import show as shows_table

_SHOW = tuple(shows_table.c.keys())
_GROUPING = tuple(groupings_table.c.keys())


async def memberships(connection: AsyncConnection) -> Memberships:
    """Return in what collections and playlists items and shows are, and the labels of shows."""
    found: dict[str, dict[ItemKey, list[str]]] = {kind.value: defaultdict(list) for kind in GroupingKind}
    query = (
        select(
            groupings_table.c.kind, groupings_table.c.title, members_table.c.server_id, members_table.c.member
        )
        .join(
            members_table,
            (members_table.c.server_id == groupings_table.c.server_id)
            & (members_table.c.rating_key == groupings_table.c.rating_key),
        )
        .order_by(groupings_table.c.title, groupings_table.c.server_id, groupings_table.c.rating_key)
    )
    async with connection.stream(query) as rows:
        async for portion in rows.partitions(BATCH):
            for kind, title, server, member in portion:
                names = found[kind][f"{server}:{member}"]
                if title not in names:  # several groupings may have one name, and a playlist an item twice
                    names.append(title)
    labelled = select(shows_table.c.server_id, shows_table.c.rating_key, shows_table.c.labels)
    labels = {
        f"{server}:{key}": tuple(names) for server, key, names in await connection.execute(labelled) if names
    }
    collections, playlists = (
        {key: tuple(names) for key, names in found[kind.value].items()}
        for kind in (GroupingKind.COLLECTION, GroupingKind.PLAYLIST)
    )
    return Memberships(collections, playlists, labels)


async def known_shows(connection: AsyncConnection, library_id: int) -> dict[ItemKey, Show]:
    """Return the shows of a library."""
    found: dict[ItemKey, Show] = {}
    async with connection.stream(select(shows_table).where(shows_table.c.library_id == library_id)) as rows:
        async for portion in rows.mappings().partitions(PORTION):
            found |= {show.key: show for show in map(_show, portion)}
    return found


async def take_shows(
    connection: AsyncConnection,
    dialect: str,
    library_id: int,
    shows: Iterable[Show],
    gone: Collection[ItemKey],
) -> Taken:
    """Keep ``shows`` and drop those of the library that are ``gone``."""
    wanted = {identity(show.key): _show_values(library_id, show) for show in shows}
    known = await fetched(connection, shows_table, _SHOW, wanted)
    kept = await keep(connection, shows_table, upsert(dialect, shows_table, _SHOW), wanted, known)
    removed: list[ItemKey] = []
    for keys in batches(map(identity, gone)):
        condition = (shows_table.c.library_id == library_id) & among(shows_table, keys)
        removed += await _dropped(connection, shows_table, condition)
    return _taken(kept.added, kept.updated, removed, 0)


async def known_groupings(
    connection: AsyncConnection, server: ServerId, kind: GroupingKind
) -> dict[ItemKey, Grouping]:
    """Return the groupings of ``server`` with their members in order."""
    mine = (groupings_table.c.server_id == server) & (groupings_table.c.kind == kind.value)
    rows = (await connection.execute(select(groupings_table).where(mine))).mappings().all()
    members = await _members(connection, [(server, row["rating_key"]) for row in rows])
    return {
        f"{server}:{row['rating_key']}": Grouping(
            f"{server}:{row['rating_key']}",
            kind,
            row["title"],
            row["smart"],
            row["digest"],
            tuple(f"{server}:{member}" for member in members.get((server, row["rating_key"]), ())),
        )
        for row in rows
    }


async def take_groupings(
    connection: AsyncConnection,
    dialect: str,
    library_id: int,
    kind: GroupingKind,
    groupings: Iterable[Grouping],
    gone: Collection[ItemKey],
) -> Taken:
    """Keep ``groupings`` with their members in order and drop those ``gone``, of collections the library's."""
    chosen = {identity(grouping.key): grouping for grouping in groupings}
    wanted = {key: _grouping_values(library_id, grouping) for key, grouping in chosen.items()}
    known = await fetched(connection, groupings_table, _GROUPING, wanted)
    kept = await keep(connection, groupings_table, upsert(dialect, groupings_table, _GROUPING), wanted, known)
    members = await _members(connection, wanted)
    differing = {
        key: new
        for key, grouping in chosen.items()
        if (new := [identity(member)[1] for member in grouping.members]) != members.get(key, [])
    }
    writes = await _write_members(connection, differing)
    also = tuple(key for key in differing if key not in {*kept.added, *kept.updated})
    removed: list[ItemKey] = []
    for keys in batches(map(identity, gone)):
        condition = (groupings_table.c.kind == kind.value) & among(groupings_table, keys)
        if kind is GroupingKind.COLLECTION:
            condition &= groupings_table.c.library_id == library_id
        removed += await _dropped(connection, groupings_table, condition)
    taken = _taken(kept.added, (*kept.updated, *also), removed, writes)
    return Taken(taken.added, taken.updated, taken.removed, taken.writes - len(also))


async def _members(connection: AsyncConnection, keys: Collection[Key]) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = defaultdict(list)
    for batch in batches(keys):
        query = select(members_table).where(among(members_table, batch)).order_by(members_table.c.position)
        async with connection.stream(query) as rows:
            async for portion in rows.partitions(BATCH):
                for row in portion:
                    found[row.server_id, row.rating_key].append(row.member)
    return found


async def _write_members(connection: AsyncConnection, wanted: Mapping[Key, Sequence[str]]) -> int:
    """Put the members of each grouping in the place of those it had; return how many rows were written."""
    writes = 0
    for keys in batches(wanted):
        done = await connection.execute(delete(members_table).where(among(members_table, keys)))
        rows = [
            {"server_id": server, "rating_key": key, "position": position, "member": member}
            for server, key in keys
            for position, member in enumerate(wanted[server, key])
        ]
        if rows:
            await connection.execute(insert(members_table), rows)
        writes += done.rowcount + len(rows)
    return writes


async def _dropped(connection: AsyncConnection, table: Any, condition: Any) -> list[ItemKey]:
    rows = await connection.execute(
        delete(table).where(condition).returning(table.c.server_id, table.c.rating_key)
    )
    return [f"{server}:{key}" for server, key in rows]


def _taken(added: Iterable[Key], updated: Iterable[Key], removed: Sequence[ItemKey], writes: int) -> Taken:
    new, changed = tuple(map(":".join, added)), tuple(map(":".join, updated))
    return Taken(new, changed, tuple(removed), writes + len(new) + len(changed) + len(removed))


def _show(row: RowMapping) -> Show:
    return Show(
        f"{row['server_id']}:{row['rating_key']}",
        row["title"],
        row["year"],
        tuple(row["external_ids"]),
        row["leaf_count"],
        row["child_count"],
        row["digest"],
        row["summary"],
        tuple(row["genres"]),
        row["content_rating"],
        row["artwork"],
        row["stamp"],
        tuple(row["labels"]),
    )


def _show_values(library_id: int, show: Show) -> Values:
    server, rating_key = identity(show.key)
    return {
        "server_id": server,
        "rating_key": rating_key,
        "library_id": library_id,
        "title": show.title,
        "year": show.year,
        "external_ids": list(show.external_ids),
        "leaf_count": show.leaf_count,
        "child_count": show.child_count,
        "digest": show.digest,
        "summary": show.summary,
        "genres": list(show.genres),
        "content_rating": show.content_rating,
        "artwork": show.artwork,
        "stamp": show.stamp,
        "labels": list(show.labels),
    }


def _grouping_values(library_id: int, grouping: Grouping) -> Values:
    server, rating_key = identity(grouping.key)
    return {
        "server_id": server,
        "rating_key": rating_key,
        "library_id": library_id,
        "kind": grouping.kind.value,
        "title": grouping.title,
        "smart": grouping.smart,
        "digest": grouping.digest,
    }
