"""How a request is received, with a deadline and a limit that uvicorn itself does not have; and how a stream is sent.

A stream's body goes past ASGI: an answer that has begun has its viewer's transport written to directly, which costs
less than half, and takes no task of the viewer's for every piece.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from email.utils import formatdate
from functools import partial

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

RECEIVE_SECONDS = 10.0
"""How long a client may take to send the headers, and again the body."""
HEAD_BYTES = 65_536
"""How long a request's line and headers may be."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


_UNSENT_BYTES = 262_144
"""How much of a stream the kernel keeps for a viewer beyond what is under way; by itself it would take megabytes."""
_EXTENSION = "exstream.connection"


class TransportWire:
    """A connection whose answer has begun: what is written here is its body, framed as the head has promised.

    A viewer that takes nothing is owed what the transport holds: its high-water mark (64 KiB) and one piece.
    """

    def __init__(self, transport: asyncio.Transport, *, chunked: bool) -> None:
        self._transport = transport
        self._chunked = chunked
        self._call: Callable[[], None] | None = None
        self.full = transport.is_closing()
        _hold_back(transport)

    def write(self, data: bytes) -> None:
        """Send ``data`` as soon as the viewer takes it."""
        if not data:
            return
        if self._chunked:
            self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        else:
            self._transport.write(data)

    def on_room(self, call: Callable[[], None]) -> None:
        """Have ``call`` called whenever it is full no longer."""
        self._call = call

    def pause(self) -> None:
        """The transport has enough for now."""
        self.full = True

    def resume(self) -> None:
        """The viewer has taken most of it."""
        self.full = False
        if self._call is not None:
            self._call()


def _hold_back(transport: asyncio.Transport) -> None:
    """Keep the kernel from taking more of a stream than its viewer does; not every system can."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    connection = transport.get_extra_info("socket")
    if option is not None and connection is not None and not transport.is_closing():
        connection.setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)


def wire_of(scope: Scope) -> TransportWire:
    """Return the wire to the client of this request, whose answer's head has been sent."""
    wire: TransportWire = scope["extensions"][_EXTENSION]["wire"]()
    return wire


def hang_up(scope: Scope) -> None:
    """Cut the connection of the request at once, whatever the client has not yet taken."""
    connection = scope.get("extensions", {}).get(_EXTENSION)
    if connection is not None:
        connection["hang_up"]()


def _without_chunks(cycle: RequestResponseCycle) -> None:
    """End an answer of unknown length with the connection: HTTP/1.0 knows no chunks, which uvicorn would send."""
    send = cycle.send

    async def send_plain(message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            if not any(name.lower() == b"content-length" for name, _ in message.get("headers", ())):
                cycle.chunked_encoding, cycle.expected_content_length = False, sys.maxsize
        elif message["type"] == "http.response.body":
            is_unlimited = cycle.expected_content_length > sys.maxsize // 2
            if is_unlimited and not message.get("more_body", False):
                cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    cycle.send = send_plain  # type: ignore[method-assign] # uvicorn has no other way in


class PromptProtocol(HttpToolsProtocol):
    """HTTP/1.1 for clients that send their requests in time; the others are sent away."""

    receive_seconds = RECEIVE_SECONDS
    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _wire: TransportWire | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._received()
        if self._wire is not None:
            self._wire.pause()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._wire is not None:
            self._wire.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._wire is not None:
            self._wire.resume()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._in_head:
            self._expect()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(_TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"hang_up": self.transport.abort}}

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._expect()
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode("ascii"))]
        super().on_headers_complete()
        if self.scope.get("http_version") == "1.0":
            _without_chunks(self.cycle)
        self.scope["extensions"][_EXTENSION]["wire"] = partial(self._wire_for, self.cycle)

    def _wire_for(self, cycle: RequestResponseCycle) -> TransportWire:
        self._wire = TransportWire(self.transport, chunked=bool(cycle.chunked_encoding))
        return self._wire

    def on_message_complete(self) -> None:
        self._received()
        self._in_head = True
        super().on_message_complete()

    @property
    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _expect(self) -> None:
        self._received()
        self._deadline = self.loop.call_later(self.receive_seconds, self._too_slow)

    def _received(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        self._refuse(_TOO_SLOW)

    def _refuse(self, answer: bytes) -> None:
        """Say why where nothing else is being said, and hang up."""
        if self.transport.is_closing():
            return
        if not self._answering:
            self.transport.write(answer)
            self.transport.close()
        else:
            self.transport.abort()
