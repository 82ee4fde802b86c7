"""What takes a look to be known is looked up once: kept for a while, asked for by many at the same time, and dropped
when it is no longer true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

from cachetools import TLRUCache

from exstream.clock import Clock

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Lookup(Generic[Key, Value]):
    """Keeps what ``find`` returns for ``keep`` (seconds, by the value), of ``size`` keys at most.

    ``count`` is told of each look-up whether it was known. What ``find`` raises is raised to all who wait for it, and
    is not kept. Belongs to the event loop.
    """

    def __init__(
        self,
        find: Callable[[Key], Awaitable[Value]],
        keep: Callable[[Value], float],
        clock: Clock,
        *,
        size: int,
        count: Callable[[bool], None] = lambda _known: None,
    ) -> None:
        self._find = find
        self._count = count
        self._known: TLRUCache[Key, Value] = TLRUCache(
            size, ttu=lambda _key, value, now: now + keep(value), timer=clock.air
        )
        self._under_way: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """Return what is known of ``key``, else what is found out; all who ask meanwhile share one search."""
        if (known := self._known.get(key)) is not None:
            self._count(True)
            return known
        self._count(False)
        search = self._under_way.get(key)
        if search is None:
            search = asyncio.ensure_future(self._find(key))
            self._under_way[key] = search
            search.add_done_callback(partial(self._found, key))
        # Who gives up waiting does not end the search of the others.
        return await asyncio.shield(search)

    def drop(self, which: Callable[[Key], bool]) -> None:
        """Forget the keys for which ``which`` is true; what is being searched for them is not kept."""
        for key in [key for key in self._known if which(key)]:
            self._known.pop(key, None)
        for key in [key for key in self._under_way if which(key)]:
            del self._under_way[key]

    def _found(self, key: Key, search: asyncio.Task[Value]) -> None:
        if search.cancelled():
            self._under_way.pop(key, None)
            return
        fault = search.exception()  # asked for, so that nobody complains when all have left
        if self._under_way.get(key) is search:
            del self._under_way[key]
            if fault is None:
                self._known[key] = search.result()
