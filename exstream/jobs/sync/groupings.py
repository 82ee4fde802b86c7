"""Collections and playlists with their members, those of smart ones as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from exstream.errors import Misunderstood, NotAllowed, NotThere
from exstream.jobs.sync.means import Means
from exstream.jobs.sync.shows import SEASONS
from exstream.jobs.sync.statistics import Statistics
from exstream.model.catalogue import ItemKey
from exstream.model.server import Grouping, GroupingKind, PlexLibrary
from exstream.plex.items import ITEM_KINDS, key_of
from exstream.plex.records import Kind, Record

_KINDS = {GroupingKind.COLLECTION: Kind.COLLECTION, GroupingKind.PLAYLIST: Kind.PLAYLIST}
_SHOWS = frozenset({Kind.SHOW, Kind.ARTIST})


@dataclass(frozen=True, slots=True)
class _Listed:
    """The groupings of one kind that a library, or the server, has now."""

    library_id: int
    kind: GroupingKind
    records: Sequence[Record]


async def read_groupings(means: Means, libraries: Sequence[PlexLibrary], statistics: Statistics) -> None:
    """Take the collections of ``libraries``, which are all that are read, and the playlists of the token's user.

    A user who may not see them does without: what is kept stays. It also does while much of a library is gone and not
    believed to be: its items are in their collections still.
    """
    sure = [library for library in libraries if not library.state.held_back]
    if not sure:
        return
    means.reporter.phase("collections and playlists")
    for kind in GroupingKind:
        if kind is GroupingKind.PLAYLIST and len(sure) < len(libraries):
            continue  # they hold items of all libraries
        known = await means.shelves.known_groupings(means.server.id, kind)
        try:
            listed = await _listed(means, sure, kind)
        except (Misunderstood, NotAllowed, NotThere) as fault:
            statistics.faults.append(f"{means.server.name}: the {kind.value}s cannot be read: {fault}")
            continue
        there = {key_of(means.server.id, record.key) for each in listed for record in each.records}
        gone = sorted(known.keys() - there)
        for each in listed:
            groupings = [await _grouping(means, kind, record, known) for record in each.records]
            changed = [grouping for grouping in groupings if known.get(grouping.key) != grouping]
            if not changed and not gone:
                continue
            taken = await means.shelves.take_groupings(each.library_id, kind, changed, gone)
            statistics.writes += taken.writes
            if taken.writes:
                await means.committed()


async def _listed(means: Means, libraries: Sequence[PlexLibrary], kind: GroupingKind) -> list[_Listed]:
    if kind is GroupingKind.PLAYLIST:
        return [_Listed(libraries[0].library.id, kind, await means.asking.playlists())]
    return [
        _Listed(library.library.id, kind, await means.asking.collections(library.section))
        for library in libraries
    ]


async def _grouping(
    means: Means, kind: GroupingKind, record: Record, known: Mapping[ItemKey, Grouping]
) -> Grouping:
    """Return a grouping with its members; they are asked for where it has changed, or is smart."""
    key = key_of(means.server.id, record.key)
    facts = (record.title, record.stamp, record.child_count, record.leaf_count, record.smart)
    digest = blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    before = known.get(key)
    if before and before.digest == digest and not record.smart:
        return before
    members: list[ItemKey] = []
    for member in await means.asking.members(_KINDS[kind], record.key):
        members += await _keys(means, member)
    return Grouping(key, kind, record.title, record.smart, digest, tuple(dict.fromkeys(members)))


async def _keys(means: Means, member: Record) -> list[ItemKey]:
    """Return what a member stands for: itself, or what a season or an album holds."""
    if member.kind in ITEM_KINDS or member.kind in _SHOWS:
        return [key_of(means.server.id, member.key)]
    if member.kind in SEASONS:
        return [key_of(means.server.id, leaf.key) for leaf in await means.asking.leaves(member.key)]
    return []
