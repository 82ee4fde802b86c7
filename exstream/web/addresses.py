"""Addresses that the requester can reach again, derived from its request; never remembered for another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from exstream.web.deps import Network, networks, plain_address, within

_HOST = re.compile(
    r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?)\.?"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_HOME_SUFFIXES = (".local", ".lan", ".home.arpa", ".localhost")


@dataclass(frozen=True, slots=True)
class Host:
    """A ``Host`` header taken apart; ``name`` is in lower case, an IPv6 address without its brackets."""

    name: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Host | None:
        """Return None where ``text`` is not ``host`` or ``host:port``."""
        match = _HOST.fullmatch(text)
        if match is None:
            return None
        name, port = match["name"].lower(), match["port"]
        if port is not None and not 0 < int(port) < 65_536:
            return None
        bare = name.strip("[]")
        if name != bare and plain_address(bare) is None:
            return None
        return cls(bare, None if port is None else int(port))

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"

    @property
    def is_homely(self) -> bool:
        """Whether no stranger can make this name point here: an address, one label, or a home network's suffix."""
        try:
            ip_address(self.name)
        except ValueError:
            return "." not in self.name or self.name.endswith(_HOME_SUFFIXES)
        return True


class Addresses:
    """Makes the public address of a site for each request."""

    def __init__(self, *, fixed: str = "", trusted_proxies: Sequence[str] = ()) -> None:
        self._fixed = fixed.rstrip("/")
        self._proxies: tuple[Network, ...] = networks(trusted_proxies)

    def base(self, scope: Scope) -> str:
        """Return scheme, host and path prefix, without a slash at the end."""
        if self._fixed:
            return self._fixed
        scheme, prefix = str(scope.get("scheme", "http")), ""
        if self._from_proxy(scope):
            headers = Headers(scope=scope)
            claimed = headers.get("x-forwarded-proto", "").lower()
            scheme = claimed if claimed in {"http", "https"} else scheme
            outer = headers.get("x-forwarded-prefix", "").rstrip("/")
            prefix = outer if _PREFIX.fullmatch(outer) else ""
        return f"{scheme}://{self.host(scope) or _own(scope)}{prefix}"

    def host(self, scope: Scope) -> Host | None:
        """Return the host that the client asked for, as a trusted proxy or else the request says it."""
        headers = Headers(scope=scope)
        if self._from_proxy(scope) and "x-forwarded-host" in headers:
            return Host.parse(headers["x-forwarded-host"].split(",")[0].strip())
        return Host.parse(headers.get("host", ""))

    def _from_proxy(self, scope: Scope) -> bool:
        client = scope.get("client")
        address = plain_address(client[0]) if client else None
        return address is not None and within(address, self._proxies)


def _own(scope: Scope) -> Host:
    """Return the address of the socket that the request came in by."""
    server = scope.get("server") or ("127.0.0.1", None)
    address = plain_address(server[0])
    return Host(str(address) if address is not None else "127.0.0.1", server[1])
