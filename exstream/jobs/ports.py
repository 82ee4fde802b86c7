"""What the library jobs ask of the store and of ffmpeg."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Protocol

from exstream.ffmpeg.probe import Probed
from exstream.model.catalogue import Item, ItemKey, Library, LibraryKind, Media


class Probing(Protocol):
    """Looks into media files."""

    async def probe(self, path: str) -> Media:
        """Return what is in the file at ``path``; raises UnreadableMedia."""

    def probe_all(self, paths: Sequence[str]) -> AsyncIterator[Probed]:
        """Yield what is in each of ``paths``, or why it cannot be used, in their order."""


class Shelves(Protocol):
    """Keeps libraries and their items; every method raises StoreError when the database cannot be used."""

    async def libraries(self) -> list[Library]:
        """Return the libraries, oldest first."""

    async def add_library(self, kind: LibraryKind, name: str, path: str) -> Library:
        """Return the library of the folder ``path``, having made it when there was none."""

    async def remove_library(self, library_id: int) -> bool:
        """Forget a library and its items; tell whether there was one."""

    async def apply(
        self,
        library_id: int,
        items: Iterable[Item],
        missing: Iterable[ItemKey] = (),
        gone: Iterable[ItemKey] = (),
    ) -> object:
        """Keep ``items``, mark those whose file is ``missing``, drop those that are ``gone``: all or nothing."""
