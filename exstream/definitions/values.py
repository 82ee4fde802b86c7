"""What single values may be: each reader returns the value, or says in a sentence what it should be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from exstream.definitions.document import Node, Sequence, Text
from exstream.model.catalogue import ItemKind
from exstream.model.channel import Order

MAX_TEXT = 200
MAX_LIST = 500
MINUTES_A_DAY = 24 * 60
MAX_ALIGN = 4 * 60

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_ALIGN = re.compile(r"(?:([0-9]{1,2})h)?(?:([0-9]{1,3})m)?")
_YEARS = re.compile(r"([0-9]{4})?(\.\.)?([0-9]{4})?")
_RATING = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")
_LOGO_FILE = re.compile(r"[^./\\:][^/\\:]*")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})

Value = TypeVar("Value")
Reader = Callable[[Node], Value]


class Refused(Exception):
    """A value cannot be used; the sentences say what is wanted."""

    def __init__(self, node: Node, sentence: str) -> None:
        super().__init__(sentence)
        self.faults = [(node.line, sentence)]
        """By their lines: a list may have several."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that is like ``word``, None if there is none."""
    by_fold = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold()[:MAX_TEXT], by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" if one of ``known`` is like ``word``, else nothing."""
    meant = closest(word, known)
    return f"; did you mean '{meant}'?" if meant is not None else ""


def quoted(word: str) -> str:
    """Return ``word`` for a message: one line, not too long."""
    shown = " ".join(word.split())
    return f"'{shown[:60]}…'" if len(shown) > 60 else f"'{shown}'"


def text(node: Node) -> str:
    """Read a text of one line."""
    if not isinstance(node, Text):
        raise Refused(node, "a text is wanted here, not a list or a mapping")
    if len(node.text) > MAX_TEXT:
        raise Refused(node, f"the text is longer than {MAX_TEXT} characters")
    if not node.text.strip() or not node.text.isprintable():
        raise Refused(node, "a text of printable characters on one line is wanted here")
    return node.text.strip()


def texts(node: Node) -> tuple[str, ...]:
    """Read a text or a list of texts."""
    return _each(entries(node), text)


def entries(node: Node) -> tuple[Node, ...]:
    """Return the entries of a list; what is no list stands for a list of itself."""
    if not isinstance(node, Sequence):
        return (node,)
    if not node.nodes:
        raise Refused(node, "the list is empty; name something or leave the key out")
    if len(node.nodes) > MAX_LIST:
        raise Refused(node, f"the list has more than {MAX_LIST} entries")
    return node.nodes


def _each(nodes: Iterable[Node], read: Reader[Value]) -> tuple[Value, ...]:
    """Read every one of ``nodes``; what is wrong with any of them is refused together."""
    found: list[Value] = []
    refused: Refused | None = None
    for node in nodes:
        try:
            found.append(read(node))
        except Refused as error:
            if refused is None:
                refused = error
            else:
                refused.faults += error.faults
    if refused is not None:
        raise refused
    return tuple(found)


def channel_id(node: Node) -> str:
    """Read a channel's identity."""
    written = text(node)
    if len(written) > 64 or not _ID.fullmatch(written):
        raise Refused(
            node, f"the id {quoted(written)} is no id: use up to 64 small letters, digits and hyphens"
        )
    return written


def channel_number(node: Node) -> str:
    """Read a channel's number as it is written."""
    written = text(node)
    if not _NUMBER.fullmatch(written):
        raise Refused(
            node, f'the number {quoted(written)} is no channel number: write digits such as "7" or "7.1"'
        )
    return written


def flag(node: Node) -> bool:
    """Read yes or no."""
    written = text(node).lower()
    if written not in _TRUE | _FALSE:
        raise Refused(node, f"{quoted(written)} is neither true nor false")
    return written in _TRUE


def count(node: Node) -> int:
    """Read how many items a pool gives at a time."""
    written = text(node)
    if not (written.isascii() and written.isdigit() and 1 <= int(written[:5]) <= 1_000):
        raise Refused(node, f"{quoted(written)} is no count: write a number from 1 to 1000")
    return int(written)


def align(node: Node) -> int:
    """Read the grid that programmes start on, in minutes."""
    written = text(node).replace(" ", "").lower()
    match = _ALIGN.fullmatch(written)
    if match is None or not written:
        raise Refused(node, f"{quoted(written)} is no length of time: write 30m, 1h or 1h30m")
    minutes = 60 * int(match[1] or 0) + int(match[2] or 0)
    if minutes and (minutes > MAX_ALIGN or MINUTES_A_DAY % minutes):
        raise Refused(
            node, f"a grid of {written} does not divide the day: use 5m, 10m, 15m, 20m, 30m, 1h, 2h or 4h"
        )
    return minutes


def timezone(node: Node) -> str:
    """Read the name of a time zone."""
    written = text(node)
    try:
        ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(written, available_timezones()) or "; write a name such as Europe/Berlin"
        raise Refused(node, f"there is no time zone {quoted(written)}{hint}") from None
    return written


def order(node: Node) -> Order:
    """Read the order of a pool."""
    return Order(one_of("order", Order)(node))


def kinds(node: Node) -> tuple[str, ...]:
    """Read what kinds of items belong to a pool."""
    return _each(entries(node), one_of("kind", ItemKind))


def years(node: Node) -> tuple[int, int]:
    """Read the first and the last year: ``1980..1989``, ``[1980, 1989]``, ``1980..`` or ``1984``."""
    written = "..".join(texts(node)) if isinstance(node, Sequence) and len(node.nodes) == 2 else text(node)
    match = _YEARS.fullmatch(written.replace(" ", ""))
    if match is None or not (match[1] or match[3]) or not (match[2] or match[3] is None):
        raise Refused(node, f"{quoted(written)} are no years: write 1984, 1980..1989, 1980.. or ..1989")
    first = int(match[1] or 0)
    last = int(match[3] or (9_999 if match[2] else first))
    if last < first:
        raise Refused(node, f"the years {quoted(written)} run backwards")
    return first, last


def rating(node: Node) -> float:
    """Read how good something is at least, from 0 to 10."""
    written = text(node)
    match = _RATING.fullmatch(written)
    if match is None or float(written) > 10:
        raise Refused(node, f"{quoted(written)} is no rating: write a number from 0 to 10, such as 7.5")
    return float(written)


def logo(node: Node) -> str:
    """Read where the logo is: an address, or a file beside the definition."""
    written = text(node)
    if not written.startswith(("http://", "https://")) and not _LOGO_FILE.fullmatch(written):
        raise Refused(
            node, f"the logo {quoted(written)} is neither an https address nor a file name beside this file"
        )
    return written


def one_of(what: str, known: Iterable[str]) -> Reader[str]:
    """Return a reader for one word among ``known``."""
    words = tuple(str(word) for word in known)

    def read(node: Node) -> str:
        written = text(node)
        if written not in words:
            hint = nearest(written, words) or f"; there are {', '.join(words)}"
            raise Refused(node, f"there is no {what} {quoted(written)}{hint}")
        return written

    return read
