"""plex.tv, as far as a sign-in needs it: PINs, the user, and the servers with their connections."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from load.plex_server.answers import JSON, XML, Answer, element
from load.plex_server.asking import Ask
from load.plex_server.model import Fields

ACCOUNT_TOKEN = "account-token-B4rTq9vXe2KmZs7u"
LIFETIME = 900
"""Seconds that a PIN may be used."""
_PIN = re.compile(r"/api/v2/pins/(\d+)/?")


@dataclass(slots=True)
class Pin:
    """A PIN that somebody is asked to confirm."""

    id: int
    code: str
    client: str
    product: str
    expires: float
    token: str | None = None
    polled: float = -1e9


class PlexTv:
    """The sign-in of one person. Whoever polls a PIN faster than ``pace`` seconds is refused with 429."""

    def __init__(self, machine: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._machine = machine
        self._clock = clock
        self._pins: dict[int, Pin] = {}
        self.tokens: set[str] = {ACCOUNT_TOKEN}
        self.resources: list[Fields] = []
        self.pace = 1.0
        self.limited = 0
        """How many requests more are refused with 429."""

    def respond(self, ask: Ask) -> tuple[str, Answer]:
        """Answer a request."""
        if ask.path == "/identity":  # a connection that leads to another server than it should
            told = {"size": 0, "claimed": True, "machineIdentifier": "another-machine", "version": "1.0"}
            return "identity", self._told({"MediaContainer": told}, ask)
        if self.limited > 0:
            self.limited -= 1
            return "limited", _error(429, 1003, "API rate limit exceeded", {"Retry-After": "1"})
        return self._sign_in(ask) or self._signed_in(ask)

    def _sign_in(self, ask: Ask) -> tuple[str, Answer] | None:
        if pin := _PIN.fullmatch(ask.path):
            return "pin", self._poll(int(pin[1]), ask)
        if ask.path.rstrip("/") == "/api/v2/pins" and ask.method == "POST":
            return "pins", self._new(ask)
        return None

    def _signed_in(self, ask: Ask) -> tuple[str, Answer]:
        if ask.path.rstrip("/") not in {"/api/v2/user", "/api/v2/resources", "/api/v2/ping"}:
            return "unknown", _error(404, 1002, "Not Found")
        if ask.plex("Token") not in self.tokens:
            return "refused", _error(401, 1001, "User could not be authenticated")
        if ask.path.startswith("/api/v2/resources"):
            return "resources", self._resources(ask)
        return "user", self._user(ask)

    # -- what the person does --

    def approve(self, code: str, token: str = ACCOUNT_TOKEN) -> None:
        """Confirm a PIN by its code, or the only one if that is empty."""
        self.tokens.add(token)
        for pin in self._pins.values():
            if code in {"", pin.code}:
                pin.token = token

    def expire(self, code: str = "") -> None:
        """Let a PIN run out, or all of them."""
        for pin in self._pins.values():
            if code in {"", pin.code}:
                pin.expires = self._clock()

    def pins(self) -> list[Fields]:
        """Return the PINs that were asked for."""
        return [
            {"id": pin.id, "code": pin.code, "client": pin.client, "product": pin.product, "token": pin.token}
            for pin in self._pins.values()
        ]

    # -- addresses --

    def _new(self, ask: Ask) -> Answer:
        client = ask.plex("Client-Identifier")
        if not client:
            return _error(400, 1000, "X-Plex-Client-Identifier is missing")
        number = len(self._pins) + 1_000_001
        strong = ask.flag("strong")
        code = f"strongcode{number}zyxwvutsrq" if strong else f"{number % 46_656:04X}"[-4:]
        pin = Pin(number, code, client, ask.plex("Product"), self._clock() + LIFETIME)
        self._pins[number] = pin
        answer = self._told(self._pin(pin), ask)
        answer.status = 201
        return answer

    def _poll(self, number: int, ask: Ask) -> Answer:
        pin, now = self._pins.get(number), self._clock()
        if pin is None or now >= pin.expires:
            return _error(404, 1020, "Code not found or expired")
        early, pin.polled = now - pin.polled < self.pace, now
        if early:
            return _error(429, 1003, "API rate limit exceeded")
        return self._told(self._pin(pin), ask)

    def _pin(self, pin: Pin) -> Fields:
        left = max(0.0, pin.expires - self._clock())
        now = datetime.now(UTC).timestamp()
        return {
            "id": pin.id,
            "code": pin.code,
            "product": pin.product,
            "trusted": False,
            "qr": f"https://plex.tv/api/v2/pins/qr/{pin.code}",
            "clientIdentifier": pin.client,
            "location": {
                "code": "NL",
                "country": "Netherlands",
                "city": "Amsterdam",
                "timezone": "Europe/Amsterdam",
            },
            "expiresIn": int(left),
            "createdAt": _written(now + left - LIFETIME),
            "expiresAt": _written(now + left),
            "authToken": pin.token,
            "newRegistration": None,
        }

    def _user(self, ask: Ask) -> Answer:
        told = {
            "id": 1,
            "uuid": "0123456789abcdef",
            "username": "owner",
            "title": "owner",
            "email": "owner@example.com",
        }
        return self._told(told | {"friendlyName": "", "confirmed": True, "authToken": ask.plex("Token")}, ask)

    def _resources(self, ask: Ask) -> Answer:
        if ask.wants_json:
            return Answer(200, orjson.dumps(self.resources), JSON)
        rows = [
            {**row, "connections": {"connection": row["connections"]}} if "connections" in row else row
            for row in self.resources
        ]
        return Answer(200, element("resources", {"resource": rows}).encode(), XML)

    def _told(self, tree: Fields, ask: Ask) -> Answer:
        if ask.wants_json:
            return Answer(200, orjson.dumps(tree), JSON)
        name, row = next(iter(tree.items())) if "MediaContainer" in tree else ("pin", tree)
        return Answer(200, element(name, row).encode(), XML)


def resource(machine: str, name: str, token: str, connections: list[Fields], **fields: Any) -> Fields:
    """Return a server as plex.tv lists it."""
    return {
        "name": name,
        "product": "Plex Media Server",
        "productVersion": "1.43.3.10861-07dfddaeb",
        "platform": "Linux",
        "platformVersion": "6.1",
        "device": "PC",
        "clientIdentifier": machine,
        "createdAt": "2021-01-01T12:12:24Z",
        "lastSeenAt": "2026-07-28T19:47:43Z",
        "provides": "server",
        "ownerId": None,
        "sourceTitle": None,
        "publicAddress": "203.0.113.7",
        "accessToken": token,
        "searchEnabled": True,
        "owned": True,
        "home": False,
        "synced": False,
        "relay": True,
        "presence": True,
        "httpsRequired": False,
        "publicAddressMatches": True,
        "dnsRebindingProtection": False,
        "natLoopbackSupported": False,
        "connections": connections,
        **fields,
    }


def connection(address: str, port: int, *, local: bool = True, relay: bool = False, uri: str = "") -> Fields:
    """Return a way to a server."""
    uri = uri or f"http://{address}:{port}"
    scheme = uri.partition(":")[0]
    fields: Fields = {"protocol": scheme, "address": address, "port": port, "uri": uri}
    return fields | {"local": local, "relay": relay, "IPv6": ":" in address}


def _error(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    body = orjson.dumps({"errors": [{"code": code, "message": message, "status": status}]})
    return Answer(status, body, JSON, headers or {})


def _written(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
