"""Connections to one server: kept open, few at once, with a limit to everything it may send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit, urlunsplit

import httpx

from exstream import __version__
from exstream.errors import Misunderstood, TooMuch, Unreachable
from exstream.outbound.certificates import certificates
from exstream.outbound.faults import in_words, words
from exstream.outbound.unpacked import MIB, Unpacked

CONNECT_SECONDS = 4.0
STREAM_SILENCE_SECONDS = 10.0
IDLE_SECONDS = 15.0
"""How long a connection that nobody uses is kept."""
REDIRECTS = 3
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """How long a kind of request may take, in silence and in all, and how much it may bring, unpacked."""

    silence: float
    seconds: float
    most: int = 64 * MIB


QUICK = Call(10.0, 10.0)
PAGE = Call(60.0, 60.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said, whole. The names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The content type, without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Stretch:
    """A part of a file on its way. ``status`` is 206, or 200 where the server gives the file from its beginning."""

    def __init__(self, address: str, response: httpx.Response, silence: float) -> None:
        self._address = address
        self._response = response
        self._silence = silence
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def bytes(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come; raises `Unreachable` where they stop before the end."""
        try:
            async for data in self._response.aiter_raw():
                yield data
        except httpx.TimeoutException as fault:
            raise Unreachable(f"{self._address} stopped: nothing came for {self._silence:g} s") from fault
        except httpx.TransportError as fault:
            raise Unreachable(f"{self._address} broke off: {words(fault)}") from fault


def shown(address: str) -> str:
    """Return an address as it may be shown: without name and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


class Pool:
    """The connections to the server at ``address`` (its scheme, name, port, and a folder if it lies in one).

    ``headers`` go with every request and nowhere else: no other server is ever followed to. ``connections`` stay open
    when nobody uses them, ``at_once`` answers are asked for at the same time; streams come on top of both. A proxy of
    the environment is passed by unless ``proxied``. Nothing it raises holds a header or a query.
    """

    def __init__(
        self,
        address: str,
        *,
        headers: Mapping[str, str] = NOTHING,
        connections: int = 8,
        at_once: int = 3,
        verify: bool = True,
        proxied: bool = False,
    ) -> None:
        self._root = address.rstrip("/")
        self.address = shown(self._root)
        """Where the server is, without a name and password that may stand in it."""
        self.in_use = 0
        self.waiting = 0
        self.streams = 0
        self._turns = asyncio.Semaphore(at_once)
        with in_words(self.address, 0.0):
            self._client = httpx.AsyncClient(
                headers={"User-Agent": f"Exstream/{__version__}", **headers},
                # The certificates of the world take a while to read, and are of no use without TLS.
                verify=False if self._root.startswith("http:") else certificates(verify=verify),
                limits=httpx.Limits(
                    max_connections=None,
                    max_keepalive_connections=connections,
                    keepalive_expiry=IDLE_SECONDS,
                ),
                http1=True,
                http2=False,
                follow_redirects=False,
                trust_env=proxied,
            )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, str] = NOTHING,
        *,
        headers: Mapping[str, str] = NOTHING,
        call: Call = QUICK,
    ) -> Answer:
        """Return the answer to a GET, whatever its status.

        Raises `Unreachable` where none comes, `TooMuch` where it takes too long, `Misunderstood` where it is too large,
        packed badly, or leads to another server.
        """
        return await self._ask("GET", path, params, headers, call)

    async def post(
        self,
        path: str,
        params: Mapping[str, str] = NOTHING,
        *,
        headers: Mapping[str, str] = NOTHING,
        call: Call = QUICK,
    ) -> Answer:
        """Return the answer to a POST without a body; as `get`, and never to be repeated unasked."""
        return await self._ask("POST", path, params, headers, call)

    async def _ask(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], call: Call
    ) -> Answer:
        async with self._turn():
            try:
                async with asyncio.timeout(call.seconds):
                    with in_words(self.address, call.silence):
                        wanted = {"Accept-Encoding": "gzip", **headers}
                        response = await self._opened(method, path, params, wanted, call.silence)
                        try:
                            return await self._whole(response, call)
                        finally:
                            await response.aclose()
            except TimeoutError as fault:
                raise TooMuch(f"{self.address} did not answer whole within {call.seconds:g} s") from fault

    @asynccontextmanager
    async def open_range(
        self,
        path: str,
        start: int = 0,
        end: int | None = None,
        *,
        headers: Mapping[str, str] = NOTHING,
        silence: float = STREAM_SILENCE_SECONDS,
    ) -> AsyncIterator[Stretch]:
        """Give the bytes of a file from ``start`` to ``end`` (the last one, None: all), with any status.

        Raises `Unreachable` where nobody answers, `Misunderstood` where the answer leads to another server.
        """
        wanted = {
            "Range": f"bytes={start}-{'' if end is None else end}",
            "Accept-Encoding": "identity",
            **headers,
        }
        self.streams += 1
        try:
            with in_words(self.address, silence):
                response = await self._opened("GET", path, NOTHING, wanted, silence)
            try:
                yield Stretch(self.address, response, silence)
            finally:
                await response.aclose()
        finally:
            self.streams -= 1

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self._turns.release()

    async def _opened(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], silence: float
    ) -> httpx.Response:
        """Return an answer whose body is still to come, redirections within the server followed; to be closed."""
        timeout = httpx.Timeout(silence, connect=CONNECT_SECONDS)
        url = httpx.URL(self._root + path)
        if params:
            url = url.copy_merge_params(dict(params))
        for _ in range(REDIRECTS + 1):
            request = self._client.build_request(method, url, headers=dict(headers), timeout=timeout)
            response = await self._client.send(request, stream=True)
            if not response.has_redirect_location:
                return response
            await response.aclose()
            url = self._onward(url, response.headers["location"])
        raise Misunderstood(f"{self.address} leads from one address to the next and nowhere else")

    def _onward(self, url: httpx.URL, location: str) -> httpx.URL:
        onward = url.join(location)
        if (onward.scheme, onward.host, onward.port) != (url.scheme, url.host, url.port):
            there = f"{onward.scheme}://{onward.netloc.decode('ascii', 'replace').rpartition('@')[2]}"
            raise Misunderstood(
                f"{self.address} leads to another server, {there}: if that is the right one, give its address instead"
            )
        return onward

    async def _whole(self, response: httpx.Response, call: Call) -> Answer:
        unpacked = Unpacked(self.address, response.headers.get("content-encoding", ""), call.most)
        async for data in response.aiter_raw():
            unpacked.take(data)
        headers = {name.lower(): value for name, value in response.headers.items()}
        empty = response.status_code == HTTPStatus.NO_CONTENT
        return Answer(response.status_code, headers, b"" if empty else unpacked.whole())
