"""The pages: the guide, a channel, a programme and the status line, written by the server."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from exstream import __version__
from exstream.jobs.board import JobState
from exstream.model.channel import ChannelDefinition
from exstream.model.programme import Way
from exstream.web.addresses import Addresses, Host
from exstream.web.airings import Airing, airings, airings_of
from exstream.web.deps import Parts
from exstream.web.grid import ZOOMS, Mark, Window, Zoom
from exstream.web.iptv import takes_gzip

SHORT_MS = 180_000
LISTED = 60
LISTED_MS = 6 * 3_600_000
_WAYS: Mapping[Way | None, str] = {
    Way.COPY: "Sent as it is, nothing is encoded",
    Way.AUDIO: "Pictures sent as they are, sound encoded",
    Way.TRANSCODE: "Encoded for this channel",
}
REACH_MS = 400 * 86_400_000

_HERE = Path(__file__).parent


class Pages:
    """The routes that people open in a browser."""

    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        self._parts = parts
        self._addresses = addresses
        self._zone = ZoneInfo(parts.options.timezone) if parts.options.timezone else None
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters["clock"] = self._clock
        self._templates.filters["time"] = self._time
        self._templates.filters["day"] = self._day
        self._templates.filters["iso"] = _iso
        self._templates.filters["length_of_time"] = _length
        self._stamp = _stamp(_HERE / "static")

    def routes(self) -> list[BaseRoute]:
        """Return the routes; every GET answers HEAD as well."""
        return [
            Route("/", self.guide, methods=["GET"]),
            Route("/channel/{channel}", self.channel, methods=["GET"]),
            Route("/programme/{channel}/{starts:int}", self.programme, methods=["GET"]),
            Route("/status", self.status, methods=["GET"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ]

    async def guide(self, request: Request) -> Response:
        """Show the guide grid."""
        now = self._parts.clock.now_ms()
        channels = self._parts.lineup.enabled()
        window = _window(request, now, self._usual_zoom(channels, now))
        found = await airings_of(self._parts, channels, window.start, window.end)
        rows = [(channel, window.row(each, now)) for channel, each in zip(channels, found, strict=True)]
        ends = [cell.ends for _, cells in rows for cell in cells if cell.mark is Mark.NOW]
        return self._page(
            request,
            "guide.html",
            rows=rows,
            window=window,
            zooms=ZOOMS,
            closer=ZOOMS[max(0, ZOOMS.index(window.zoom) - 1)],
            now=now,
            changes=min(ends, default=window.end),
        )

    async def channel(self, request: Request) -> Response:
        """Show a channel: its addresses and its next hours."""
        channel = self._parts.find(request.path_params["channel"])
        if channel is None:
            return self._missing(request, "There is no such channel, or it is switched off.")
        now = self._parts.clock.now_ms()
        coming = await airings(self._parts, channel.id, now, now + LISTED_MS)
        profile = self._parts.formats.of(channel)
        return self._page(
            request,
            "channel.html",
            channel=channel,
            profile=profile,
            coming=coming[:LISTED],
            ways=_WAYS,
            now=now,
        )

    async def programme(self, request: Request) -> Response:
        """Show what is known of a programme."""
        channel, starts = self._parts.find(request.path_params["channel"]), request.path_params["starts"]
        if channel is None or not 0 <= starts < self._parts.clock.now_ms() + REACH_MS:
            return self._missing(request, "There is no such programme.")
        found = [a for a in await airings(self._parts, channel.id, starts, starts + 1) if a.starts == starts]
        if not found:
            return self._missing(request, "This programme is no longer in the guide.")
        now, way = self._parts.clock.now_ms(), _WAYS.get(found[0].way, "")
        return self._page(request, "programme.html", channel=channel, airing=found[0], way=way, now=now)

    async def status(self, request: Request) -> Response:
        """Show the status line alone, for the guide to renew it."""
        return self._page(request, "status.html")

    def _usual_zoom(self, channels: Sequence[ChannelDefinition], now: int) -> Zoom:
        """Choose the closest view where most programmes would be too short to be read in the widest one."""
        on_now = [self._parts.timeline.cue(channel.id, now).segment for channel in channels]
        short = sum(segment.ends - segment.starts < SHORT_MS for segment in on_now)
        return ZOOMS[0] if short * 2 > len(on_now) else ZOOMS[-1]

    def _missing(self, request: Request, sentence: str) -> Response:
        return self._page(request, "missing.html", status=404, sentence=sentence)

    def _page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        context = {**self._everywhere(request), **values}
        body = self._templates.get_template(template).render(context).encode()
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if takes_gzip(request):
            body = gzip.compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        return Response(body, status, headers, media_type="text/html")

    def _everywhere(self, request: Request) -> Mapping[str, Any]:
        base = self._addresses.base(request.scope)
        outside = urlsplit(base)
        tuner = Host(outside.hostname or "localhost", self._parts.options.hdhr_port)
        jobs = self._parts.board.jobs()
        return {
            "base": base,
            "now": self._parts.clock.now_ms(),
            "root": outside.path,
            "tuner_address": f"http://{tuner}",
            "stamp": self._stamp,
            "version": __version__,
            "sessions": self._parts.tuners.sessions(),
            "tuners_taken": len(self._parts.tuners.tuners_in_use()),
            "tuner_count": self._parts.tuners.tuner_count,
            "jobs": [job for job in jobs if job.state is JobState.RUNNING],
            "faults": self._parts.lineup.faults,
            "concerns": list(self._parts.sources.concerns()),
            "missing": list(self._parts.ready()),
            "bad_files": list(self._parts.bad_files()),
            "channel_names": {channel.id: _called(channel) for channel in self._parts.lineup.enabled()},
        }

    def _local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._zone)

    def _clock(self, ms: int) -> str:
        return self._local(ms).strftime("%H:%M")

    def _time(self, ms: int, airing: Airing) -> Markup:
        """Return an instant of ``airing``, to the second where that is short, for scripts to write in local time."""
        short = airing.ends - airing.starts < SHORT_MS
        written = self._local(ms).strftime("%H:%M:%S" if short else "%H:%M")
        return Markup('<time datetime="{}"{}>{}</time>').format(
            _iso(ms), Markup(" data-exact") if short else "", written
        )

    def _day(self, ms: int) -> str:
        return self._local(ms).strftime("%a, %d %b")


def _called(channel: ChannelDefinition) -> str:
    return f"{channel.number} {channel.name}"


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _length(ms: int) -> str:
    """Return a duration as people say it: "45 s", "22 min", "1 h 5 min"."""
    seconds = round(ms / 1000)
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part
    )


def _window(request: Request, now: int, usual: Zoom) -> Window:
    """Read ``span`` (minutes) and ``at`` (Unix seconds); what cannot be read is the usual."""
    zoom = next((z for z in ZOOMS if str(z.minutes) == request.query_params.get("span")), usual)
    at = request.query_params.get("at", "")
    chosen = int(at) * 1000 if at.isascii() and at.isdigit() and len(at) < 12 else now
    if abs(chosen - now) > REACH_MS:
        chosen = now
    return Window(_floor(chosen, zoom), zoom)


def _floor(ms: int, zoom: Zoom) -> int:
    return ms // zoom.label_ms * zoom.label_ms


def _stamp(folder: Path) -> str:
    """Return a name for the present contents of ``folder``, so that browsers fetch them anew when they change."""
    digest = blake2b(digest_size=6)
    for file in sorted(folder.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()
