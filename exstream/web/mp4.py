"""A channel as one endless fragmented MP4, for browsers that cannot play HLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from exstream.errors import PlayoutError, TuneFailed, UnknownChannel
from exstream.model.channel import ChannelDefinition
from exstream.model.grid import CLOCK_HZ
from exstream.playout.remux import movie
from exstream.playout.tuners import Session
from exstream.web.deps import Parts
from exstream.web.receiving import hang_up
from exstream.web.streams import AGENT_CHARACTERS, NO_VIDEO_DATA, UNKNOWN_CHANNEL, peer_of

MOVIE = "video/mp4"
VIEWER = "viewer"
"""The query parameter in which a viewer gives itself a name, so that it can ask for its session."""
VIEWER_CHARACTERS = 40
FIRST_BYTES_SECONDS = 8.0
STALLED_SECONDS = 30.0
"""A viewer that takes nothing for so long is let go."""

_HEADERS = [
    (b"content-type", MOVIE.encode()),
    (b"cache-control", b"no-store"),
    (b"accept-ranges", b"none"),
    (b"connection", b"close"),
    (b"access-control-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
]
_log = structlog.get_logger(__name__)


def answer(parts: Parts, request: Request) -> Response | MovieStream:
    """Return the answer to a request for ``/iptv/channel/{channel}.mp4``; HEAD tunes to nothing."""
    channel = parts.find(request.path_params["channel"])
    if channel is None:
        return UNKNOWN_CHANNEL.response()
    if request.method == "HEAD":
        promise = Response(media_type=MOVIE, headers={"Cache-Control": "no-store", "Accept-Ranges": "none"})
        del promise.headers["content-length"]
        return promise
    return MovieStream(parts, channel)


class MovieStream:
    """An ASGI answer: tunes, then sends the movie until one of the two sides has enough."""

    def __init__(self, parts: Parts, channel: ChannelDefinition) -> None:
        self._parts = parts
        self._channel = channel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        playing = asyncio.create_task(self._play(scope, receive, send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (playing, leaving):
                task.cancel()
            await asyncio.wait((playing, leaving))
        if not playing.cancelled():
            playing.result()

    async def _play(self, scope: Scope, receive: Receive, send: Send) -> None:
        tuners, request = self._parts.tuners, Request(scope)
        agent = request.headers.get("user-agent", "")[:AGENT_CHARACTERS]
        viewer = request.query_params.get(VIEWER, "")[:VIEWER_CHARACTERS]
        try:
            async with (
                tuners.attend(
                    self._channel.id, peer=peer_of(scope), agent=agent, kind="mp4", viewer=viewer
                ) as (
                    session,
                    player,
                ),
                aclosing(movie(session, player, self._air_ticks)) as parts,
            ):
                first = await self._first(parts)
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                await self._send(session, first, parts, scope, send)
        except PlayoutError as error:
            refusal = UNKNOWN_CHANNEL if isinstance(error, UnknownChannel) else NO_VIDEO_DATA
            _log.info("not tuned", channel=self._channel.id, answer=refusal.reason, reason=str(error))
            await refusal.response()(scope, receive, send)

    def _air_ticks(self) -> int:
        return round(self._parts.clock.air() * CLOCK_HZ)

    async def _first(self, parts: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(FIRST_BYTES_SECONDS):
                return await anext(parts)
        except (TimeoutError, StopAsyncIteration):
            raise TuneFailed(f"{self._channel.name} gave no picture in time") from None

    async def _send(
        self, session: Session, first: bytes, parts: AsyncIterator[bytes], scope: Scope, send: Send
    ) -> None:
        part = first
        try:
            while part:
                await _write(part, send)
                self._parts.tuners.sent(session, len(part))
                part = await anext(parts, b"")
            await _write(b"", send, more=False)
        except TimeoutError:
            _log.info("viewer stalled, let go", channel=self._channel.id, peer=peer_of(scope))
            hang_up(scope)


async def _write(part: bytes, send: Send, *, more: bool = True) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await send({"type": "http.response.body", "body": part, "more_body": more})


async def _left(receive: Receive) -> None:
    """Return as soon as the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
