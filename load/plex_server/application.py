"""The way of a request: control, faults, token, page, and out; for the server itself and for its plex.tv."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Protocol

from starlette.websockets import WebSocket

from load.plex_server.answers import NOT_FOUND, UNAUTHORIZED, Answer, html
from load.plex_server.asking import Account, Ask, Switches, pairs_of
from load.plex_server.counters import Counters
from load.plex_server.faults import Delivery, Faults, altered, before, delivery
from load.plex_server.notices import Notices
from load.plex_server.pages import Pages

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_CHUNK = 256 * 1024
_LINES = frozenset({"/:/websockets/notifications", "/:/websocket/notifications"})
_LINGER_NOT = struct.pack("ii", 1, 0)


class Site(Protocol):
    """Answers the requests of one port; returns under what they are counted, too."""

    def respond(self, ask: Ask) -> tuple[str, Answer]:
        """Answer."""


class ServerSite:
    """The media server: the token first, then the page."""

    def __init__(self, pages: Pages, accounts: dict[str, Account]) -> None:
        self._pages = pages
        self._accounts = accounts

    def account(self, ask: Ask) -> Account | None:
        """Return whom the token of a request belongs to."""
        return self._accounts.get(ask.plex("Token"))

    def respond(self, ask: Ask) -> tuple[str, Answer]:
        """Answer; without a token that counts, every address says 401 but the open ones."""
        found = self._pages.route(ask)
        account = self.account(ask)
        if account is None and (found is None or not found[0].open):
            return "refused", html(*UNAUTHORIZED)
        if found is None:
            return "unknown", html(*NOT_FOUND)
        route, keys = found
        if account is not None:
            ask = Ask(ask.method, ask.path, ask.pairs, ask.headers, account)
        return route.kind, self._pages.answer(ask, route, keys)


class Control(Protocol):
    """Answers below ``/-/``."""

    async def respond(self, path: str, body: bytes) -> Answer:
        """Answer."""


class Application:
    """One port."""

    def __init__(
        self, site: Site, control: Control, faults: Faults, counters: Counters, switches: Switches
    ) -> None:
        self._site = site
        self._control = control
        self._faults = faults
        self._counters = counters
        self._switches = switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = str(scope["path"])
        if path.startswith("/-/"):
            answer = await self._control.respond(path.removeprefix("/-/"), await _body(receive))
            await _send(scope, send, answer, Delivery())
            return
        self._counters.begin()
        try:
            await self._serve(scope, send, _ask(scope))
        finally:
            self._counters.end()

    async def _serve(self, scope: Scope, send: Send, ask: Ask) -> None:
        raw_query = scope["query_string"].decode("latin-1")
        rules = self._faults.of(ask, raw_query)
        kind, answer, began = "harmed", await before(rules), time.perf_counter()
        if answer is None:
            kind, answer = self._site.respond(ask)
            answer = altered(rules, answer)
        seconds = time.perf_counter() - began
        self._counters.count(kind, ask, raw_query, answer.status, answer.length, seconds)
        pace = self._switches.rate if answer.disk is not None else 0
        await _send(scope, send, answer, delivery(rules, pace))


class Lines:
    """The port's websockets, beside its requests."""

    def __init__(
        self, inner: Application, site: ServerSite, notices: Notices, faults: Faults, counters: Counters
    ) -> None:
        self._counters = counters
        self._inner = inner
        self._site = site
        self._notices = notices
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or tell a listener what happens."""
        if scope["type"] != "websocket":
            await self._inner(scope, receive, send)
            return
        line, ask = WebSocket(scope, receive, send), _ask({**scope, "method": "GET"})
        raw_query = scope["query_string"].decode("latin-1")
        harmed = any(rule.kind == "status" for rule in self._faults.of(ask, raw_query))
        refused = harmed or self._site.account(ask) is None or ask.path not in _LINES
        self._counters.count("line", ask, raw_query, 403 if refused else 101, 0, 0.0)
        if refused:
            await line.close(1008)  # before it is accepted: the handshake is refused with 403
            return
        await self._notices.listen(line, ask.query.get("filters", ""))


def _ask(scope: Scope) -> Ask:
    headers = {name.decode("latin-1"): value.decode("utf-8", "replace") for name, value in scope["headers"]}
    return Ask(scope["method"], scope["path"], pairs_of(scope["query_string"]), headers)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _send(scope: Scope, send: Send, answer: Answer, how: Delivery) -> None:
    headers = {"Content-Type": answer.content_type, "Content-Length": str(answer.length)} | answer.headers
    begin = {
        "status": answer.status,
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }
    await send({"type": "http.response.start", **begin})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body"})
        return
    if how.rate or how.after is not None:
        await _send_slowly(scope, send, answer, how)
    elif answer.disk is None:
        await send({"type": "http.response.body", "body": answer.body})
    else:
        await _send_file(send, answer.disk, *answer.stretch)


async def _send_file(send: Send, disk: Path, start: int, length: int) -> None:
    with disk.open("rb") as file:
        file.seek(start)
        while length:
            piece = file.read(min(_CHUNK, length))
            length -= len(piece)
            if not piece:  # it has become shorter: its end is not kept a secret
                return
            await send({"type": "http.response.body", "body": piece, "more_body": length > 0})


async def _send_slowly(scope: Scope, send: Send, answer: Answer, how: Delivery) -> None:
    transport = scope["state"]["transport"]
    last = answer.length if how.after is None else min(how.after, answer.length)
    sent, piece_size = 0, max(1, min(_CHUNK, how.rate // 10)) if how.rate else _CHUNK
    while sent < last:
        piece = _piece(answer, sent, min(piece_size, last - sent))
        sent += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if transport.is_closing():
            return
        if how.rate:
            await asyncio.sleep(len(piece) / how.rate)
    if how.after is None:
        await send({"type": "http.response.body"})
        return
    if not last:
        await send({"type": "http.response.body", "more_body": True})
    while transport.get_write_buffer_size():
        await asyncio.sleep(0.005)
    if how.reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    else:
        transport.close()


def _piece(answer: Answer, start: int, length: int) -> bytes:
    if answer.disk is None:
        return answer.body[start : start + length]
    with answer.disk.open("rb") as file:
        file.seek(answer.stretch[0] + start)
        return file.read(length)
