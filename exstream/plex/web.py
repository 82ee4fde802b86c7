"""Asking plex.tv, with its refusals told apart."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Self
from urllib.parse import urlsplit

from exstream.clock import Clock
from exstream.errors import (
    Busy,
    Misunderstood,
    NotAllowed,
    NotThere,
    OutboundError,
    SignInNeeded,
    Unreachable,
)
from exstream.outbound import Answer, Pool, retry_after

_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_TOKEN_OVER = 498
"""plex.tv's own status for a signed token that has run out."""


class PlexTvWeb:
    """Connections to the servers of plex.tv; implements `exstream.plex.signin.Web`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pools: dict[str, Pool] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()

    async def __call__(self, method: str, url: str, headers: Mapping[str, str]) -> bytes:
        """Return the body of a good answer; raises `OutboundError`: see its tree for what to do next."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(origin, proxied=True)
        ask = pool.post if method == "POST" else pool.get
        answer = await ask(f"{parts.path}?{parts.query}".rstrip("?"), headers=headers)
        if answer.status not in range(200, 300):
            raise self._refusal(origin, answer)
        return answer.body

    def _refusal(self, origin: str, answer: Answer) -> OutboundError:
        status = answer.status
        if status in {HTTPStatus.UNAUTHORIZED, _TOKEN_OVER}:
            return SignInNeeded(
                f"{origin} does not accept the token it was given: sign in with `exstream plex login`"
            )
        if status == HTTPStatus.FORBIDDEN:
            return NotAllowed(f"{origin} does not allow this account to do that")
        if status in _GONE:
            return NotThere(f"{origin} knows nothing of that, or not any more")
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            wait = retry_after(answer.headers.get("retry-after", ""), self._clock.now_ms())
            return Busy(f"{origin} has too much to do: try again in a few minutes", wait)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unreachable(
                f"{origin} has trouble of its own (status {status}): try again in a few minutes"
            )
        return Misunderstood(f"{origin} answers with status {status}, which is not expected there")
