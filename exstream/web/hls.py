"""HLS: a channel as playlists and segments, for browsers, phones and televisions."""

from __future__ import annotations

import re
from secrets import token_urlsafe
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from exstream.errors import PlayoutError, UnknownChannel
from exstream.model.channel import ChannelDefinition
from exstream.playout.broadcast import Broadcast
from exstream.playout.polling import Polling, Reader
from exstream.web.deps import Parts
from exstream.web.streams import AGENT_CHARACTERS, TRANSPORT_STREAM, peer_of

PLAYLIST = "application/vnd.apple.mpegurl"
TOKEN = "viewer"  # noqa: S105 -- the name of a query parameter; what it carries opens nothing
SEGMENT_SECONDS = 60
"""How long caches may keep a segment: longer than it is listed."""

_TOKENS = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NUMBERS = re.compile(r"0|[1-9][0-9]{0,11}")
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_log = structlog.get_logger(__name__)


class Hls:
    """The routes of a channel's playlists and segments."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._polling = Polling(parts.tuners, parts.clock)

    def routes(self) -> list[BaseRoute]:
        """Return the routes; every GET answers HEAD as well."""
        return [
            Route("/iptv/channel/{channel}.m3u8", self.master, methods=["GET"]),
            Route("/iptv/channel/{channel}/live.m3u8", self.media, methods=["GET"]),
            Route("/iptv/channel/{channel}/{number}.ts", self.segment, methods=["GET"]),
        ]

    async def master(self, request: Request) -> Response:
        """Tune, and name the media playlist with a token by which the viewer is known from now on."""
        channel = self._parts.find(request.path_params["channel"])
        if channel is None:
            return _unknown()
        if request.method == "HEAD":
            return _promise()
        token = token_urlsafe(9)
        url = f"{quote(channel.id)}/live.m3u8?{TOKEN}={token}"
        broadcast = await self._tuned(channel, _reader(request, token))
        if isinstance(broadcast, Response):
            return broadcast
        try:
            return _playlist(await broadcast.master(url))
        except PlayoutError as error:
            return _refused(channel, error)

    async def media(self, request: Request) -> Response:
        """Give the media playlist, which is never empty; whoever reads it watches."""
        channel = self._parts.find(request.path_params["channel"])
        if channel is None:
            return _unknown()
        if request.method == "HEAD":
            return _promise()
        token = request.query_params.get(TOKEN, "")
        reader = _reader(request, token if _TOKENS.fullmatch(token) else "")
        broadcast = await self._tuned(channel, reader)
        if isinstance(broadcast, Response):
            return broadcast
        try:
            return _playlist(await broadcast.playlist())
        except PlayoutError as error:
            return _refused(channel, error)

    async def segment(self, request: Request) -> Response:
        """Give a segment that is listed or was so a moment ago; the next one is waited for."""
        channel, number = self._parts.find(request.path_params["channel"]), request.path_params["number"]
        if channel is None:
            return _unknown()
        broadcast = self._polling.on_air(channel.id)
        if broadcast is None or not _NUMBERS.fullmatch(number):
            return _no_segment()
        data = await broadcast.segment(int(number))
        if data is None:
            return _no_segment()
        answer = _part(data, request.headers.get("range", ""))
        if request.method == "GET":
            self._polling.sent(channel.id, _reader(request, ""), len(answer.body))
        return answer

    async def _tuned(self, channel: ChannelDefinition, reader: Reader) -> Broadcast | Response:
        try:
            return await self._polling.read(channel.id, reader)
        except PlayoutError as error:
            return _refused(channel, error)


def _reader(request: Request, token: str) -> Reader:
    return Reader(token, peer_of(request.scope), request.headers.get("user-agent", "")[:AGENT_CHARACTERS])


def _playlist(text: str) -> Response:
    return Response(text, media_type=PLAYLIST, headers={**_OPEN, "Cache-Control": "no-cache"})


def _promise() -> Response:
    """Answer HEAD without tuning: a playlist's length is not known before."""
    response = Response(media_type=PLAYLIST, headers={**_OPEN, "Cache-Control": "no-cache"})
    del response.headers["content-length"]
    return response


def _part(data: bytes, wanted: str) -> Response:
    """Return the whole of ``data``, or the one range that ``wanted`` asks for (RFC 9110, 14)."""
    headers = {**_OPEN, "Cache-Control": f"public, max-age={SEGMENT_SECONDS}", "Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return Response(data, media_type=TRANSPORT_STREAM, headers=headers)
    first = int(match[1]) if match[1] else max(0, len(data) - int(match[2]))
    last = min(int(match[2]), len(data) - 1) if match[1] and match[2] else len(data) - 1
    if first > last:
        headers["Content-Range"] = f"bytes */{len(data)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Response(data[first : last + 1], 206, headers, TRANSPORT_STREAM)


def _unknown() -> Response:
    return PlainTextResponse("There is no such channel.\n", status_code=404, headers=_OPEN)


def _no_segment() -> Response:
    return PlainTextResponse(
        "This segment is gone, or is still to come.\n",
        status_code=404,
        headers={**_OPEN, "Cache-Control": "no-store"},
    )


def _refused(channel: ChannelDefinition, error: PlayoutError) -> Response:
    if isinstance(error, UnknownChannel):
        return _unknown()
    _log.info("not tuned", channel=channel.id, reason=str(error))
    return PlainTextResponse(
        f"{error}.\n", status_code=503, headers={**_OPEN, "Cache-Control": "no-store", "Retry-After": "2"}
    )
