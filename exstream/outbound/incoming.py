"""One answer of any server, of any length, read as it comes."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx

from exstream import __version__
from exstream.errors import OutboundError, Unreachable
from exstream.outbound.faults import words

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 10.0
"""How long an answer, or its next bytes, may take."""
REDIRECTS = 3
_REASON_BYTES = 400


class Incoming:
    """An answer that is coming in."""

    def __init__(self, url: str, response: httpx.Response, silence: float) -> None:
        self._url = url
        self._response = response
        self._silence = silence

    @property
    def kind(self) -> str:
        """The content type, without its parameters, in lower case."""
        kind: str = self._response.headers.get("content-type", "")
        return kind.partition(";")[0].strip().lower()

    @property
    def length(self) -> int | None:
        """How many bytes it will have; None for an answer without a foreseeable end."""
        length = self._response.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None

    async def bytes(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come; raises `Unreachable` where they stop before the end."""
        try:
            async for data in self._response.aiter_raw():
                yield data
        except httpx.TimeoutException as fault:
            raise Unreachable(f"{self._url} stopped: nothing came for {self._silence:g} s") from fault
        except httpx.TransportError as fault:
            raise Unreachable(f"{self._url} broke off: {words(fault)}") from fault


@asynccontextmanager
async def incoming(url: str, *, silence: float = SILENCE_SECONDS) -> AsyncIterator[Incoming]:
    """Give the answer of ``url``, of any length, read as fast as the block reads it.

    Raises `Unreachable` where nobody answers or the server says that it cannot now, `OutboundError` where it refuses.
    """
    timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS)
    headers = {"User-Agent": f"Exstream/{__version__}", "Accept-Encoding": "identity"}
    async with httpx.AsyncClient(
        timeout=timeout, headers=headers, follow_redirects=True, max_redirects=REDIRECTS
    ) as client:
        try:
            request = client.build_request("GET", url)
            response = await client.send(request, stream=True)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as fault:
            raise OutboundError(
                f"{url} is no address of a server: it begins with http:// or https://"
            ) from fault
        except httpx.TooManyRedirects as fault:
            raise OutboundError(f"{url} leads from one address to the next and nowhere else") from fault
        except httpx.TimeoutException as fault:
            raise Unreachable(f"{url} does not answer within {silence:g} s") from fault
        except httpx.ConnectError as fault:
            hint = "is the server running, and are name and port right?"
            raise Unreachable(f"{url} cannot be reached: {words(fault)} - {hint}") from fault
        except (httpx.TransportError, ssl.SSLError) as fault:
            raise Unreachable(f"{url} cannot be reached: {words(fault)}") from fault
        try:
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                raise await _refusal(url, response)
            yield Incoming(url, response, silence)
        finally:
            await response.aclose()


async def _refusal(url: str, response: httpx.Response) -> OutboundError:
    """Return what a server says that does not give what was asked for."""
    reason = str(response.headers.get("x-hdhomerun-error", ""))
    if not reason and response.headers.get("content-type", "").startswith("text/plain"):
        try:
            async for data in response.aiter_raw(_REASON_BYTES):
                reason = data.decode("utf-8", "replace").partition("\n")[0]
                break
        except httpx.TransportError:
            reason = ""
    reason = reason or _meaning(response.status_code)
    answer = f"{response.status_code} {response.reason_phrase}".strip()
    text = f"{url} answers {answer}{f': {reason}' if reason else ''}"
    return (
        Unreachable(text) if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else OutboundError(text)
    )


def _meaning(status: int) -> str:
    """Return what the standard says of a status; nothing where it knows none."""
    return HTTPStatus(status).description if status in set(HTTPStatus) else ""
