"""A channel's transport stream as an answer: tuned before the first byte, let go at the last one."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from exstream.errors import NoTunerFree, PlayoutError, UnknownChannel, ViewerStalled
from exstream.model.channel import ChannelDefinition
from exstream.web.deps import Parts, Tuners, Viewer, plain_address
from exstream.web.receiving import hang_up, wire_of

LEAVE_SECONDS = 30.0
"""How long a viewer may take what is left when its stream has ended."""
AGENT_CHARACTERS = 200
TRANSPORT_STREAM = "video/mp2t"

_HEADERS = [
    (b"content-type", TRANSPORT_STREAM.encode()),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
    (b"access-control-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
]
_SECONDS = re.compile(r"\s*([0-9]{1,9})")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TuneError:
    """Why there is no stream: an HTTP status and what an HDHomeRun says of it."""

    status: int
    reason: str

    def response(self, sentence: str = "") -> Response:
        """Return the refusal, with a ``sentence`` for browsers.

        Tuners say nothing in the body, because some of their clients record a body as if it were video.
        """
        headers = {"X-HDHomeRun-Error": self.reason}
        return Response(sentence, self.status, headers, "text/plain" if sentence else None)


UNKNOWN_CHANNEL = TuneError(404, "801 Unknown Channel")
TUNER_IN_USE = TuneError(503, "804 Tuner In Use")
ALL_TUNERS_IN_USE = TuneError(503, "805 All Tuners In Use")
NO_VIDEO_DATA = TuneError(503, "807 No Video Data")


def answer(
    parts: Parts, request: Request, name: str, *, tuner: int | None = None, counted: bool = False
) -> Response | TransportStream:
    """Return the answer to a request for the channel called ``name``; HEAD takes no tuner.

    ``counted`` requests hold one of the HDHomeRun tuners, ``tuner`` if it is given.
    """
    channel = parts.find(name)
    if channel is None or (tuner is not None and tuner >= parts.tuners.tuner_count):
        return UNKNOWN_CHANNEL.response()
    if request.method == "HEAD":
        return _promise()
    return TransportStream(
        parts.tuners,
        channel,
        tuner=tuner,
        counted=counted,
        seconds=_seconds(request.query_params.get("duration")),
    )


def _promise() -> Response:
    """Answer HEAD as GET would begin: endless, so without a length."""
    response = Response(media_type=TRANSPORT_STREAM, headers={"Cache-Control": "no-store"})
    del response.headers["content-length"]
    return response


class TransportStream:
    """An ASGI answer: tunes, then sends what the viewer gets until one of the two sides has enough."""

    def __init__(
        self,
        tuners: Tuners,
        channel: ChannelDefinition,
        *,
        tuner: int | None = None,
        counted: bool = False,
        seconds: int | None = None,
    ) -> None:
        self._tuners = tuners
        self._channel = channel
        self._tuner = tuner
        self._counted = counted
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        presence = asyncio.timeout(None)
        try:
            async with presence:
                watch = asyncio.create_task(_watch(receive, presence))
                try:
                    await self._tune(scope, receive, send)
                except ViewerStalled:
                    _log.info("viewer stalled, let go", channel=self._channel.id, peer=peer_of(scope))
                    hang_up(scope)
                    await watch
                finally:
                    watch.cancel()
        except TimeoutError:
            if not presence.expired():
                raise

    async def _tune(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as tuned:
            try:
                viewer = await tuned.enter_async_context(
                    self._tuners.tune(
                        self._channel.id,
                        peer=peer_of(scope),
                        agent=Request(scope).headers.get("user-agent", "")[:AGENT_CHARACTERS],
                        tuner=self._tuner,
                        counted=self._counted,
                    )
                )
            except PlayoutError as error:
                refusal = self._refusal(error)
                _log.info("not tuned", channel=self._channel.id, answer=refusal.reason, reason=str(error))
                await refusal.response()(scope, receive, send)
                return
            await self._send(viewer, scope, send)

    async def _send(self, viewer: Viewer, scope: Scope, send: Send) -> None:
        headers = list(_HEADERS)
        if viewer.tuner is not None:
            headers.append((b"x-hdhomerun-resource", b"tuner%d" % viewer.tuner))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            async with asyncio.timeout(self._seconds):
                await viewer.play(wire_of(scope))
        except TimeoutError:
            _log.debug("the duration asked for is over", channel=self._channel.id)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            raise ViewerStalled(f"{peer_of(scope)} does not take the end of its stream") from None

    def _refusal(self, error: PlayoutError) -> TuneError:
        if isinstance(error, UnknownChannel):
            return UNKNOWN_CHANNEL
        if isinstance(error, NoTunerFree):
            return ALL_TUNERS_IN_USE if self._tuner is None else TUNER_IN_USE
        return NO_VIDEO_DATA


async def _watch(receive: Receive, presence: asyncio.Timeout) -> None:
    """End ``presence`` as soon as the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    presence.reschedule(asyncio.get_running_loop().time())


def peer_of(scope: Scope) -> str:
    """Return the address at the other end of the socket, in its plain form."""
    client = scope.get("client")
    if not client:
        return ""
    return str(plain_address(client[0]) or client[0])


def _seconds(text: str | None) -> int | None:
    """Read ``duration=``; clients append a second query to it now and then, and nonsense means no limit."""
    match = _SECONDS.match(text or "")
    return int(match[1]) or None if match else None
