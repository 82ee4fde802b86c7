"""YAML text as a tree of lines and written words: nothing is constructed, converted or expanded.

The parser's events are taken one by one under limits of our own, so that a hostile file is refused before it can
grow: no aliases, no tags, no depth, few values. Scalars stay as they are written: ``7.10`` is not 7.1, ``no`` is not
false, ``1:30`` is not 90.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_VALUES = 10_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotReadable(Exception):
    """The text is no document of ours; ``line`` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a quoted text; ``empty`` where nothing, ``~`` or ``null`` is written."""

    line: int
    text: str
    quoted: bool = False

    @property
    def empty(self) -> bool:
        return not self.quoted and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    line: int
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values as they are written, doubles among them."""

    line: int
    pairs: tuple[tuple[Text, Node], ...]


Node = Text | Sequence | Mapping


def parse(content: bytes) -> Node | None:
    """Return the document in ``content``; None if there is none. Raises `NotReadable`."""
    if len(content) > MAX_BYTES:
        raise NotReadable(1, f"the file is larger than {MAX_BYTES // 1024} KiB; is it a channel definition?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotReadable(line, "this is not UTF-8 text; save the file as UTF-8") from None
    try:
        return _Composer(yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        raise _explained(error, text) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow has a position, but no mark
        position = getattr(error, "position", 0)
        line = text.encode().count(b"\n", 0, position) + 1
        raise NotReadable(line, "there is a control character that YAML does not allow") from None


class _Composer:
    """Builds the tree from the parser's events, with limits."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._values = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise NotReadable(_line(event), "a second document begins; write one channel per file")
                root = self._node(next(self._events), 0)
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._admit(event, depth)
        line = _line(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(line, tuple(self._nodes(yaml.SequenceEndEvent, depth)))
        if isinstance(event, yaml.MappingStartEvent):
            return Mapping(line, tuple(self._pairs(depth)))
        if isinstance(event, yaml.ScalarEvent):
            return Text(line, event.value, quoted=event.style is not None and event.style != "")
        raise NotReadable(line, "this cannot be read")

    def _nodes(self, end: type[yaml.Event], depth: int) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._node(event, depth + 1)

    def _pairs(self, depth: int) -> Iterator[tuple[Text, Node]]:
        nodes = self._nodes(yaml.MappingEndEvent, depth)
        for key in nodes:
            if not isinstance(key, Text):
                raise NotReadable(key.line, "a key is a word, not a list or a mapping")
            yield key, next(nodes)

    def _admit(self, event: yaml.Event, depth: int) -> None:
        """Refuse what definitions do not need and what grows without an end."""
        line = _line(event)
        self._values += 1
        if self._values > MAX_VALUES:
            raise NotReadable(line, f"there are more than {MAX_VALUES} values; is it a channel definition?")
        if depth > MAX_DEPTH:
            raise NotReadable(line, f"values are nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise NotReadable(
                line, "anchors and aliases (& and *) are not used here; write the value out, or quote it"
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise NotReadable(line, f"tags such as {tag[:60]} are not used here; write the plain value")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _explained(error: yaml.MarkedYAMLError, text: str) -> NotReadable:
    """Say what the parser means in the user's words."""
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark is not None else 0
    lines = text.splitlines()
    written = lines[number] if number < len(lines) else ""
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent:
        return NotReadable(number + 1, "a tab stands before the text; indent with spaces")
    problem = (error.problem or "this cannot be read").strip()
    context = f" ({error.context.strip()})" if error.context else ""
    return NotReadable(number + 1, f"this is no YAML: {problem}{context}")
