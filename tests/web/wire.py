"""HTTP spoken by hand over real sockets, and the sites served on free ports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from exstream.web.servers import Servers, Site
from exstream.web.sites import hdhomerun_site, iptv_site
from exstream.web.sockets import listen
from tests.web.station import Station

PATIENCE = 10.0


@dataclass(frozen=True)
class Reply:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass(frozen=True)
class Ports:
    """Where the sites listen, and what serves them."""

    iptv: int
    hdhr: int
    servers: Servers


@asynccontextmanager
async def served(
    station: Station, *, host: str = "127.0.0.1", leave_seconds: float = 1.0
) -> AsyncIterator[Ports]:
    """Serve both sites of ``station`` for as long as the block lasts."""
    sockets = [listen(host, 0, "EXSTREAM_IPTV_PORT"), listen(host, 0, "EXSTREAM_HDHR_PORT")]
    applications = [iptv_site(station.parts), hdhomerun_site(station.parts)]
    sites = [Site(app, listening) for app, listening in zip(applications, sockets, strict=True)]
    servers = Servers(sites, station.parts.tuners, station.parts.clock, leave_seconds=leave_seconds)
    ports = [listening.getsockname()[1] for listening in sockets]
    serving = asyncio.create_task(servers.serve())
    try:
        yield Ports(ports[0], ports[1], servers)
    finally:
        servers.stop()
        await asyncio.wait_for(serving, PATIENCE)


async def send(
    port: int, target: str, *, method: str = "GET", host: str = "", version: str = "1.1", **headers: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection and send a request; underscores in header names stand for hyphens."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {target} HTTP/{version}", f"Host: {host or f'127.0.0.1:{port}'}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await writer.drain()
    return reader, writer


async def head_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Read the status and the headers of an answer."""
    text = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    first, *rest = text.decode().rstrip().split("\r\n")
    pairs = (line.split(": ", 1) for line in rest)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}


async def chunk_of(reader: asyncio.StreamReader) -> bytes:
    """Read one chunk of a chunked answer; empty at its end."""
    size = int(await asyncio.wait_for(reader.readline(), PATIENCE), 16)
    data = await asyncio.wait_for(reader.readexactly(size + 2), PATIENCE)
    return data[:-2]


async def ask(port: int, target: str, *, method: str = "GET", **options: str) -> Reply:
    """Send a request and read the whole answer."""
    reader, writer = await send(port, target, method=method, Connection="close", **options)
    try:
        status, headers = await head_of(reader)
        rest = await asyncio.wait_for(reader.read(), PATIENCE)
    finally:
        writer.close()
    if headers.get("transfer-encoding") == "chunked":
        rest = _joined(rest)
    return Reply(status, headers, rest)


def _joined(data: bytes) -> bytes:
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        out, data = out + data[:length], data[length + 2 :]
    return out


def reset(writer: asyncio.StreamWriter) -> None:
    """Cut a connection as a crashing client does, with RST."""
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def until(condition: object, *, seconds: float = PATIENCE) -> None:
    """Wait until ``condition()`` is true."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
