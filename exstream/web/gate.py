"""What every request passes before it reaches a route: who asks, under which name, and from which page."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exstream.web.addresses import Addresses, Host
from exstream.web.deps import is_near

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


class NeighboursOnly:
    """Lets loopback and private networks in, judged by the socket's address, whatever the headers say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client is not None and is_near(client[0]):
            await self._app(scope, receive, send)
            return
        await PlainTextResponse(
            "Exstream answers loopback and private networks only: come from one, or through a reverse proxy in one.\n",
            status_code=403,
        )(scope, receive, send)


class UnderPrefix:
    """Serves the same routes with and without the path prefix: some reverse proxies strip it, some do not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if self._prefix and path == self._prefix:
            await RedirectResponse(self._prefix + "/")(scope, receive, send)
            return
        if self._prefix and path.startswith(self._prefix + "/"):
            scope = {**scope, "path": path[len(self._prefix) :], "root_path": ""}
        await self._app(scope, receive, send)


class HeadLikeGet:
    """Answers HEAD under ``prefix`` as GET; the server leaves the body out."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD" and scope["path"].startswith(self._prefix):
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class OwnPagesOnly:
    """Guards pages and API against other websites: DNS rebinding, and requests sent from a foreign page.

    Players may ask for streams, lists and guides under any name; what changes something or shows more may not.
    """

    def __init__(
        self, app: ASGIApp, addresses: Addresses, known_host: str, open_paths: Sequence[str]
    ) -> None:
        self._app = app
        self._addresses = addresses
        self._known = known_host.lower()
        self._open = tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["path"].startswith(self._open) else self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        host = self._addresses.host(scope)
        if host is None or not (host.is_homely or host.name == self._known):
            return PlainTextResponse(
                "This host name is not known here. Use the server's IP address, or set EXSTREAM_BASE_URL to the"
                " address that you use.\n",
                status_code=421,
            )
        if scope["method"] not in _SAFE and not _from_own_page(Headers(scope=scope), host):
            return PlainTextResponse("This request comes from a foreign web page.\n", status_code=403)
        return None


def _from_own_page(headers: Headers, host: Host) -> bool:
    """Tell whether a browser sent the request from a page of ours; programs send neither header."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or Host.parse(urlsplit(origin).netloc) == host


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
