"""A server made of a socket: it says what a test writes, byte by byte."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. The names of the headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The path without its query, unquoted."""
        return unquote(urlsplit(self.target).path)

    @property
    def params(self) -> dict[str, str]:
        """The query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


Reply = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def http(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> bytes:
    """Return an answer as bytes; a header ``retry_after`` is ``Retry-After``."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(data: bytes, *, close: bool = False) -> Reply:
    """Say the same to everybody."""

    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if close:
            writer.close()

    return reply


async def _request(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.split("\r\n")
    method, target, _version = first.split(" ")
    pairs = (line.partition(":") for line in rest if line)
    return Request(method, target, {name.lower(): value.strip() for name, _, value in pairs})


@asynccontextmanager
async def wire(reply: Reply, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve ``reply`` on a free port of 127.0.0.1 and give the address; connections stay open until they are closed."""
    writers: set[asyncio.StreamWriter] = set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while (request := await _request(reader)) is not None and not writer.is_closing():
                await reply(request, writer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


def certificate(folder: Path, name: str, *, days: int = 2) -> ssl.SSLContext:
    """Make a server's certificate for ``name``, signed by itself, over after ``days``; return what serves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "secret.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)
    return context
