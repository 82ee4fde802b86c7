"""Media servers and their libraries as the store keeps them between two synchronisations.

Instants are UTC epoch milliseconds unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from exstream.model.catalogue import Item, ItemKey, Library

ServerId = str
"""The machine identifier of a server: addresses change, this does not."""


@dataclass(frozen=True, slots=True)
class Server:
    """One media server, and how to get at it. ``token`` is in the clear here, and nowhere else but in memory."""

    id: ServerId
    name: str
    url: str
    token: str = field(default="", repr=False)
    verify: bool = True
    """Whether its certificate has to be valid."""
    version: str = ""
    fault: str = ""
    """Why there is no token although there was one: a sentence that says what to do."""


class SectionSeen(Protocol):
    """One library as its server lists it now."""

    @property
    def key(self) -> str:
        """Its identity on the server."""

    @property
    def kind(self) -> str:
        """Movie, show, artist or photo, in the server's word."""

    @property
    def title(self) -> str:
        """Its name."""

    @property
    def roots(self) -> tuple[str, ...]:
        """Its folders on the server."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where a folder of a server lies on this machine."""

    server: ServerId
    plex_path: str
    local_path: str
    id: int = 0


Localise = Callable[[Sequence[Mapping], Sequence[str]], Callable[[str], str]]
"""Makes what tells where a path of a server lies here, "" if nowhere, of its mappings and a library's roots."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """How far a library is known."""

    content_changed_at: str = ""
    """The server's counter as of the last complete pass or reading of changes."""
    scanned_at: int = 0
    """In epoch seconds: the server's scan that the last complete pass has seen."""
    full_at: int = 0
    """When the last complete pass ended."""
    newest_added: int = 0
    newest_stamp: int = 0
    """The largest ``addedAt`` and ``updatedAt`` that are known, in epoch seconds."""
    total: int = 0
    """How many items the server has, by its own count."""
    shows: int = 0
    pass_number: int = 0
    """Which pass goes on, or was the last one."""
    pass_start: int = 0
    """From which entry on an unfinished pass goes on."""
    pass_open: bool = False
    held_back: int = 0
    """How many items were gone at the last pass and were kept, because they were too many to believe."""


@dataclass(frozen=True, slots=True)
class PlexLibrary:
    """One library of a server. ``kind`` is movie, show, artist or photo, in the server's word."""

    library: Library
    section: str
    kind: str
    enabled: bool
    roots: tuple[str, ...] = ()
    state: SyncState = SyncState()
    gone: bool = False
    """The server has no such library any more."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an item, to tell whether it has changed."""

    digest: str
    details: str
    """The digest as of which its details were read; empty: never."""
    missing_since: int = 0
    deleted: bool = False
    stamp: int = 0
    """The server's ``updatedAt`` in epoch seconds."""
    title: str = ""
    show_key: ItemKey = ""


@dataclass(frozen=True, slots=True)
class Shelved:
    """An item as it is to be kept. ``detailed``: its streams, markers and labels were read with it."""

    item: Item
    digest: str
    stamp: int
    detailed: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """A series or an artist, by which items of one name are told apart."""

    key: ItemKey
    title: str
    year: int | None = None
    external_ids: tuple[str, ...] = ()
    leaf_count: int = 0
    child_count: int = 0
    digest: str = ""
    summary: str = ""
    genres: tuple[str, ...] = ()
    content_rating: str = ""
    artwork: str = ""
    stamp: int = 0
    labels: tuple[str, ...] = ()


class GroupingKind(StrEnum):
    """What holds items together."""

    COLLECTION = "collection"
    PLAYLIST = "playlist"


@dataclass(frozen=True, slots=True)
class Grouping:
    """A collection or a playlist with its members in order; those of a smart one as they are now."""

    key: ItemKey
    kind: GroupingKind
    title: str
    smart: bool = False
    digest: str = ""
    members: tuple[ItemKey, ...] = ()
    """Items and shows."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a write changed: the keys that were new, that differed, and how many rows were written."""

    added: tuple[ItemKey, ...] = ()
    updated: tuple[ItemKey, ...] = ()
    removed: tuple[ItemKey, ...] = ()
    writes: int = 0
