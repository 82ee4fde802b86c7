"""A server on paper: what a Plex server would answer, with faults, without a line to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exstream.errors import NotThere, OutboundError
from exstream.plex.records import (
    Identity,
    Kind,
    MediaRecord,
    Notice,
    Page,
    PartRecord,
    Record,
    Section,
    StreamRecord,
)

EPOCH = 1_700_000_000
_NONE: Mapping[str, str] = {}
_STREAMS = (
    StreamRecord("1", 1, "h264", 0, width=1280, height=720, frame_rate=25.0),
    StreamRecord("2", 2, "aac", 1, language="eng", channels=2, sample_rate=48_000),
)


def media(number: int, folder: str, size: int = 1_000) -> tuple[MediaRecord, ...]:
    """Return one version of one file."""
    key = f"/library/parts/{number}/{size}/file.mkv"
    part = PartRecord(str(number), key, f"{folder}/{number}.mkv", size, 60_000, "mkv")
    return (MediaRecord(str(number), (part,), 60_000, width=1280, height=720),)


def movie(number: int, title: str = "", **more: object) -> Record:
    """Return a film, each a minute younger than the one before it."""
    at = EPOCH + 60 * number
    record = Record(
        str(number), Kind.MOVIE, title or f"Film {number}", added_at=at, updated_at=at, duration=60_000
    )
    return replace(record, **{"media": media(number, "/media/movies"), **more})  # type: ignore[arg-type] # by name


def show(number: int, title: str, year: int, **more: object) -> Record:
    """Return a series."""
    at = EPOCH + 60 * number
    record = Record(str(number), Kind.SHOW, title, year=year, added_at=at, updated_at=at)
    return replace(record, **more)  # type: ignore[arg-type] # by name


def episode(number: int, of: Record, index: int, **more: object) -> Record:
    """Return an episode of a series' first season."""
    at = EPOCH + 60 * number
    record = Record(
        str(number),
        Kind.EPISODE,
        f"Part {index}",
        added_at=at,
        updated_at=at,
        index=index,
        parent_index=1,
        parent_key=f"{of.key}01",
        grandparent_key=of.key,
        grandparent_title=of.title,
        duration=60_000,
    )
    return replace(record, **{"media": media(number, "/media/tv"), **more})  # type: ignore[arg-type] # by name


@dataclass
class PaperServer:
    """Implements `PlexAsking`. ``entries`` are the records of each library by its key; change them at will."""

    machine: str = "paper"
    page_size: int = 3
    shelf: list[Section] = field(default_factory=list)
    entries: dict[str, list[Record]] = field(default_factory=dict)
    grouped: dict[str, tuple[Record, list[str]]] = field(default_factory=dict)
    """Collections and playlists by their key, with the keys of their members."""
    untold: set[str] = field(default_factory=set)
    """What it has and cannot tell: it is left out of listings, and is a fault in details."""
    honest: bool = True
    """Whether filters are applied."""
    fault: Callable[[str], OutboundError | None] = lambda _: None
    """Called with the name of each request; what it returns is raised."""
    requests: int = 0
    asked: list[str] = field(default_factory=list)
    told: asyncio.Queue[Notice] = field(default_factory=asyncio.Queue)

    def library(self, key: str, kind: Kind, title: str, records: Sequence[Record]) -> None:
        """Put a library up."""
        folder = "/media/movies" if kind is Kind.MOVIE else "/media/tv"
        self.shelf.append(
            Section(key, kind, title, scanned_at=EPOCH, content_changed_at="1", roots=(folder,))
        )
        self.entries[key] = list(records)

    def touch(self, key: str, *, scanned: bool = False) -> None:
        """Move the counter of a library, and the instant of its scan, as servers do when items come or go."""
        self.shelf = [
            replace(
                section,
                content_changed_at=str(int(section.content_changed_at) + 1),
                scanned_at=section.scanned_at + 60 if scanned else section.scanned_at,
            )
            if section.key == key
            else section
            for section in self.shelf
        ]

    def put(self, section: str, record: Record) -> None:
        """Add or replace an entry."""
        self.entries[section] = [each for each in self.entries[section] if each.key != record.key] + [record]

    def drop(self, section: str, *keys: str) -> None:
        """Remove entries."""
        self.entries[section] = [each for each in self.entries[section] if each.key not in keys]

    def _ask(self, what: str) -> None:
        self.requests += 1
        self.asked.append(what)
        if fault := self.fault(what):
            raise fault

    def _all(self, section: str, kind: Kind) -> list[Record]:
        if section not in self.entries:
            raise NotThere(f"no library {section}")
        found = [self._counted(section, each) for each in self.entries[section] if each.kind is kind]
        if kind is Kind.MOVIE:
            found += [each for each in self.entries[section] if each.kind is Kind.CLIP]
        return [each for each in found if each.key not in self.untold]

    def _counted(self, section: str, record: Record) -> Record:
        if record.kind is not Kind.SHOW:
            return record
        leaves = sum(each.grandparent_key == record.key for each in self.entries[section])
        return replace(record, leaf_count=leaves)

    async def identity(self) -> Identity:
        self._ask("identity")
        return Identity(self.machine, "1.40")

    async def sections(self) -> Sequence[Section]:
        self._ask("sections")
        return list(self.shelf)

    async def count(self, section: str, kind: Kind) -> int:
        self._ask(f"count {section} {kind}")
        return len(self._all(section, kind))

    async def pages(
        self,
        section: str,
        kind: Kind,
        *,
        start: int = 0,
        sort: str = "addedAt:asc",
        filters: Mapping[str, str] = _NONE,
    ) -> AsyncIterator[Page]:
        name, _, direction = sort.partition(":")
        while True:
            self._ask(f"page {section} {kind} {start}{' filtered' if filters else ''}")
            listed = sorted(
                self._all(section, kind),
                key=lambda each: _instant(each, name),
                reverse=direction == "desc",
            )
            for field_name, value in filters.items() if self.honest else ():
                listed = [each for each in listed if _passes(each, field_name, value)]
            portion = listed[start : start + self.page_size]
            yield Page(tuple(_listed(each) for each in portion), len(portion), len(listed))
            start += len(portion)
            if start >= len(listed) or not portion:
                return

    async def details(self, keys: Sequence[str]) -> Sequence[Record]:
        self._ask(f"details {len(keys)} {','.join(keys)}")
        return [
            Record(each.key, Kind.OTHER, "", fault="the server stumbles over it")
            if each.key in self.untold
            else _detailed(self._counted(section, each))
            for section, entries in self.entries.items()
            for each in entries
            if each.key in keys
        ]

    async def leaves(self, key: str) -> Sequence[Record]:
        self._ask(f"leaves {key}")
        listed = [each for entries in self.entries.values() for each in entries]
        return [_listed(each) for each in listed if key in {each.grandparent_key, each.parent_key}]

    async def collections(self, section: str) -> Sequence[Record]:
        self._ask(f"collections {section}")
        found = [each for each, _ in self.grouped.values() if each.kind is Kind.COLLECTION]
        return [each for each in found if each.section == section]

    async def playlists(self) -> Sequence[Record]:
        self._ask("playlists")
        return [each for each, _ in self.grouped.values() if each.kind is Kind.PLAYLIST]

    async def members(self, kind: Kind, key: str) -> Sequence[Record]:
        self._ask(f"members {key}")
        by_key = {each.key: each for entries in self.entries.values() for each in entries}
        return [by_key[member] for member in self.grouped[key][1] if member in by_key]

    async def notices(self) -> AsyncIterator[Notice]:
        while True:
            yield await self.told.get()


def _instant(record: Record, name: str) -> tuple[int, int]:
    return (record.added_at if name == "addedAt" else record.updated_at or 0), int(record.key)


def _passes(record: Record, name: str, value: str) -> bool:
    if name == "title":
        return value.casefold() in record.title.casefold()
    return _instant(record, name.removesuffix(">>"))[0] > int(value)


def _listed(record: Record) -> Record:
    return replace(record, labels=(), people=(), genres=record.genres[:2], markers=())


def _detailed(record: Record) -> Record:
    versions = tuple(
        replace(each, parts=tuple(replace(part, streams=_STREAMS) for part in each.parts))
        for each in record.media
    )
    return replace(record, media=versions)
