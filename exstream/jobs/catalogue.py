"""The catalogue that everybody reads: one snapshot in memory, replaced whole when the library changes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from exstream.model.catalogue import Catalogue

Listener = Callable[[Catalogue], Awaitable[None]]

MANY = 1_000
"""So many items that are new in memory hold the loop noticeably whenever garbage is looked for among them."""


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
        self._fresh = 0
        """How many items came since they were last settled."""

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with each new snapshot, after those that listened before."""
        self._listeners.append(listener)

    async def reload(self) -> Catalogue:
        """Take over what is kept and return it; the listeners hear of it when it differs. Raises StoreError."""
        async with self._reloading:
            with _uncollected():
                found = await self._shelf.load()
                await self._settle(found)
            if found.version != self.current.version:
                self.current = found
                for listener in self._listeners:
                    await listener(found)
            return found

    async def _settle(self, found: Catalogue) -> None:
        """Take items for what stays, once there are `MANY`: searches for garbage, which hold the loop, pass them by.

        They go when nobody refers to them any more, as ever. Not for each that changes: garbage of others that is there
        at this instant stays too.
        """
        self._fresh += await asyncio.to_thread(_fresh, self.current, found)
        if self._fresh >= MANY:
            gc.freeze()
            self._fresh = 0


def _fresh(before: Catalogue, after: Catalogue) -> int:
    """Return how many items of ``after`` are other objects than those of ``before``."""
    return sum(before.items.get(key) is not item for key, item in after.items.items())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage in the block: much of what is made there stays, and would be looked through several times."""
    gc.collect(1)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
