"""Bytes that a server sent, as JSON or XML, to one tree; everything else is told apart from it. Pure.

The tree is the ``MediaContainer`` in the shape of the server's JSON: in XML ``Video``, ``Track``, ``Photo``,
``Playlist`` and every ``Directory`` with a rating key are ``Metadata``; each element is in a list named after its kind.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import cast
from xml.parsers.expat import ExpatError

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from exstream.errors import Misunderstood
from exstream.plex.tree import Tree, text

ROOT = "MediaContainer"
DEEPEST = 64
"""How deep elements may lie; those of a server lie eight deep."""
ENTRIES = frozenset({"Video", "Directory", "Track", "Photo", "Playlist"})
# What XML forbids although servers send it, as it is and written as a reference.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,9})|([0-9]{1,9}));")
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*([^<]{1,200}?)\s*</title>", re.IGNORECASE)
_STATUS = re.compile(r"""\bstatus=(?:"([^"]{1,300})"|'([^']{1,300})')""")
HEAD = 4096
"""In how much of a page its title is looked for."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tree, and the format it came in: ``json`` or ``xml``."""

    tree: Tree
    format: str


def read(body: bytes, kind: str = "") -> Parsed:
    """Return the tree of an answer of content type ``kind``. Raises `Misunderstood`, which says what it is instead."""
    written = _decoded(body)
    if not written:
        raise Misunderstood("the answer is empty")
    if written.startswith("<"):
        if _PAGE.match(written) or _PAGE.search(written[:HEAD]):
            raise Misunderstood(f"the answer is a page of a proxy or another program{_named(written)}")
        return Parsed(_from_xml(written), "xml")
    if written.startswith(("{", "[")):
        return Parsed(_from_json(written), "json")
    what = f" ({kind})" if kind else ""
    raise Misunderstood(f"the answer is neither JSON nor XML{what}")


def said(body: bytes) -> str:
    """Return a server's own words in a refusal: its ``status``, or the title of its page; "" for none."""
    head = _decoded(body[:HEAD])
    if head.startswith(("<Response", "<?xml")):
        found = _STATUS.search(head)
        return (found[1] or found[2]).strip() if found else ""
    found = _TITLE.search(head)
    return _FORBIDDEN.sub("", found[1]) if found else ""


def _decoded(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace").strip(" \t\r\n\ufeff\x00")


def _named(written: str) -> str:
    title = _TITLE.search(written[:HEAD])
    return f', "{title[1]}"' if title else ""


def _from_json(written: str) -> Tree:
    try:
        answer = orjson.loads(written)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        answer = _leniently(written)
    if isinstance(answer, dict) and ("_children" in answer or "_elementType" in answer):
        raise Misunderstood(
            "the answer is in the language of Plex Media Server before 1.3: update the server, then try again"
        )
    container = answer.get(ROOT) if isinstance(answer, dict) else None
    if not isinstance(container, dict):
        raise Misunderstood("the answer is JSON of another program: it holds no MediaContainer")
    return _with_entries(container)


def _leniently(written: str) -> object:
    """Return what orjson refuses and a server may have meant: raw control characters, half characters, NaN."""
    try:
        return cast("object", json.loads(written, strict=False))
    except RecursionError:
        raise Misunderstood("the answer is nested deeper than any answer of such a server") from None
    except json.JSONDecodeError as fault:
        if fault.pos >= len(written) - 1 or fault.msg.startswith("Unterminated"):
            raise Misunderstood(f"the answer breaks off after {len(written)} characters") from None
        raise Misunderstood(f"the answer is no JSON: it cannot be read at character {fault.pos}") from None
    except ValueError:
        raise Misunderstood("the answer is no JSON that can be read: a number in it has no end") from None


def _with_entries(container: dict[str, object]) -> Tree:
    """Return a container whose entries are all ``Metadata``, however the server calls them."""
    moved: list[object] = []
    for name in ENTRIES & container.keys():
        parts = container[name]
        if not isinstance(parts, list):
            continue
        entries = [part for part in parts if isinstance(part, dict) and "ratingKey" in part]
        if entries:
            moved += entries
            container[name] = [part for part in parts if not (isinstance(part, dict) and "ratingKey" in part)]
    if moved:
        there = container.get("Metadata")
        container["Metadata"] = [*there, *moved] if isinstance(there, list) else moved
    return container


class _Growing:
    """Takes the events of an XML parser and grows the tree in the shape of the server's JSON."""

    def __init__(self) -> None:
        self.name = ""
        self.root: dict[str, object] = {}
        self._path: list[dict[str, object]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= DEEPEST:
            raise Misunderstood("the answer is nested deeper than any answer of such a server")
        branch: dict[str, object] = dict(attributes)
        if self._path:
            name = "Metadata" if tag in ENTRIES and (tag != "Directory" or "ratingKey" in branch) else tag
            above = self._path[-1]
            beside = above.get(name)
            if isinstance(beside, list):
                beside.append(branch)
            else:
                above[name] = [branch]
        else:
            self.name, self.root = tag, branch
        self._path.append(branch)

    def end(self, _tag: str) -> None:
        self._path.pop()

    def data(self, data: str) -> None:
        """Leave text out: everything a server says is in attributes."""

    def close(self) -> tuple[str, Tree]:
        return self.name, self.root


def _from_xml(written: str) -> Tree:
    clean = _REFERENCE.sub(_lawful, _FORBIDDEN.sub("", written))
    parser = DefusedXMLParser(target=_Growing(), forbid_dtd=True)
    try:
        parser.feed(clean)
        name, tree = cast("tuple[str, Tree]", parser.close())
    except DefusedXmlException:
        raise Misunderstood(
            "the answer is XML that defines entities: no answer of such a server does"
        ) from None
    except (ParseError, ExpatError) as fault:
        if getattr(fault, "code", 0) in {
            3,
            5,
            10,
        }:  # no element, an unfinished token, or an element without its end
            raise Misunderstood(f"the answer breaks off after {len(written)} characters") from None
        raise Misunderstood(f"the answer is no XML: {fault}") from None
    except ValueError as fault:
        raise Misunderstood(f"the answer is no XML: {fault}") from None
    if name != ROOT:
        words = text(tree, "status", "title")
        raise Misunderstood(
            f"the answer holds no MediaContainer, but a {name[:40]}{f': {words}' if words else ''}"
        )
    return tree


def _lawful(reference: re.Match[str]) -> str:
    point = int(reference[1], 16) if reference[1] else int(reference[2])
    lawful = point in {0x9, 0xA, 0xD} or 0x20 <= point < 0xD800 or 0xE000 <= point < 0xFFFE
    return reference[0] if lawful or 0x10000 <= point <= 0x10FFFF else ""
