"""A synchronisation that writes nothing, and tells what it would write."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from exstream.jobs.sync.ports import PlexShelves
from exstream.model.catalogue import ItemKey, Library, LibraryKind
from exstream.model.server import (
    Grouping,
    GroupingKind,
    Known,
    PlexLibrary,
    Server,
    ServerId,
    Shelved,
    Show,
    SyncState,
    Taken,
)
from exstream.model.server import Mapping as PathMapping
from exstream.plex.records import Section


class Rehearsal:
    """Shelves that read from others and write nowhere; implements `exstream.jobs.sync.ports.PlexShelves`."""

    def __init__(self, shelves: PlexShelves) -> None:
        self._shelves = shelves
        self._known: dict[int, Mapping[ItemKey, Known]] = {}
        self._seen: dict[int, set[ItemKey]] = {}

    async def servers(self) -> list[Server]:
        """Return the servers."""
        return await self._shelves.servers()

    async def mappings(self, server: ServerId) -> list[PathMapping]:
        """Return the mappings of ``server``."""
        return await self._shelves.mappings(server)

    async def libraries(self, server: ServerId) -> list[PlexLibrary]:
        """Return the libraries of ``server``."""
        return await self._shelves.libraries(server)

    async def take_sections(self, server: ServerId, sections: Sequence[Section]) -> list[PlexLibrary]:
        """Return the libraries as they would be; a new one has a number below 0."""
        known = {library.section: library for library in await self._shelves.libraries(server)}
        found = []
        for number, section in enumerate(sections, 1):
            place = Library(
                -number, LibraryKind.PLEX, section.title, f"/library/sections/{section.key}", server
            )
            new = PlexLibrary(place, section.key, section.kind.value, enabled=True, roots=section.roots)
            before = known.pop(section.key, new)
            library = replace(before.library, name=section.title)
            found.append(replace(before, library=library, roots=section.roots, gone=False))
        return [*found, *(replace(library, gone=True) for library in known.values())]

    async def known(
        self, library_id: int, keys: Collection[ItemKey] | None = None
    ) -> Mapping[ItemKey, Known]:
        """Return what is kept of ``keys``, or of all items of a library."""
        found = await self._shelves.known(library_id, keys) if library_id > 0 else {}
        self._known[library_id] = {**self._known.get(library_id, {}), **found}
        return found

    async def unfilled(self, library_id: int) -> Mapping[ItemKey, Known]:
        """Return what is kept of the items that lack their details."""
        return await self._shelves.unfilled(library_id) if library_id > 0 else {}

    async def known_shows(self, library_id: int) -> Mapping[ItemKey, Show]:
        """Return the shows of a library."""
        return await self._shelves.known_shows(library_id) if library_id > 0 else {}

    async def take_items(
        self,
        library_id: int,
        items: Sequence[Shelved],
        seen: Collection[ItemKey],
        state: SyncState,  # noqa: ARG002 -- nothing is kept
    ) -> Taken:
        """Tell which items would be new, and which would be written again."""
        known = self._known.get(library_id, {})
        self._seen.setdefault(library_id, set()).update(seen)
        keys = dict.fromkeys(shelved.item.key for shelved in items)
        back = [key for key in seen if key in known and known[key].missing_since and key not in keys]
        return Taken(
            added=tuple(key for key in keys if key not in known),
            updated=(*(key for key in keys if key in known), *back),
        )

    async def take_shows(
        self,
        library_id: int,  # noqa: ARG002 -- nothing is kept
        shows: Sequence[Show],  # noqa: ARG002 -- nothing is kept
        gone: Collection[ItemKey],  # noqa: ARG002 -- nothing is kept
    ) -> Taken:
        """Write nothing."""
        return Taken()

    async def take_groupings(
        self,
        library_id: int,  # noqa: ARG002 -- nothing is kept
        kind: GroupingKind,  # noqa: ARG002 -- nothing is kept
        groupings: Sequence[Grouping],  # noqa: ARG002 -- nothing is kept
        gone: Collection[ItemKey],  # noqa: ARG002 -- nothing is kept
    ) -> Taken:
        """Write nothing."""
        return Taken()

    async def known_groupings(self, server: ServerId, kind: GroupingKind) -> Mapping[ItemKey, Grouping]:
        """Return what is kept of the groupings of ``server``."""
        return await self._shelves.known_groupings(server, kind)

    async def unseen(
        self,
        library_id: int,
        pass_number: int,  # noqa: ARG002 -- a rehearsal is one pass
    ) -> list[ItemKey]:
        """Return the items that were not seen in this rehearsal."""
        known, seen = self._known[library_id], self._seen.get(library_id, set())
        return [key for key, each in known.items() if not each.missing_since and key not in seen]

    async def miss(
        self,
        library_id: int,
        keys: Collection[ItemKey],
        at_ms: int,  # noqa: ARG002 -- nothing is kept
    ) -> Taken:
        """Tell which items would be missing."""
        known = self._known[library_id]
        return Taken(removed=tuple(key for key in keys if key in known and not known[key].missing_since))

    async def forget(
        self,
        library_id: int,  # noqa: ARG002 -- nothing is kept
        missing_before_ms: int,  # noqa: ARG002 -- nothing is kept
    ) -> Taken:
        """Drop nothing."""
        return Taken()

    async def keep_state(self, library_id: int, state: SyncState) -> None:
        """Keep nothing."""
