"""The library in memory. A change moves what it moves on a real server (`updatedAt`, `contentChangedAt`), no more."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from load.plex_server.model import HIDDEN_AGENT, LEVELS, Entry, Fields, Part, Section, Version

Teller = Callable[[str, Entry], None]
"""Hears of every entry that was ``created``, ``changed`` or ``deleted``."""

AGENTS = {
    "movie": ("tv.plex.agents.movie", "Plex Movie"),
    "show": ("tv.plex.agents.series", "Plex TV Series"),
    "artist": ("tv.plex.agents.music", "Plex Music"),
    "photo": ("com.plexapp.agents.none", "Plex Photo Scanner"),
}
VIDEO: Fields = {
    "bitrate": 4200,
    "width": 1920,
    "height": 1080,
    "aspectRatio": 1.78,
    "audioChannels": 2,
    "audioCodec": "aac",
    "videoCodec": "h264",
    "videoResolution": "1080",
    "videoFrameRate": "24p",
    "audioProfile": "lc",
    "videoProfile": "high",
    "hasVoiceActivity": False,
}
AUDIO: Fields = {"bitrate": 320, "audioChannels": 2, "audioCodec": "mp3"}


class NoSuchEntry(LookupError):
    """There is no entry, section or file of that key."""


class Catalogue:
    """Sections and entries by key, in the order they were made."""

    def __init__(self, machine: str, *, now: Callable[[], int] = lambda: int(time.time())) -> None:
        self.machine = machine
        self.sections: dict[int, Section] = {}
        self.entries: dict[int, Entry] = {}
        self.shelves: dict[tuple[int, str], dict[int, Entry]] = {}
        """Entries of a section and kind by rating key."""
        self.parts: dict[int, Part] = {}
        self.revision = 0
        self.tellers: list[Teller] = []
        self._now = now
        self._fixed: int | None = None
        self._next_key = 1
        self._next_part = 1
        self._next_location = 1
        self._changes = 1000

    @property
    def now(self) -> int:
        """Epoch seconds as this server counts them."""
        return self._now() if self._fixed is None else self._fixed

    def set_now(self, now: int | None) -> None:
        """Hold the clock at ``now``; None lets it go again."""
        self._fixed = now

    def entry(self, key: int | str) -> Entry:
        """Return the entry of a rating key."""
        try:
            return self.entries[int(key)]
        except (KeyError, ValueError) as wrong:
            raise NoSuchEntry(f"no entry {key}") from wrong

    def section(self, key: int | str) -> Section:
        """Return the section of a key."""
        try:
            return self.sections[int(key)]
        except (KeyError, ValueError) as wrong:
            raise NoSuchEntry(f"no section {key}") from wrong

    def shelf(self, section: int, kind: str) -> list[Entry]:
        """Return what a section holds of a kind, in the order it came."""
        return list(self.shelves.get((section, kind), {}).values())

    def everything(self, kind: str) -> Iterator[Entry]:
        """Yield all entries of a kind, over all sections."""
        for (_, shelved), entries in self.shelves.items():
            if shelved == kind:
                yield from entries.values()

    def changed(self, entry: Entry, *, told: str = "changed") -> None:
        """Note that ``entry`` differs from now on, and say so."""
        self.revision += 1
        self._changes += 1
        entry.touched()
        for member in entry.members:
            if member in self.entries:
                self.entries[member].rendered.clear()
        for teller in self.tellers:
            teller(told, entry)

    # -- sections --

    def add_section(
        self, kind: str, title: str, locations: Sequence[str], *, personal: bool = False, **fields: Any
    ) -> int:
        """Make a library of ``kind`` movie, show, artist or photo; ``personal``: other videos, without an agent."""
        key = max(self.sections, default=0) + 1
        agent, scanner = (HIDDEN_AGENT, "Plex Video Files Scanner") if personal else AGENTS[kind]
        roots = []
        for path in locations:
            roots.append((self._next_location, path))
            self._next_location += 1
        attributes = {
            "agent": agent,
            "scanner": scanner,
            "language": "xn" if personal else "en-US",
            "uuid": _uuid(f"{self.machine}/{key}"),
            "updatedAt": self.now,
            "createdAt": self.now,
            "scannedAt": self.now,
            "content": True,
            "directory": True,
            "contentChangedAt": self._changes,
            "hidden": 0,
        }
        kept = {name: value for name, value in (attributes | fields).items() if value is not None}
        self.sections[key] = Section(key, kind, title, roots, kept)
        self.revision += 1
        return key

    def change_section(self, key: int, *, title: str | None = None, **fields: Any) -> None:
        """Edit the definition of a library; that alone moves its ``updatedAt``."""
        section = self.section(key)
        section.title = title or section.title
        section.fields.update({"updatedAt": self.now} | fields)
        self.revision += 1

    def remove_section(self, key: int) -> None:
        """Remove a library with everything in it. Its key is not given again while a later one exists."""
        self.section(key)
        for kind in (*LEVELS[self.sections[key].kind], "collection"):
            for entry in self.shelves.pop((key, kind), {}).values():
                self._drop(entry)
        del self.sections[key]
        self.revision += 1

    def scanned(self, key: int) -> None:
        """Note that a scan has ended."""
        self.section(key).fields["scannedAt"] = self.now
        self.revision += 1

    # -- entries --

    def add(
        self,
        kind: str,
        section: int,
        title: str,
        *,
        parent: Entry | None = None,
        versions: Sequence[Fields] = (),
        guid: str | None = None,
        guids: Sequence[str] = (),
        tags: dict[str, list[str]] | None = None,
        markers: Sequence[Fields] = (),
        chapters: Sequence[Fields] = (),
        members: Sequence[int] = (),
        **fields: Any,
    ) -> int:
        """Make an entry and return its rating key. A field that is None is left out of every answer."""
        key = self._next_key
        self._next_key += 1
        stamps = {"addedAt": self.now, "updatedAt": self.now}
        attributes = {name: value for name, value in (stamps | fields).items() if value is not None}
        entry = Entry(key, kind, section, {"title": title} | attributes, parent=parent)
        entry.guid = guid if guid is not None else f"plex://{kind}/{_hex(f'{self.machine}/{key}')[:24]}"
        entry.guids, entry.tags = list(guids), {name: list(values) for name, values in (tags or {}).items()}
        entry.markers, entry.chapters = [*markers], [*chapters]
        entry.members = [int(member) for member in members]
        entry.versions = [self._version(version, entry) for version in versions]
        self.entries[key] = entry
        self.shelves.setdefault((section, kind), {})[key] = entry
        if parent is not None:
            parent.children.append(entry)
        self._content_changed(section)
        self.changed(entry, told="created")
        return key

    def change(self, key: int, *, moves: bool = True, **fields: Any) -> None:
        """Edit attributes of an entry; None takes one away. ``updatedAt`` moves with it unless ``moves`` is false."""
        entry = self.entry(key)
        for name, value in (({"updatedAt": self.now} if moves else {}) | fields).items():
            if value is None:
                entry.fields.pop(name, None)
            else:
                entry.fields[name] = value
        self.changed(entry)

    def describe(self, key: int, *, moves: bool = True, **parts: Any) -> None:
        """Replace ``guid``, ``guids``, ``tags``, ``markers``, ``chapters`` or ``members`` of an entry."""
        entry = self.entry(key)
        if "members" in parts:
            self.changed(entry)
        for name, value in parts.items():
            if name == "tags":
                entry.tags.update({tag: list(values) for tag, values in value.items()})
            elif name in {"guid", "guids", "markers", "chapters", "members"}:
                setattr(entry, name, value)
            else:
                raise NoSuchEntry(f"an entry has no {name}")
        if moves:
            entry.fields["updatedAt"] = self.now
        self.changed(entry)

    def watch(self, key: int, *, views: int = 1, offset: int | None = None) -> None:
        """Set how often an entry was watched; ``updatedAt`` stays where it is."""
        self.change(
            key,
            moves=False,
            viewCount=views or None,
            lastViewedAt=self.now if views else None,
            viewOffset=offset,
        )

    def remove(self, key: int) -> None:
        """Remove an entry with what is below it, and what is above it once that is empty. Nothing else moves."""
        entry = self.entry(key)
        for child in tuple(entry.children):
            self._take_off(child)
        parent = entry.parent
        self._take_off(entry)
        if parent is not None:
            parent.children.remove(entry)
            if parent.children:
                parent.touched()
            else:
                self.remove(parent.key)

    def replace_file(self, key: int, *, version: int = 0, part: int = 0, **changes: Any) -> None:
        """Put another file in the place of one: its address and size differ, the entry's ``updatedAt`` does not.

        ``changes``: size, file, duration, disk, stamp, container, streams.
        """
        entry = self.entry(key)
        try:
            changed = entry.versions[version].parts[part]
        except IndexError as wrong:
            raise NoSuchEntry(f"{key} has no part {part} in version {version}") from wrong
        changed.stamp = changes.pop("stamp", max(self.now, changed.stamp + 1))
        for name, value in changes.items():
            setattr(changed, name, value)
        self.changed(entry)

    def add_version(self, key: int, **version: Any) -> int:
        """Give an entry one more version and return its `Media` id; ``updatedAt`` stays where it is."""
        entry = self.entry(key)
        entry.versions.append(self._version(version, entry))
        self.changed(entry)
        return entry.versions[-1].id

    def remove_version(self, key: int, version: int) -> None:
        """Take a version away, by its place."""
        entry = self.entry(key)
        for part in entry.versions.pop(version).parts:
            self.parts.pop(part.id, None)
        self.changed(entry)

    def _version(self, spec: Fields, entry: Entry) -> Version:
        spec = dict(spec)
        parts = [self._part(part, entry) for part in spec.pop("parts", [{}])]
        length = sum(part.duration for part in parts)
        sound = entry.kind == "track"
        fields = {"duration": length} | (AUDIO if sound else VIDEO) | {"container": _container(parts)} | spec
        number = spec.pop("id", parts[0].id if parts else self._next_part)
        kept = {name: value for name, value in fields.items() if value is not None and name != "id"}
        return Version(int(number), parts, kept)

    def _part(self, spec: Fields, entry: Entry) -> Part:
        number, self._next_part = self._next_part, self._next_part + 1
        file = str(spec.get("file") or self._file(entry))
        part = Part(
            number,
            file,
            int(spec.get("size", 1_000_000_000 + number)),
            int(spec.get("duration") or entry.fields.get("duration") or 0),
            int(spec.get("stamp") or entry.fields.get("addedAt") or 0),
            str(spec.get("container") or PurePosixPath(file).suffix[1:] or "mkv"),
            str(spec.get("disk", "")),
            list(spec.get("streams", ())),
            dict(spec.get("fields", {})),
        )
        self.parts[number] = part
        return part

    def _file(self, entry: Entry) -> str:
        section = self.sections.get(entry.section)
        root = section.locations[0][1] if section is not None and section.locations else "/data"
        above = [str(above.fields["title"]) for above in entry.ancestry()][:0:-1]
        return "/".join([root, *above, f"{entry.fields['title']} [{entry.key}].mkv"])

    def _take_off(self, entry: Entry) -> None:
        for child in tuple(entry.children):
            self._take_off(child)
        del self.shelves[entry.section, entry.kind][entry.key]
        self._drop(entry)
        self._content_changed(entry.section)
        self.changed(entry, told="deleted")

    def _drop(self, entry: Entry) -> None:
        del self.entries[entry.key]
        for version in entry.versions:
            for part in version.parts:
                self.parts.pop(part.id, None)

    def _content_changed(self, section: int) -> None:
        self._changes += 1
        if section in self.sections:
            self.sections[section].fields["contentChangedAt"] = self._changes


def _hex(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _uuid(text: str) -> str:
    digits = _hex(text)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def _container(parts: Sequence[Part]) -> str | None:
    return parts[0].container if parts else None
