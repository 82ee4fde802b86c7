"""A tree as Plex writes it: JSON, or XML with the same names as attributes and elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import orjson

from load.plex_server.model import Fields

JSON, XML, HTML = "application/json", "text/xml;charset=utf-8", "text/html"
_ELEMENTS = {
    "movie": "Video",
    "episode": "Video",
    "clip": "Video",
    "track": "Track",
    "photo": "Photo",
    "playlist": "Playlist",
}
_QUOTES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


@dataclass(slots=True)
class Answer:
    """What goes out. ``stretch``: from which byte on and how many of the file ``disk``, in place of ``body``."""

    status: int = 200
    body: bytes = b""
    content_type: str = HTML
    headers: dict[str, str] = field(default_factory=dict)
    disk: Path | None = None
    stretch: tuple[int, int] = (0, 0)

    @property
    def length(self) -> int:
        """How many bytes its body has."""
        return self.stretch[1] if self.disk is not None else len(self.body)


@dataclass(slots=True)
class Container:
    """A `MediaContainer`: attributes and small lists, then entries that are written down already."""

    fields: Fields
    entries: Sequence[bytes] | None = None
    """None: it is no listing. Of an empty listing the list is left out."""
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, *, as_json: bool) -> Answer:
        """Write it down."""
        body = self._json() if as_json else self._xml()
        return Answer(200, body, JSON if as_json else XML, {"X-Plex-Protocol": "1.0"} | self.headers)

    def _json(self) -> bytes:
        head = b'{"MediaContainer":' + orjson.dumps(self.fields)
        if not self.entries:
            return head + b"}"
        comma = b"," if self.fields else b""
        return b"".join((head[:-1], comma, b'"Metadata":[', b",".join(self.entries), b"]}}"))

    def _xml(self) -> bytes:
        head = element("MediaContainer", self.fields).encode()
        begin = b'<?xml version="1.0" encoding="UTF-8"?>\n'
        if not self.entries:
            return begin + head + b"\n"
        opened = head.removesuffix(b"</MediaContainer>") if not head.endswith(b"/>") else head[:-2] + b">"
        return b"".join((begin, opened, b"\n", b"\n".join(self.entries), b"\n</MediaContainer>\n"))


def written(row: Fields, *, as_json: bool) -> bytes:
    """Write one entry down."""
    return orjson.dumps(row) if as_json else element(element_name(row), row).encode()


def element_name(row: Fields) -> str:
    """Return what an entry of `Metadata` is called in XML."""
    return _ELEMENTS.get(str(row.get("type", "")), "Directory")


def element(name: str, tree: Fields) -> str:
    """Return ``tree`` as an element: scalars are attributes, trees are elements in it."""
    attributes: list[str] = []
    inner: list[str] = []
    for key, value in tree.items():
        if isinstance(value, dict):
            inner.append(element(key, value))
        elif isinstance(value, list):
            inner.extend(element(element_name(row) if key == "Metadata" else key, row) for row in value)
        elif value is not None:
            attributes.append(f' {key}="{escape(_text(value), _QUOTES)}"')
    opened = f"<{name}{''.join(attributes)}"
    return f"{opened}>{''.join(inner)}</{name}>" if inner else f"{opened}/>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def html(status: int, title: str) -> Answer:
    """Return the page that Plex, or a proxy before it, shows for an error."""
    page = f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Answer(status, page.encode(), HTML, {"X-Plex-Protocol": "1.0"})


UNAUTHORIZED = 401, "Unauthorized"
FORBIDDEN = 403, "Forbidden"
NOT_FOUND = 404, "Not Found"
