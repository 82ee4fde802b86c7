"""A websocket to another server, read message by message."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from exstream.errors import NotAllowed, NotThere, OutboundError, SignInNeeded, Unreachable
from exstream.outbound.certificates import certificates
from exstream.outbound.faults import words

OPEN_SECONDS = 10.0
HEARTBEAT_SECONDS = 20.0
LARGEST_MESSAGE = 4 * 1024 * 1024


class _Straight(connect):
    """A connection that follows nowhere: its headers are for one server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _silent() -> logging.Logger:
    """Return a log that nobody reads: the library writes every header into it when somebody debugs."""
    log = logging.Logger(__name__, logging.CRITICAL)  # noqa: LOG001 -- it must not inherit a level
    log.addHandler(logging.NullHandler())
    return log


@asynccontextmanager
async def line(
    address: str, path: str, *, headers: Mapping[str, str], verify: bool = True
) -> AsyncIterator[AsyncIterator[str]]:
    """Give the messages of the websocket ``path`` at the server ``address`` (http:// or https://).

    Raises `Unreachable` where nobody answers or the line breaks, `SignInNeeded`, `NotAllowed` and `NotThere` where the
    server refuses.
    """
    address = address.rstrip("/")
    secure = address.startswith("https://")
    try:
        connection = await _Straight(
            f"ws{address.removeprefix('http')}{path}",
            additional_headers=dict(headers),
            ssl=certificates(verify=verify) if secure else None,
            proxy=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=HEARTBEAT_SECONDS,
            ping_timeout=HEARTBEAT_SECONDS,
            max_size=LARGEST_MESSAGE,
            logger=_silent(),
        )
    except InvalidStatus as fault:
        raise _refusal(address, fault.response.status_code) from None
    except InvalidURI:
        raise OutboundError(
            f"{address} is no address of a server: it begins with http:// or https://"
        ) from None
    except InvalidHandshake as fault:
        raise Unreachable(f"{address} opens no line: {type(fault).__name__}") from None
    except TimeoutError as fault:
        raise Unreachable(f"{address} opens no line within {OPEN_SECONDS:g} s") from fault
    except (OSError, WebSocketException) as fault:
        raise Unreachable(f"{address} cannot be reached: {words(fault, address)}") from fault
    async with connection:
        yield _messages(address, connection)


async def _messages(address: str, connection: ClientConnection) -> AsyncIterator[str]:
    try:
        while True:
            message = await connection.recv()
            if isinstance(message, str):
                yield message
    except ConnectionClosed as fault:
        raise Unreachable(f"{address} closed the line") from fault


def _refusal(address: str, status: int) -> OutboundError:
    if status == HTTPStatus.UNAUTHORIZED:
        return SignInNeeded(f"{address} does not accept the token")
    if status == HTTPStatus.FORBIDDEN:
        return NotAllowed(f"{address} does not let this user listen to what happens")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotThere(f"{address} has no line to listen to")
    return Unreachable(f"{address} opens no line: it answers {status}")
