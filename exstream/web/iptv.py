"""IPTV: the list of channels, their guide with its pictures, their logos and their streams."""

from __future__ import annotations

from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from exstream.errors import NotThere, OutboundError
from exstream.ffmpeg.font import font_file
from exstream.guide import lineup
from exstream.web import mp4
from exstream.web.addresses import Addresses
from exstream.web.deps import Parts
from exstream.web.hls import Hls
from exstream.web.logos import Logos
from exstream.web.streams import UNKNOWN_CHANNEL, TransportStream, answer
from exstream.web.xmltv import MAX_DAYS, Document, GuideDocuments

_LOGO_SECONDS = 3_600
_ARTWORK_SECONDS = 86_400


class Iptv:
    """The routes under ``/iptv``."""

    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        self._parts = parts
        self._addresses = addresses
        self._guides = GuideDocuments(parts)
        self._hls = Hls(parts)
        self._logos = Logos(parts.options.channels_dir, font_file)

    def routes(self) -> list[BaseRoute]:
        """Return the routes; every GET answers HEAD as well."""
        return [
            Route("/iptv/channels.m3u", self.channels, methods=["GET"]),
            Route("/iptv/xmltv.xml", self.guide, methods=["GET"]),
            Route("/iptv/logos/{channel}.png", self.logo, methods=["GET"]),
            Route("/iptv/artwork/{item}", self.artwork, methods=["GET"]),
            *self._hls.routes(),
            Route("/iptv/channel/{channel}.ts", self.stream, methods=["GET"]),
            Route("/iptv/channel/{channel}.mp4", self.movie, methods=["GET"]),
            Route("/iptv/channel/{channel}.{form:str}", self.other_form, methods=["GET"]),
        ]

    async def channels(self, request: Request) -> Response:
        """List the channels, or with ``channel=`` one of them, as an extended M3U."""
        mode = request.query_params.get("mode", "ts")
        if mode not in lineup.MODES:
            return PlainTextResponse(
                f"mode={mode[:20]} is not known: it is ts (MPEG-TS) or hls (HLS).\n", status_code=400
            )
        chosen = self._parts.lineup.enabled()
        if (name := request.query_params.get("channel")) is not None:
            found = self._parts.find(name)
            if found is None:
                return PlainTextResponse("There is no such channel.\n", status_code=404)
            chosen = (found,)
        text = lineup.m3u(chosen, self._addresses.base(request.scope), mode)
        return Response(text, media_type="audio/x-mpegurl", headers={"Cache-Control": "no-cache"})

    async def guide(self, request: Request) -> Response:
        """Give the guide as XMLTV."""
        text = request.query_params.get("days")
        if text is not None and not (text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= MAX_DAYS):
            return PlainTextResponse(f"days is a number from 1 to {MAX_DAYS}.\n", status_code=400)
        days = int(text[:3]) if text else None
        document = await self._guides.document(self._addresses.base(request.scope), days)
        headers = {"ETag": f'W/"{document.etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if known(request, document.etag):
            return Response(status_code=304, headers=headers)
        return _xml(request, document, headers)

    async def logo(self, request: Request) -> Response:
        """Give a channel's logo as PNG."""
        channel = self._parts.find(request.path_params["channel"])
        if channel is None:
            return PlainTextResponse("There is no such channel.\n", status_code=404)
        picture = await self._logos.png(channel)
        etag = blake2b(picture, digest_size=12).hexdigest()
        headers = {"ETag": f'"{etag}"', "Cache-Control": f"public, max-age={_LOGO_SECONDS}"}
        if known(request, etag):
            return Response(status_code=304, headers=headers)
        return Response(picture, media_type="image/png", headers=headers)

    async def artwork(self, request: Request) -> Response:
        """Give the picture of an item, fetched from its server."""
        try:
            picture = await self._parts.pictures.of(request.path_params["item"])
        except NotThere:
            return PlainTextResponse("There is no picture of this item.\n", status_code=404)
        except OutboundError as fault:
            return PlainTextResponse(f"The server does not give the picture: {fault}.\n", status_code=502)
        headers = {
            "Cache-Control": f"private, max-age={_ARTWORK_SECONDS}",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(picture.data, media_type=picture.kind, headers=headers)

    async def stream(self, request: Request) -> Response | TransportStream:
        """Tune to a channel by its id or its number."""
        name = request.path_params["channel"]
        return self._stranger(name) or answer(self._parts, request, name)

    async def movie(self, request: Request) -> Response | mp4.MovieStream:
        """Tune to a channel for a browser."""
        return self._stranger(request.path_params["channel"]) or mp4.answer(self._parts, request)

    def _stranger(self, name: str) -> Response | None:
        """Return what is said where no channel on air is called ``name``."""
        if self._parts.find(name) is not None:
            return None
        return UNKNOWN_CHANNEL.response("There is no such channel.\n")

    async def other_form(self, _request: Request) -> Response:
        """Say which forms a channel has."""
        return PlainTextResponse(
            "Channels are sent as MPEG-TS, HLS and MP4: ask for /iptv/channel/<id>.ts, .m3u8 or .mp4.\n",
            status_code=404,
        )


def known(request: Request, etag: str) -> bool:
    """Tell whether the client says that it has this version."""
    claimed = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return f'"{etag}"' in claimed or claimed == ["*"]


def _xml(request: Request, document: Document, headers: dict[str, str]) -> Response:
    if takes_gzip(request):
        return Response(
            document.compressed, media_type="application/xml", headers={**headers, "Content-Encoding": "gzip"}
        )
    return StreamingResponse(
        document.pieces(),
        media_type="application/xml",
        headers={**headers, "Content-Length": str(document.length)},
    )


def takes_gzip(request: Request) -> bool:
    """Tell whether the client accepts gzip and does not refuse it with a weight of nothing."""
    for entry in request.headers.get("accept-encoding", "").split(","):
        coding, _, weight = entry.replace(" ", "").partition(";q=")
        if coding.lower() in {"gzip", "*"}:
            return weight.rstrip("0.") != "" if weight else True
    return False
