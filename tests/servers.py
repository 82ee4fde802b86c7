"""A web server for tests that gives streams, and everything that is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

Page = Callable[[BaseHTTPRequestHandler], None]


class _Server(ThreadingHTTPServer):
    pages: dict[str, Page]


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        pages = cast("_Server", self.server).pages
        with suppress(ConnectionError):
            pages.get(self.path, said(404, "There is no such channel."))(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name is the standard library's
        """Say nothing."""


def said(
    status: int,
    text: str,
    kind: str = "text/plain; charset=utf-8",
    *,
    headers: Mapping[str, str] | None = None,
) -> Page:
    """Answer with a text."""

    def page(request: BaseHTTPRequestHandler) -> None:
        body = f"{text}\n".encode()
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return page


def streamed(data: bytes, *, hold: threading.Event | None = None) -> Page:
    """Answer with a stream of no foreseeable end; ``hold`` keeps it open, silent, until it is set."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "video/mp2t")
        request.end_headers()
        request.wfile.write(data)
        if hold is not None:
            hold.wait(60)

    return page


def promised(data: bytes, length: int) -> Page:
    """Answer with less than the length that is announced."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "video/mp2t")
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(data)

    return page


def led_to(address: str) -> Page:
    """Answer with a redirection."""

    def page(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", address)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return page


@contextmanager
def web_server(pages: dict[str, Page]) -> Iterator[str]:
    """Serve ``pages`` by their paths; give the server's address."""
    with _Server(("127.0.0.1", 0), _Answering) as server:
        server.pages = pages
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
