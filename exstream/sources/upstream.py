"""One answer of a server on its way: where it lies in the file, which file it is, and whether it comes fast enough."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from exstream.clock import Clock
from exstream.errors import Misunderstood, TooMuch, Unreachable
from exstream.outbound import Breaker, Stretch
from exstream.plex.records import Record

SILENCE_SECONDS = 4.0
"""For how long nothing may come; a disk that sleeps needs some seconds."""
SLOW_SECONDS = 3.0
SLOW_BYTES = 65_536
"""Less than this in `SLOW_SECONDS` of waiting is of no use to anybody."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\s*$")
_BEYOND = re.compile(r"bytes \*/(\d+)\s*$")


class MediaServer(Protocol):
    """A server that has files, and is asked for them."""

    @property
    def breaker(self) -> Breaker:
        """Whether it may be asked."""

    def part(self, key: str, start: int = 0, end: int | None = None) -> AbstractAsyncContextManager[Stretch]:
        """Give the bytes at its address ``key`` from ``start`` on; raises `OutboundError`."""

    async def details(self, keys: Sequence[str]) -> Sequence[Record]:
        """Return what it knows of its items ``keys``; raises `OutboundError`."""


class Changed(Unreachable):
    """The file at an address is not the one that it was: what follows does not belong to what was read."""


class TooSlow(TooMuch):
    """Bytes come, but too few to play: to ask again would bring no more of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer lies: bytes ``start`` to ``end`` (excluded) of ``size``, of the file that ``tag`` names.

    There are none in it where ``start`` lies behind the end.
    """

    start: int
    end: int
    size: int
    tag: str

    @classmethod
    def of(cls, stretch: Stretch, start: int) -> Place:
        """Read the head of an answer to a request for what lies at ``start``; raises `Misunderstood`."""
        headers = stretch.headers
        tag = headers.get("etag") or headers.get("last-modified", "")
        told = headers.get("content-range", "")
        if stretch.status == 416:
            beyond = _BEYOND.match(told)
            size = int(beyond[1]) if beyond else -1
            return cls(start, start, size, tag)
        if stretch.status == 206:
            found = _RANGE.match(told)
            if found is None or int(found[1]) != start:
                raise Misunderstood(f"bytes from {start} on were asked for, but {told or 'others'} come")
            end = int(found[2]) + 1
            return cls(start, end, -1 if found[3] == "*" else int(found[3]), tag)
        length = headers.get("content-length", "")
        if start or not length.isdecimal():
            raise Misunderstood("the server gives no parts of its files")
        return cls(0, int(length), int(length), tag)


class Upstream:
    """An answer that has begun. Close it when it is done with."""

    def __init__(self, stretch: Stretch, place: Place, closing: AsyncExitStack, clock: Clock) -> None:
        self.place = place
        self._stretch = stretch
        self._closing = closing
        self._clock = clock

    @classmethod
    async def ask(
        cls, server: MediaServer, address: str, start: int, end: int | None, clock: Clock
    ) -> Upstream:
        """Ask for bytes ``start`` to ``end`` (the last one; None: all) of a file. Raises `OutboundError`."""
        closing = AsyncExitStack()
        try:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    stretch = await closing.enter_async_context(server.part(address, start, end))
            except TimeoutError:
                raise TooMuch(f"the server did not answer within {SILENCE_SECONDS:g} s") from None
            return cls(stretch, Place.of(stretch, start), closing, clock)
        except BaseException:
            await closing.aclose()
            raise

    async def close(self) -> None:
        """Let go of the connection. May be called more than once."""
        await self._closing.aclose()

    async def bytes(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come; raises `Unreachable` where they stop, or hardly come at all."""
        waited, came, arriving = 0.0, 0, self._stretch.bytes()
        while True:
            asked = self._clock.air()
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    data = await anext(arriving, b"")
            except TimeoutError:
                raise TooMuch(f"nothing came for {SILENCE_SECONDS:g} s") from None
            if not data:
                return
            waited, came = waited + self._clock.air() - asked, came + len(data)
            if waited >= SLOW_SECONDS:
                if came < SLOW_BYTES:
                    raise TooSlow(f"only {came:,} bytes came in {waited:.0f} s")
                waited, came = 0.0, 0
            yield data
