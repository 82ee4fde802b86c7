"""Is it alive, is it ready, how is it doing."""

from __future__ import annotations

from secrets import compare_digest

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from exstream.web.deps import Parts, plain_address


class Health:
    """``/livez``, ``/readyz`` and ``/metrics``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[BaseRoute]:
        """Return the routes; every GET answers HEAD as well."""
        return [
            Route("/livez", self.live, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def live(self, _request: Request) -> Response:
        """Answer as long as the event loop turns."""
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def ready(self, _request: Request) -> Response:
        """List what is missing before every channel can be watched."""
        missing = list(self._parts.ready())
        return JSONResponse(
            {"ready": not missing, "missing": missing},
            status_code=503 if missing else 200,
            headers={"Cache-Control": "no-store"},
        )

    async def metrics(self, request: Request) -> Response:
        """Give the figures to loopback, and to whoever brings the token."""
        if not self._may_read(request):
            return PlainTextResponse(
                "Figures are for loopback, or with 'Authorization: Bearer' and the token of"
                " EXSTREAM_METRICS_TOKEN.\n",
                status_code=403,
            )
        metrics = self._parts.metrics
        return Response(metrics.exposition(), headers={"Content-Type": metrics.content_type})

    def _may_read(self, request: Request) -> bool:
        token = self._parts.options.metrics_token
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer" and compare_digest(given.strip().encode(), token.encode()):
            return True
        address = plain_address(request.client.host) if request.client else None
        return address is not None and address.is_loopback
