"""What the server has: sections, entries, versions, files. Attributes are kept under the names that Plex gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]
"""Attributes by Plex's name, in the type that its JSON has."""

NUMBERS = {
    "movie": 1,
    "show": 2,
    "season": 3,
    "episode": 4,
    "artist": 8,
    "album": 9,
    "track": 10,
    "clip": 12,
    "photo": 13,
    "playlist": 15,
    "collection": 18,
}
KINDS = {number: kind for kind, number in NUMBERS.items()}

PARENTS = {"season": "show", "episode": "season", "album": "artist", "track": "album"}
CHILDREN = {parent: child for child, parent in PARENTS.items()}
LEVELS = {
    "movie": ("movie",),
    "show": ("show", "season", "episode"),
    "artist": ("artist", "album", "track"),
    "photo": ("photo",),
}
"""What a section of a type holds, from the top."""

HIDDEN_AGENT = "tv.plex.agents.none"


@dataclass(slots=True)
class Part:
    """One file. ``stamp`` is its time of change, which is part of its address."""

    id: int
    file: str
    size: int
    duration: int
    stamp: int
    container: str = "mkv"
    disk: str = ""
    """Where its bytes are on this machine; empty: nowhere, and whoever asks gets 404."""
    streams: list[Fields] = field(default_factory=list)
    fields: Fields = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The address of its bytes."""
        return f"/library/parts/{self.id}/{self.stamp}/file.{self.container}"


@dataclass(slots=True)
class Version:
    """One of the versions of an entry: `Media` in Plex's words."""

    id: int
    parts: list[Part]
    fields: Fields = field(default_factory=dict)


@dataclass(slots=True)
class Entry:
    """Anything that has a rating key."""

    key: int
    kind: str
    section: int
    fields: Fields
    guid: str = ""
    guids: list[str] = field(default_factory=list)
    parent: Entry | None = field(default=None, repr=False)
    children: list[Entry] = field(default_factory=list, repr=False)
    versions: list[Version] = field(default_factory=list)
    tags: dict[str, list[str]] = field(default_factory=dict)
    markers: list[Fields] = field(default_factory=list)
    chapters: list[Fields] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    """Rating keys of what a collection or a playlist holds."""
    rendered: dict[object, bytes] = field(default_factory=dict, repr=False)
    """How it was written down last, by form; emptied by every change."""

    @property
    def grandparent(self) -> Entry | None:
        """The show of an episode, the artist of a track."""
        return self.parent.parent if self.parent is not None else None

    @property
    def stamp(self) -> int:
        """What its pictures are stamped with."""
        return int(self.fields.get("updatedAt") or self.fields.get("addedAt") or 0)

    def leaves(self) -> Iterator[Entry]:
        """Yield the episodes or tracks below it."""
        for child in self.children:
            if child.kind in {"episode", "track"}:
                yield child
            else:
                yield from child.leaves()

    def ancestry(self) -> Iterator[Entry]:
        """Yield it, its parent and its grandparent."""
        entry: Entry | None = self
        while entry is not None:
            yield entry
            entry = entry.parent

    def touched(self) -> None:
        """Forget how it, what is above and what is below it was written down."""
        for entry in self.ancestry():
            entry.rendered.clear()
        self._forget_below()

    def _forget_below(self) -> None:
        for child in self.children:
            child.rendered.clear()
            child._forget_below()  # noqa: SLF001 -- the same class


@dataclass(slots=True)
class Section:
    """One library of the server."""

    key: int
    kind: str
    title: str
    locations: list[tuple[int, str]]
    fields: Fields
    refreshing: bool = False
    empty: bool = False
    """It answers as if it held nothing, as when its disk is gone."""
