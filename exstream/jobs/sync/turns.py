"""One program at a time writes what is known of a server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from exstream.model.server import ServerId


class Turns(Protocol):
    """The turns of all servers."""

    def taken(self, server: ServerId, *, gives_way: bool = False) -> AbstractAsyncContextManager[None]:
        """Have the turn for as long as the block lasts, after waiting for it; raises StoreError."""

    def wanted(self, server: ServerId) -> bool:
        """Tell whether somebody waits for the turn; raises StoreError."""


class Alone:
    """Turns where there is no other program."""

    @asynccontextmanager
    async def taken(
        self,
        server: ServerId,  # noqa: ARG002 -- nobody else wants it
        *,
        gives_way: bool = False,  # noqa: ARG002 -- there is nobody to give way to
    ) -> AsyncIterator[None]:
        """Have the turn at once."""
        yield

    def wanted(self, server: ServerId) -> bool:  # noqa: ARG002 -- nobody is there
        """Return False."""
        return False
