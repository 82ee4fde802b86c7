"""The gateway's own site, on this machine alone: a capability is answered with the bytes of one file of a server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress

import structlog
from starlette.types import Receive, Scope, Send

from exstream.errors import Busy, NotAllowed, NotThere, OutboundError, SignInNeeded
from exstream.sources.capabilities import PREFIX, Loan
from exstream.sources.gateway import Delivery, Gateway
from exstream.sources.upstream import Changed
from exstream.web.receiving import hang_up

_RANGE = re.compile(r"bytes=(\d+)-(\d*)$")
_Headers = list[tuple[bytes, bytes]]
_TYPE = (b"content-type", b"application/octet-stream")

log = structlog.get_logger(__name__)


class MediaSite:
    """An ASGI application: ``GET`` and ``HEAD`` of ``/m/<capability>``, whole or from a byte on."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; stop as soon as nobody listens any more."""
        answering = asyncio.ensure_future(self._answer(scope, send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not answering.done():
                answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering

    async def _answer(self, scope: Scope, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        loan = self._gateway.capabilities.find(path[len(PREFIX) :]) if path.startswith(PREFIX) else None
        if loan is None:
            await _say(send, 404)
            return
        if method not in {"GET", "HEAD"}:
            await _say(send, 405, [(b"allow", b"GET, HEAD")])
            return
        asked = _range_of(scope["headers"])
        start, end = asked if asked is not None else (0, None)
        if loan.fault:  # what was lost stays lost: nothing is glued together from two tries
            await _say(send, 502)
            return
        try:
            delivery = await self._gateway.open(loan, start, end)
        except OutboundError as fault:
            _give_up(loan, fault)
            await _say(send, _status_of(fault))
            return
        try:
            await self._deliver(scope, send, loan, delivery, ranged=asked is not None)
        finally:
            await delivery.close()

    async def _deliver(
        self, scope: Scope, send: Send, loan: Loan, delivery: Delivery, *, ranged: bool
    ) -> None:
        total = str(delivery.size) if delivery.size >= 0 else "*"
        if delivery.is_beyond:
            await _say(send, 416, [(b"content-range", f"bytes */{total}".encode())])
            return
        headers: _Headers = [
            _TYPE,
            (b"accept-ranges", b"bytes"),
            (b"content-length", str(delivery.end - delivery.start).encode()),
        ]
        if ranged:
            told = f"bytes {delivery.start}-{delivery.end - 1}/{total}"
            headers.append((b"content-range", told.encode()))
        await send({"type": "http.response.start", "status": 206 if ranged else 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        try:
            async for data in delivery.bytes():
                await send({"type": "http.response.body", "body": data, "more_body": True})
        except OutboundError as fault:
            _give_up(loan, fault)
            hang_up(scope)
            return
        await send({"type": "http.response.body"})


async def _gone(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _range_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[int, int | None] | None:
    """Return the first and the last byte asked for; None: no part, or one that is asked for in another way."""
    for name, value in headers:
        found = _RANGE.match(value.decode("latin-1")) if name == b"range" else None
        if found is not None:
            return int(found[1]), int(found[2]) if found[2] else None
    return None


def _give_up(loan: Loan, fault: OutboundError) -> None:
    log.warning("a file of a server cannot be read on", source=loan.location, why=str(fault))
    loan.give_up(f"{loan.location}: {fault}", lost=not isinstance(fault, Changed))


def _status_of(fault: OutboundError) -> int:
    match fault:
        case NotThere():
            return 404
        case SignInNeeded() | NotAllowed():
            return 403
        case Busy():
            return 503
        case _:
            return 502


async def _say(send: Send, status: int, headers: _Headers | None = None) -> None:
    """Answer without a body."""
    length = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *(headers or [])]})
    await send({"type": "http.response.body"})
