"""Files of servers for children of ours: they read from an address on this machine, and never see server or token.

A reading that breaks off goes on where it was, so that nobody notices; a file that has changed is never glued to what
was read of it before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import structlog
from cachetools import LRUCache

from exstream.clock import Clock
from exstream.errors import Busy, Misunderstood, NotThere, OutboundError, SignInNeeded, Unreachable
from exstream.model.catalogue import Catalogue, ItemKey
from exstream.model.server import ServerId
from exstream.plex.items import rating_key_of
from exstream.plex.records import Record
from exstream.sources.capabilities import PREFIX, Capabilities, Loan, split
from exstream.sources.upstream import Changed, MediaServer, TooSlow, Upstream

RESUMES = 3
"""How often in a row a reading is begun anew where it broke off, before it is given up."""
PROGRESS_BYTES = 1 << 19
"""After so many bytes more a reading counts as one that goes well."""
FIRST_PAUSE = 0.2
"""In seconds; it doubles."""
LONGEST_WAIT = 3.0
"""How long a server that names a time is waited for: viewers have pictures for seconds."""
MOVED = 1_000

log = structlog.get_logger(__name__)


class Counts(Protocol):
    """Where the gateway's figures go."""

    def read(self, server: str, count: int) -> None:
        """So many bytes came from a server."""

    def resumed(self, server: str) -> None:
        """A reading was begun anew where it broke off."""


class Delivery:
    """An answer for one reader: bytes ``start`` to ``end`` (excluded) of a file of ``size``."""

    def __init__(self, gateway: Gateway, loan: Loan, upstream: Upstream) -> None:
        self._gateway = gateway
        self._loan = loan
        self._upstream = upstream
        place = upstream.place
        self.start, self.end, self.size = place.start, place.end, place.size

    @property
    def is_beyond(self) -> bool:
        """The file ends before what was asked for."""
        return self.end <= self.start

    async def close(self) -> None:
        """Let go of the server's connection."""
        await self._upstream.close()

    async def bytes(self) -> AsyncIterator[bytes]:
        """Yield all that was promised; raises `OutboundError` where that cannot be had."""
        at, failures, since = self.start, 0, self.start
        while at < self.end:
            fault: OutboundError = Unreachable("the server stopped before the end")
            try:
                async for data in self._upstream.bytes():
                    piece = data[: self.end - at]
                    at += len(piece)
                    self._gateway.came(self._loan, len(piece))
                    yield piece
                    if at >= self.end:
                        return
            except TooSlow:
                raise
            except Unreachable as broken:
                fault = broken
            if at - since >= PROGRESS_BYTES:
                failures = 0
            since, failures = at, failures + 1
            await self._upstream.close()
            self._upstream = await self._gateway.resume(self._loan, at, self.end - 1, failures, fault)


class Gateway:
    """Lends files of the servers that ``server`` finds; ``base`` is the address it is asked at, without a path."""

    def __init__(
        self,
        server: Callable[[ServerId], MediaServer | None],
        clock: Clock,
        base: str,
        counts: Counts,
    ) -> None:
        self._server = server
        self._clock = clock
        self._base = base
        self._counts = counts
        self._moved: LRUCache[str, str] = LRUCache(MOVED)
        """Where files lie by now whose address has grown old since the last synchronisation."""
        self._ready: dict[Loan, Upstream] = {}
        self.capabilities = Capabilities(clock)

    async def follow(self, _catalogue: Catalogue) -> None:
        """A new catalogue knows where files lie."""
        self._moved.clear()

    def lend(self, location: str, item: ItemKey = "", place: int = 0) -> Loan:
        """Lend a file; ``item`` is whose it is, ``place`` which of the item's files. Raises ValueError."""
        _, address = split(location)
        return self.capabilities.lend(location, self._moved.get(location, address), item, place)

    def url(self, loan: Loan) -> str:
        """Return where the file is read. It is worth nothing elsewhere, nor once the loan is taken back."""
        return f"{self._base}{PREFIX}{loan.name}"

    def hidden(self, text: str, loan: Loan) -> str:
        """Return ``text`` with the file's location in the place of its address."""
        return text.replace(self.url(loan), loan.location).replace(loan.name, "...")

    async def prepare(self, loan: Loan) -> None:
        """Ask for the file from its beginning, so that it comes when it is read. Raises `OutboundError`."""
        self._ready[loan] = await self._ask(loan, 0, None)

    async def take_back(self, loan: Loan) -> None:
        """End a loan."""
        self.capabilities.revoke(loan)
        ready = self._ready.pop(loan, None)
        if ready is not None:
            await ready.close()

    async def open(self, loan: Loan, start: int, end: int | None) -> Delivery:
        """Begin to read bytes ``start`` to ``end`` (the last one; None: all). Raises `OutboundError`."""
        ready = self._ready.pop(loan, None)
        if ready is not None and start == 0 and end is None:
            return Delivery(self, loan, ready)
        if ready is not None:
            await ready.close()
        failures = 0
        while True:
            try:
                upstream = await self._ask(loan, start, end)
            except Unreachable as fault:
                failures += 1
                await self._pause(failures, fault)
            else:
                return Delivery(self, loan, upstream)

    async def resume(self, loan: Loan, at: int, last: int, failures: int, fault: OutboundError) -> Upstream:
        """Go on at byte ``at`` after the last of so many failures. Raises `OutboundError` when it had better not."""
        while True:
            await self._pause(failures, fault)
            self._counts.resumed(loan.server)
            log.info("a reading goes on", source=loan.location, at=at, why=str(fault))
            try:
                upstream = await self._ask(loan, at, last)
            except Changed:
                raise
            except Unreachable as again:
                failures, fault = failures + 1, again
            else:
                if upstream.place.end > last:
                    return upstream
                await upstream.close()
                raise Changed(f"{loan.location} has become shorter while it was read")

    def came(self, loan: Loan, count: int) -> None:
        """Count bytes of a server."""
        self._counts.read(loan.server, count)

    async def _pause(self, failures: int, fault: OutboundError) -> None:
        """Wait after so many failures in a row, or raise the last one."""
        pause = FIRST_PAUSE * 2.0 ** (failures - 1)
        if isinstance(fault, Busy) and fault.retry_after is not None:
            pause = fault.retry_after
        if failures > RESUMES or pause > LONGEST_WAIT or isinstance(fault, Changed):
            raise fault
        await self._clock.sleep(pause)

    async def _ask(self, loan: Loan, start: int, end: int | None) -> Upstream:
        """Ask the server once, and once more at the file's new address if it has one."""
        server = self._server(loan.server)
        if server is None:
            raise Unreachable("its server is not connected")
        try:
            upstream = await self._asked(server, loan, start, end)
        except NotThere:
            if not await self._find_anew(server, loan):
                raise
            upstream = await self._asked(server, loan, start, end)
        place = upstream.place
        if loan.size < 0:
            loan.size, loan.tag = place.size, place.tag
        elif place.size not in {-1, loan.size} or place.tag not in {"", loan.tag}:
            await upstream.close()
            raise Changed(f"{loan.location} has changed while it was read")
        return upstream

    async def _asked(self, server: MediaServer, loan: Loan, start: int, end: int | None) -> Upstream:
        breaker, now = server.breaker, self._clock.air()
        # Only for the sake of the token is a file not asked for: who plays it has patience of its own.
        if breaker.refused and breaker.admit(now) > 0:
            raise SignInNeeded(
                "its server does not accept the token it was given: sign in again with `exstream plex login`"
            )
        try:
            upstream = await Upstream.ask(server, loan.address, start, end, self._clock)
        except SignInNeeded:
            breaker.refuse(self._clock.air())
            raise
        except Busy:
            raise
        except Unreachable:
            breaker.failed(self._clock.air())
            raise
        breaker.answered()
        return upstream

    async def _find_anew(self, server: MediaServer, loan: Loan) -> bool:
        """Ask where a file lies that is not at its address any more; tell whether it lies elsewhere by now."""
        if not loan.item:
            return False
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                records = await server.details([rating_key_of(loan.item)])
        except (Unreachable, Misunderstood, TimeoutError):
            return False
        address = _address_of(records, loan)
        if not address or address == loan.address:
            return False
        log.info("a file has a new address", source=loan.location)
        loan.address = self._moved[loan.location] = address
        return True


def _address_of(records: Sequence[Record], loan: Loan) -> str:
    """Return where the file of ``loan`` lies by now: as the same part, else as the part at its place."""
    versions = [version for record in records for version in record.media if version.parts]
    own = loan.address.removeprefix("/library/parts/").partition("/")[0]
    for version in versions:
        for part in version.parts:
            if part.id == own and part.exists:
                return part.key
    return next(
        (version.parts[loan.place].key for version in versions if len(version.parts) > loan.place), ""
    )
