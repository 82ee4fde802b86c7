"""How a request is received: with a deadline and a limit, which uvicorn itself does not have."""

from __future__ import annotations

import asyncio
import sys

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

RECEIVE_SECONDS = 10.0
"""How long a client may take to send the headers, and again the body."""
HEAD_BYTES = 65_536
"""How long a request's line and headers may be."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


_EXTENSION = "exstream.connection"


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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._received()
        super().connection_lost(exc)

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
        super().on_headers_complete()
        if self.scope.get("http_version") == "1.0":
            _without_chunks(self.cycle)

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
