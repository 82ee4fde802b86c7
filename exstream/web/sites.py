"""The two applications, put together from their routes and their gates."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp

from exstream import __version__
from exstream.web import api
from exstream.web.addresses import Addresses
from exstream.web.deps import Parts
from exstream.web.gate import HeadLikeGet, NeighboursOnly, OwnPagesOnly, UnderPrefix
from exstream.web.hdhomerun import HDHomeRun
from exstream.web.health import Health
from exstream.web.iptv import Iptv
from exstream.web.pages import Pages
from exstream.web.problems import tell_problems

_OPEN_PATHS = ("/iptv/", "/livez", "/readyz", "/metrics")


def iptv_site(parts: Parts) -> ASGIApp:
    """Return the application of port 8411: IPTV, health, API and pages."""
    options = parts.options
    outside = urlsplit(options.base_url)
    addresses = Addresses(fixed=options.base_url, trusted_proxies=options.trusted_proxies)
    app = FastAPI(
        title="Exstream",
        version=__version__,
        summary="Your own media as round-the-clock television channels.",
        openapi_url=f"{api.PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    tell_problems(app, "/api/")
    app.include_router(api.router(parts, addresses))
    for part in (Iptv(parts, addresses), Health(parts), Pages(parts, addresses)):
        app.router.routes.extend(part.routes())
    own = OwnPagesOnly(HeadLikeGet(app, "/api/"), addresses, outside.hostname or "", _OPEN_PATHS)
    return NeighboursOnly(UnderPrefix(own, outside.path))


def hdhomerun_site(parts: Parts) -> ASGIApp:
    """Return the application of port 5004; players reach it directly, so no proxy is believed."""
    return NeighboursOnly(Starlette(routes=HDHomeRun(parts, Addresses()).routes()))
