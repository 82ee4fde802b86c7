"""Secrets out of everything that is written down: one processor, used for logs and for stored error texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

REDACTED = "[redacted]"

_PRIVATE_NAME = r"(?:token|passwd|password|secret|api[_-]?key|deviceauth|capability)"
_PRIVATE_KEY = re.compile(
    rf"(?:[\w-]*{_PRIVATE_NAME}|(?:proxy-)?authorization|(?:set-)?cookie)", re.IGNORECASE
)

# The patterns have no open-ended prefix: a hostile text costs time in proportion to its length.
# A name, then what may stand before its value: `=`, `: `, `": "`, `%3D`, or the comma of a header pair.
_QUOTE = r"(?:b?\\?[\"'])"
_NAMED = re.compile(
    rf"(?P<name>{_PRIVATE_NAME}(?:{_QUOTE}?\s*[:=]\s*{_QUOTE}?|%3d|{_QUOTE}\s*,\s*{_QUOTE}))"
    r"(?:[^\s\"'&,;<>\\]|\\(?![\"']))+",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(?P<name>[?&;](?:key|auth|sig|signature|pass)=)[^\s\"'&;#]+", re.IGNORECASE)
_HEADER = re.compile(
    rf"(?P<name>\b(?:authorization|cookie){_QUOTE}?\s*[:=,]\s*{_QUOTE}?)[^\r\n\"'\\]+", re.IGNORECASE
)
_BEARER = re.compile(r"(?P<name>\bbearer\s+)[\w.~+/=-]+", re.IGNORECASE)
# Greedy on purpose: a password may hold `/`, `:` and `@`, and hiding too much is the better mistake.
_USERINFO = re.compile(r"(?P<name>://[^\s/:@\"']{0,256}:)[^\s\"']{1,256}@(?=[^\s@\"'])")
_CAPABILITY = re.compile(r"(?P<name>(?:^|[\s\"'=(]|://[^/\s\"']+)/m/)[^/\s\"'?#)]+")

_RULES = (_HEADER, _NAMED, _QUERY, _BEARER, _CAPABILITY)


class Redaction:
    """A structlog processor; ``text`` does the same for a single string.

    ``secrets`` are exact values that must appear nowhere, whatever stands around them.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Have other values appear nowhere either, from now on."""
        found = self._secrets | {secret for secret in secrets if secret}
        if found != self._secrets:
            self._secrets = found
            self._known = re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))))

    def text(self, value: str) -> str:
        """Return ``value`` with every secret replaced by ``[redacted]``."""
        if self._known is not None:
            value = self._known.sub(REDACTED, value)
        value = _USERINFO.sub(rf"\g<name>{REDACTED}@", value)
        for rule in _RULES:
            value = rule.sub(rf"\g<name>{REDACTED}", value)
        return value

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Redact every value of a log event, however deeply it lies."""
        return {key: self._member(key, value) for key, value in event.items()}

    def _member(self, key: object, value: object) -> object:
        name = key.decode("latin-1") if isinstance(key, bytes) else key
        if isinstance(name, str) and _PRIVATE_KEY.fullmatch(name) and value is not None:
            return REDACTED
        return self._value(value)

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case bytes():
                return self.text(value.decode("utf-8", "backslashreplace"))
            case Mapping():
                return {self._value(k): self._member(k, v) for k, v in value.items()}
            case (bytes() | str() as name, second) if isinstance(value, tuple):
                return [self._value(name), self._member(name, second)]
            case list() | tuple() | set() | frozenset():
                return [self._value(member) for member in value]
            case _:
                return value if value is None or isinstance(value, int | float) else self.text(str(value))
