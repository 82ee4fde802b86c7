"""What plex.tv answers, read: a sign-in that waits, an account, its servers and the ways to each. JSON or XML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from exstream.errors import ConfigurationError, Misunderstood
from exstream.plex.preferences import token_of

MOST_ADDRESSES = 24
"""How many ways to a server are looked at: one behind many networks lists dozens."""
_LIFETIME_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Waiting:
    """How a sign-in stands. ``token`` is empty until the user has signed in; ``lifetime`` is in seconds."""

    id: str
    code: str
    lifetime: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is."""

    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """One way to a server."""

    uri: str
    address: str
    port: int
    local: bool = False
    relay: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """A server that an account may use, with the token that it has for this server."""

    machine: str
    name: str
    token: str = field(repr=False)
    version: str = ""
    owned: bool = False
    owner: str = ""
    """Who shares it; empty for one's own."""
    https_required: bool = False
    connections: tuple[Connection, ...] = ()


def read_waiting(body: bytes) -> Waiting:
    """Return the state of a sign-in; raises Misunderstood where it is none."""
    pin = _entry(_read(body))
    id_, code = _text(pin, "id"), _text(pin, "code")
    if not id_.isalnum() or not code.isalnum():
        raise Misunderstood("plex.tv gave no code to sign in with: try again later")
    lifetime = _whole(pin, "expiresIn")
    return Waiting(
        id_, code, lifetime if 0 < lifetime <= 86_400 else _LIFETIME_SECONDS, _text(pin, "authToken")
    )


def read_account(body: bytes) -> Account:
    """Return whose token was shown; raises Misunderstood where the answer does not say it."""
    user = _entry(_read(body))
    name = _text(user, "username") or _text(user, "title") or _text(user, "email")
    if not name:
        raise Misunderstood("plex.tv did not say whose token it is: try again later")
    return Account(name, _text(user, "email"))


def read_servers(body: bytes) -> list[Offered]:
    """Return the servers in a list of devices, one's own first; an entry that cannot be used is left out."""
    found = [_offered(each) for each in _entries(_read(body), "resource", "Device")]
    servers = {each.machine: each for each in found if each is not None}
    return sorted(servers.values(), key=lambda server: (not server.owned, server.name.casefold()))


def addresses(server: Offered, own: Sequence[str] = ()) -> list[str]:
    """Return where ``server`` may answer, the best first: ``own``, local, remote, and through a relay last.

    After the name that its certificate is for comes the bare address, unless the server insists on encryption, and
    within the own network only: beyond it others could read the token, so that what is not encrypted there comes last.
    """
    found = [url.rstrip("/") for url in own]
    ranked = sorted(server.connections, key=lambda way: (_is_open(way), way.relay, not way.local))
    for way in ranked:
        if _is_address(way.uri):
            found.append(way.uri.rstrip("/"))
        if way.local and not way.relay and not server.https_required and _is_private(way.address):
            host = f"[{way.address}]" if ":" in way.address else way.address
            found.append(f"http://{host}:{way.port}")
    return list(dict.fromkeys(found))[:MOST_ADDRESSES]


def _is_open(way: Connection) -> bool:
    return not way.local and way.uri.startswith("http://")


def _is_address(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_private(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:
        return False


def _offered(entry: Mapping[str, Any]) -> Offered | None:
    provides = {each.strip() for each in _text(entry, "provides").split(",")}
    machine = _text(entry, "clientIdentifier")
    if "server" not in provides or not machine:
        return None
    try:
        token = token_of(_text(entry, "accessToken"))
    except ConfigurationError:
        return None
    ways = (_connection(each) for each in _entries(entry.get("connections") or entry, "connection"))
    return Offered(
        machine,
        _text(entry, "name") or machine,
        token,
        _text(entry, "productVersion"),
        _yes(entry, "owned"),
        _text(entry, "sourceTitle"),
        _yes(entry, "httpsRequired"),
        tuple(way for way in ways if way is not None),
    )


def _connection(entry: Mapping[str, Any]) -> Connection | None:
    uri, address = _text(entry, "uri"), _text(entry, "address")
    port = _whole(entry, "port")
    if not uri or not address or not 0 < port < 65_536:
        return None
    return Connection(uri, address, port, _yes(entry, "local"), _yes(entry, "relay"))


def _read(body: bytes) -> Any:
    """Return an answer as JSON has it; of XML, attributes are members and children lists by their tags."""
    try:
        if body.lstrip().startswith(b"<"):
            root = fromstring(body)
            if root.tag.casefold() in {"html", "body"}:
                raise Misunderstood("plex.tv answers with a page for browsers: is there a proxy in between?")
            return _members(root)
        return json.loads(body)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        # Neither the fault's words nor its cause: they quote the answer, which holds tokens.
        raise Misunderstood("plex.tv answers what cannot be read: try again later") from None


def _members(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = dict(element.attrib)
    for child in element:
        found.setdefault(child.tag, child.text if not (child.attrib or len(child)) and child.text else [])
        if isinstance(found[child.tag], list):
            found[child.tag].append(_members(child))
    return found


def _entries(value: Any, *tags: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list, wherever JSON and the two forms of XML have it."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            nested = _nested(each, tags)
            if nested:
                for member in nested:
                    yield from _entries(member, *tags)
            else:
                yield each
    if isinstance(value, Mapping):
        for member in _nested(value, tags):
            yield from _entries(member, *tags)


def _nested(entry: Mapping[str, Any], tags: Sequence[str]) -> list[Any]:
    """Return the lists under ``tags``; in JSON a server has a ``device`` that is a mere word."""
    wanted = {tag.casefold() for tag in tags}
    return [
        member for name, member in entry.items() if name.casefold() in wanted and isinstance(member, list)
    ]


def _entry(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return re.sub(r"[\x00-\x1f\x7f]", "", text).strip()


def _whole(entry: Mapping[str, Any], name: str) -> int:
    text = _text(entry, name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _yes(entry: Mapping[str, Any], name: str) -> bool:
    return str(entry.get(name)).casefold() in {"true", "1"}
