"""The HDHomeRun tuner over HTTP: what Plex, Jellyfin, Emby and Kodi ask of one."""

from __future__ import annotations

import html
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from exstream.guide import lineup
from exstream.web.addresses import Addresses, Host
from exstream.web.deps import Parts, Session
from exstream.web.streams import UNKNOWN_CHANNEL, TransportStream, answer

_HEADERS = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}


class HDHomeRun:
    """The routes of the tuner's port."""

    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        self._parts = parts
        self._addresses = addresses

    def routes(self) -> list[BaseRoute]:
        """Return the routes; every GET answers HEAD as well."""
        return [
            Route("/discover.json", self.discover, methods=["GET"]),
            Route("/lineup.json", self.lineup_json, methods=["GET"]),
            Route("/lineup.xml", self.lineup_xml, methods=["GET"]),
            Route("/lineup.m3u", self.lineup_m3u, methods=["GET"]),
            Route("/lineup_status.json", self.lineup_status, methods=["GET"]),
            Route("/lineup.post", self.lineup_post, methods=_EVERY_METHOD),
            Route("/device.xml", self.device_xml, methods=["GET"]),
            Route("/capability", self.device_xml, methods=["GET"]),
            Route("/status.json", self.status, methods=["GET"]),
            Route("/tuners.html", self.tuners, methods=["GET"]),
            Route("/lineup.html", self.tuners, methods=["GET"]),
            Route("/", self.tuners, methods=["GET"]),
            Route("/auto/{name}", self.first_free, methods=["GET"]),
            Route("/tuner{tuner:int}/{name}", self.one_tuner, methods=["GET"]),
        ]

    async def discover(self, request: Request) -> Response:
        """Say what this device is."""
        base = self._addresses.base(request.scope)
        return _json(lineup.discover(self._parts.device, base, self._parts.tuners.tuner_count))

    async def lineup_json(self, request: Request) -> Response:
        """List the channels; scanners add query parameters that mean nothing here."""
        return _json(lineup.lineup_json(self._parts.lineup.enabled(), self._addresses.base(request.scope)))

    async def lineup_xml(self, request: Request) -> Response:
        """List the channels as XML."""
        text = lineup.lineup_xml(self._parts.lineup.enabled(), self._addresses.base(request.scope))
        return Response(text, media_type="application/xml", headers=_HEADERS)

    async def lineup_m3u(self, request: Request) -> Response:
        """List the channels as M3U."""
        text = lineup.lineup_m3u(self._parts.lineup.enabled(), self._addresses.base(request.scope))
        return Response(text, media_type="audio/x-mpegurl", headers=_HEADERS)

    async def lineup_status(self, _request: Request) -> Response:
        """Say that no scan is running."""
        return _json(lineup.lineup_status())

    async def lineup_post(self, request: Request) -> Response:
        """Accept the order to scan: there is nothing to look for, the lineup is known."""
        return Response(status_code=200 if request.method == "POST" else 400, headers=_HEADERS)

    async def device_xml(self, request: Request) -> Response:
        """Describe the device to UPnP."""
        text = lineup.device_xml(self._parts.device, self._addresses.base(request.scope))
        return Response(text, media_type="application/xml", headers=_HEADERS)

    async def status(self, _request: Request) -> Response:
        """Say what each tuner does."""
        return _json([self._tuner_status(tuner) for tuner in range(self._parts.tuners.tuner_count)])

    async def tuners(self, request: Request) -> Response:
        """Show people and scrapers what each tuner does."""
        rows = "".join(
            f"<tr><th>Tuner {tuner}</th><td>{html.escape(self._tuner_words(tuner))}</td></tr>"
            for tuner in range(self._parts.tuners.tuner_count)
        )
        name = html.escape(self._parts.device.friendly_name)
        asked = self._addresses.host(request.scope)
        guide = Host(asked.name if asked else "localhost", self._parts.options.iptv_port)
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title></head>'
            f"<body><h1>{name}</h1><table>{rows}</table>"
            f'<p><a href="http://{guide}/">The guide</a></p></body></html>\n'
        )
        return Response(page, media_type="text/html", headers=_HEADERS)

    async def first_free(self, request: Request) -> Response | TransportStream:
        """Tune with any free tuner: ``v7.1``, or the bare number."""
        name: str = request.path_params["name"]
        return answer(self._parts, request, name.removeprefix("v"), counted=True)

    async def one_tuner(self, request: Request) -> Response | TransportStream:
        """Tune with the tuner that was named."""
        name: str = request.path_params["name"]
        if not name.startswith("v"):
            return UNKNOWN_CHANNEL.response()
        return answer(
            self._parts, request, name.removeprefix("v"), tuner=request.path_params["tuner"], counted=True
        )

    def _tuner_status(self, tuner: int) -> dict[str, Any]:
        session = self._parts.tuners.tuners_in_use().get(tuner)
        if session is None:
            return {"Resource": f"tuner{tuner}"}
        number, name = self._what(session)
        return {
            "Resource": f"tuner{tuner}",
            "VctNumber": number,
            "VctName": name,
            "Frequency": 0,
            "SignalStrengthPercent": 100,
            "SignalQualityPercent": 100,
            "SymbolQualityPercent": 100,
            "TargetIP": session.peer,
        }

    def _tuner_words(self, tuner: int) -> str:
        session = self._parts.tuners.tuners_in_use().get(tuner)
        if session is None:
            return "not in use"
        number, name = self._what(session)
        return f"{number} {name}, watched at {session.peer}"

    def _what(self, session: Session) -> tuple[str, str]:
        channel = self._parts.lineup.by_id(session.channel)
        return (channel.number, channel.name) if channel is not None else ("", session.channel)


_EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _json(content: object) -> Response:
    return Response(
        orjson.dumps(content), headers={**_HEADERS, "Content-Type": 'application/json; charset="utf-8"'}
    )
