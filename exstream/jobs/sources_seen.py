"""Where the catalogue comes from, told to people: libraries and servers, how much they have, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from exstream.errors import OutboundError, SignInNeeded
from exstream.model.catalogue import Catalogue, Library, LibraryKind
from exstream.model.server import PlexLibrary, Server, ServerId


@dataclass(frozen=True, slots=True)
class LibrarySeen:
    """One library. ``synced_ms`` is 0 where it was never read, and for folders."""

    name: str
    kind: str
    """Demo, folder or plex."""
    holds: str
    """Movie, show or artist, in the server's word; empty for folders."""
    server: str
    """The server's name; empty for folders."""
    section: str
    enabled: bool
    gone: bool
    items: int
    missing: int
    synced_ms: int
    held_back: int
    fault: str


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """One server. ``fault`` says what is wrong, ``sign_in`` that only the user can help."""

    id: ServerId
    name: str
    url: str
    version: str
    sign_in: bool
    fault: str


class Shelf(Protocol):
    """What is kept of folders; raises StoreError."""

    async def libraries(self) -> list[Library]:
        """Return all libraries, or those that are folders."""


class PlexShelf(Protocol):
    """What is kept of servers; raises StoreError."""

    async def servers(self) -> list[Server]:
        """Return the servers."""

    async def libraries(self, server: ServerId) -> list[PlexLibrary]:
        """Return the libraries of ``server``."""


class SourcesSeen:
    """Looks at the store when it is asked, and at what the synchronisation met last."""

    def __init__(
        self,
        shelf: Shelf,
        plex: PlexShelf,
        catalogue: Callable[[], Catalogue],
        faults: Callable[[], Mapping[ServerId, OutboundError]],
        unadopted: Callable[[], str] = str,
    ) -> None:
        self._shelf = shelf
        self._plex = plex
        self._catalogue = catalogue
        self._faults = faults
        self._unadopted = unadopted

    async def servers(self) -> Sequence[ServerSeen]:
        """Return the servers, oldest first. Raises StoreError."""
        faults = self._faults()
        return [_seen(server, faults.get(server.id)) for server in await self._plex.servers()]

    async def libraries(self) -> Sequence[LibrarySeen]:
        """Return the folders, then the libraries of the servers. Raises StoreError."""
        present, missing = self._counts()
        folders = [each for each in await self._shelf.libraries() if each.kind is not LibraryKind.PLEX]
        found = [
            LibrarySeen(
                each.name,
                each.kind.value,
                *("", "", ""),
                enabled=True,
                gone=False,
                items=present["", each.name],
                missing=missing["", each.name],
                synced_ms=0,
                held_back=0,
                fault="",
            )
            for each in folders
        ]
        for server in await self.servers():
            for each in await self._plex.libraries(server.id):
                place = server.id, each.library.name
                found.append(_library_seen(each, server, present[place], missing[place]))
        return found

    def concerns(self) -> Sequence[str]:
        """Return a sentence for each server that cannot be used now, without asking the store."""
        found = [str(fault) for fault in self._faults().values()]
        return [*found, *filter(None, [self._unadopted()])]

    def _counts(self) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        present: Counter[tuple[str, str]] = Counter()
        missing: Counter[tuple[str, str]] = Counter()
        for key, item in self._catalogue().items.items():
            server = key.rpartition(":")[0] if item.server else ""
            (missing if item.missing else present)[server, item.library] += 1
        return present, missing


def _seen(server: Server, fault: OutboundError | None) -> ServerSeen:
    said = server.fault or (str(fault) if fault is not None else "")
    sign_in = bool(server.fault) or isinstance(fault, SignInNeeded)
    return ServerSeen(server.id, server.name, server.url, server.version, sign_in, said)


def _library_seen(library: PlexLibrary, server: ServerSeen, items: int, missing: int) -> LibrarySeen:
    state = library.state
    fault = server.fault
    if library.gone:
        fault = "the server has no such library any more"
    elif state.held_back and not fault:
        fault = f"{state.held_back} items were gone at the last look and are kept until a second one"
    return LibrarySeen(
        library.library.name,
        LibraryKind.PLEX.value,
        library.kind,
        server.name,
        library.section,
        library.enabled,
        library.gone,
        items,
        missing,
        state.full_at,
        state.held_back,
        fault,
    )
