"""The catalogue that everybody reads: one snapshot in memory, replaced whole when the library changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from exstream.model.catalogue import Catalogue

Listener = Callable[[Catalogue], Awaitable[None]]


class Shelf(Protocol):
    """Where the catalogue is kept."""

    async def load(self) -> Catalogue:
        """Return all items; raises StoreError when the database cannot be used."""


class CatalogueHolder:
    """Holds the current snapshot and tells the listeners when another takes its place."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._listeners: list[Listener] = []
        self._reloading = asyncio.Lock()
        self.current = Catalogue()

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with each new snapshot, after those that listened before."""
        self._listeners.append(listener)

    async def reload(self) -> Catalogue:
        """Take over what is kept and return it; the listeners hear of it when it differs. Raises StoreError."""
        async with self._reloading:
            found = await self._shelf.load()
            if found.version != self.current.version:
                self.current = found
                for listener in self._listeners:
                    await listener(found)
            return found
