"""Harm by rule: which requests it falls on, how often, and what it does to them."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import orjson

from load.plex_server.answers import HTML, JSON, Answer
from load.plex_server.asking import Ask

KINDS = frozenset(
    {
        "status",
        "delay",
        "hang",
        "drip",
        "reset",
        "cut",
        "shorten",
        "gzip_bomb",
        "deep",
        "wrong_types",
        "rewrite",
    }
    | {"another_size"}
)
MAINTENANCE = (
    '<Response code="503" title="Maintenance" '
    'status="Plex Media Server is currently running database migrations."/>\n'
)
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Password</form></body></html>"
)


@dataclass(slots=True)
class Rule:
    """One fault. It falls on requests whose path (and query) it finds, after ``skip`` of them, ``times`` times."""

    kind: str
    path: str = ""
    """A regular expression that is searched in the path."""
    query: str = ""
    """The same in the query as it was sent."""
    method: str = ""
    times: int | None = None
    skip: int = 0
    covers: int | None = None
    """Only pages that hold the entry at this place."""
    status: int = 500
    body: str | None = None
    """None: a page of HTML that names the status."""
    content_type: str = HTML
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    after: int = 0
    """How many bytes of the body go out before ``reset`` or ``cut``, or are left by ``shorten``."""
    rate: int = 1
    """Bytes a second that ``drip`` lets through."""
    size: int = 1_000_000_000
    """Bytes of a ``gzip_bomb``, depth of ``deep``."""
    change: dict[str, Any] = field(default_factory=dict)
    """What ``rewrite`` puts into the container, by name."""
    number: int = 0
    hits: int = 0

    def falls_on(self, ask: Ask, raw_query: str) -> bool:
        """Tell whether it falls on a request, and count that."""
        if self.times is not None and self.hits >= self.skip + self.times:
            return False
        matches = (
            (not self.method or self.method == ask.method)
            and re.search(self.path, ask.path) is not None
            and re.search(self.query, raw_query) is not None
            and self._covered(ask)
        )
        self.hits += matches
        return matches and self.hits > self.skip

    def _covered(self, ask: Ask) -> bool:
        if self.covers is None:
            return True
        start, size = ask.number("Container-Start") or 0, ask.number("Container-Size")
        return start <= self.covers and (size is None or self.covers < start + size)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer goes out. ``after``: so many bytes of the body, then the connection ends."""

    rate: int = 0
    after: int | None = None
    reset: bool = False
    """It ends with a reset, not as if all had been said."""


class Faults:
    """The rules in force, in the order they came."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._next = 1

    def add(self, **rule: Any) -> int:
        """Put a rule in force and return its number."""
        known = {item.name for item in fields(Rule)}
        if rule.get("kind") not in KINDS or not rule.keys() <= known:
            raise ValueError(f"no such fault: {rule}")
        number, self._next = self._next, self._next + 1
        self._rules[number] = Rule(**rule | {"number": number})
        return number

    def lift(self, number: int | None = None) -> None:
        """Lift a rule, or all of them."""
        if number is None:
            self._rules.clear()
        else:
            self._rules.pop(number, None)

    def hits(self, number: int) -> int:
        """Return how many requests a rule has found, those it skipped included."""
        return self._rules[number].hits

    def of(self, ask: Ask, raw_query: str) -> list[Rule]:
        """Return the rules that fall on a request."""
        return [rule for rule in self._rules.values() if rule.falls_on(ask, raw_query)]


async def before(rules: list[Rule]) -> Answer | None:
    """Wait as ``rules`` say; return what they answer in place of the server, None if it may answer itself."""
    for rule in rules:
        if rule.kind == "delay":
            await asyncio.sleep(rule.seconds)
        elif rule.kind == "hang":
            await asyncio.Event().wait()
        elif rule.kind == "status":
            return _status(rule)
        elif rule.kind == "gzip_bomb":
            return Answer(200, _bomb(rule.size), JSON, {"Content-Encoding": "gzip"})
        elif rule.kind == "deep":
            return Answer(
                200, b'{"MediaContainer":{"Metadata":' + b"[" * rule.size + b"]" * rule.size + b"}}", JSON
            )
    return None


def _status(rule: Rule) -> Answer:
    body = rule.body
    if body is None:
        body = f"<html><head><title>{rule.status}</title></head><body><h1>{rule.status}</h1></body></html>"
    return Answer(rule.status, body.encode(), rule.content_type, dict(rule.headers))


@lru_cache(maxsize=2)
def _bomb(size: int) -> bytes:
    """Return one stream of gzip: a container, and ``size`` blanks in it. The blanks are compressed once."""
    blanks, times = b" " * 1_000_000, max(1, size // 1_000_000)
    begin, end = b'{"MediaContainer":{"size":0', b"}}"
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(begin) + deflate.flush(zlib.Z_FULL_FLUSH)
    body += (deflate.compress(blanks) + deflate.flush(zlib.Z_FULL_FLUSH)) * times
    body += deflate.compress(end) + deflate.flush(zlib.Z_FINISH)
    check = zlib.crc32(begin)
    for _ in range(times):
        check = zlib.crc32(blanks, check)
    length = len(begin) + times * len(blanks) + len(end)
    trailer = struct.pack("<II", zlib.crc32(end, check), length % 2**32)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + trailer


def altered(rules: list[Rule], answer: Answer) -> Answer:
    """Return ``answer`` as ``rules`` leave it."""
    for rule in rules:
        if rule.kind == "shorten":
            answer.body = answer.body[: rule.after]
        elif rule.kind == "rewrite" and answer.content_type == JSON:
            tree = orjson.loads(answer.body)
            tree["MediaContainer"].update(rule.change)
            answer.body = orjson.dumps(tree)
        elif rule.kind == "wrong_types" and answer.content_type == JSON:
            answer.body = orjson.dumps(_other_types(orjson.loads(answer.body)))
        elif rule.kind == "another_size" and "Content-Range" in answer.headers:
            whole = answer.headers["Content-Range"].partition("/")[0]
            answer.headers["Content-Range"] = f"{whole}/{rule.size}"
    return answer


def _other_types(tree: Any) -> Any:
    """Return numbers as text, text of digits as numbers, flags as numbers, and lists of one as what they hold."""
    match tree:
        case dict():
            return {
                name: value if name == "MediaContainer" and not value else _other_types(value)
                for name, value in tree.items()
            }
        case list():
            return _other_types(tree[0]) if len(tree) == 1 else [_other_types(value) for value in tree]
        case bool():
            return int(tree)
        case int() | float():
            return str(tree)
        case str() if tree.isdecimal():
            return int(tree)
        case _:
            return tree


def delivery(rules: list[Rule], rate: int) -> Delivery:
    """Return how the answer is to go out; ``rate``: the server's own pace."""
    for rule in rules:
        if rule.kind == "drip":
            return Delivery(rate=rule.rate)
        if rule.kind in {"reset", "cut"}:
            return Delivery(rate=rate, after=rule.after, reset=rule.kind == "reset")
    return Delivery(rate=rate)
