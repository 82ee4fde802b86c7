"""What synchronisation asks of the store and of a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from exstream.model.catalogue import ItemKey
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
from exstream.plex.records import Identity, Kind, Notice, Page, Record, Section


class PlexShelves(Protocol):
    """Keeps servers, their libraries and items. Every method is one transaction and raises StoreError."""

    async def servers(self) -> list[Server]:
        """Return the servers, oldest first."""

    async def mappings(self, server: ServerId) -> list[PathMapping]:
        """Return where the folders of ``server`` lie here."""

    async def libraries(self, server: ServerId) -> list[PlexLibrary]:
        """Return the libraries of ``server``, in the order of their keys."""

    async def take_sections(self, server: ServerId, sections: Sequence[Section]) -> list[PlexLibrary]:
        """Keep what the server has now, new libraries enabled; one that is not listed is marked as gone."""

    async def known(
        self, library_id: int, keys: Collection[ItemKey] | None = None
    ) -> Mapping[ItemKey, Known]:
        """Return what is kept of those of ``keys`` that are in a library, the missing ones included; None: of all."""

    async def unfilled(self, library_id: int) -> Mapping[ItemKey, Known]:
        """Return what is kept of the items of a library that lack their details, the missing ones left out."""

    async def known_shows(self, library_id: int) -> Mapping[ItemKey, Show]:
        """Return the shows or artists of a library."""

    async def take_items(
        self, library_id: int, items: Sequence[Shelved], seen: Collection[ItemKey], state: SyncState
    ) -> Taken:
        """Keep ``items``, note that all of ``seen`` were there in pass ``state.pass_number``, and keep ``state``.

        An item that was missing and is among ``items`` or ``seen`` is there again. Only what differs is written.
        """

    async def take_shows(self, library_id: int, shows: Sequence[Show], gone: Collection[ItemKey]) -> Taken:
        """Keep ``shows`` and drop those that are ``gone``."""

    async def take_groupings(
        self, library_id: int, kind: GroupingKind, groupings: Sequence[Grouping], gone: Collection[ItemKey]
    ) -> Taken:
        """Keep ``groupings`` with their members in order and drop the library's collections that are ``gone``.

        Playlists belong to no library: all that are ``gone`` are dropped, and those that are kept have the
        ``library_id`` of the first library of the server.
        """

    async def known_groupings(self, server: ServerId, kind: GroupingKind) -> Mapping[ItemKey, Grouping]:
        """Return what is kept of the groupings of ``server``."""

    async def unseen(self, library_id: int, pass_number: int) -> list[ItemKey]:
        """Return the items that are not missing and were not seen in that pass."""

    async def miss(self, library_id: int, keys: Collection[ItemKey], at_ms: int) -> Taken:
        """Mark items as missing since ``at_ms``; those that were missing already keep their instant."""

    async def forget(self, library_id: int, missing_before_ms: int) -> Taken:
        """Drop the items that have been missing since before that instant."""

    async def keep_state(self, library_id: int, state: SyncState) -> None:
        """Keep how far a library is known."""


class PlexAsking(Protocol):
    """One server, asked. Every method raises `OutboundError`: see its tree for what to do next."""

    @property
    def requests(self) -> int:
        """How many requests were sent so far, those that were repeated included."""

    async def identity(self) -> Identity:
        """Return which server answers."""

    async def sections(self) -> Sequence[Section]:
        """Return its libraries."""

    async def count(self, section: str, kind: Kind) -> int:
        """Return how many entries of ``kind`` a library has."""

    def pages(
        self,
        section: str,
        kind: Kind,
        *,
        start: int = 0,
        sort: str = "addedAt:asc",
        filters: Mapping[str, str] = {},
    ) -> AsyncIterator[Page]:
        """Yield a listing from entry ``start`` on, in pages of adaptive size; ends after the last one."""

    async def details(self, keys: Sequence[str]) -> Sequence[Record]:
        """Return items with streams, markers, chapters and labels; those that are gone are left out.

        Of those that the server has and cannot tell there is a record that names the fault.
        """

    async def leaves(self, key: str) -> Sequence[Record]:
        """Return all episodes or tracks of a show or artist."""

    async def collections(self, section: str) -> Sequence[Record]:
        """Return the collections of a library."""

    async def playlists(self) -> Sequence[Record]:
        """Return the playlists of the token's user."""

    async def members(self, kind: Kind, key: str) -> Sequence[Record]:
        """Return the members of a collection or playlist, in order."""

    def notices(self) -> AsyncIterator[Notice]:
        """Yield what happens, for as long as it is read; connects again by itself."""
