"""Items as rows of a table, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast

from exstream.errors import CatalogueError
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind, Marker, Media, Version
from exstream.store import media, versions
from exstream.store.keeping import Key, Values
from exstream.store.tables import item as items
from exstream.store.tables import library as libraries
from exstream.store.tables import server as servers

FILE_COLUMNS = (
    *("server_id", "rating_key", "library_id", "kind", "title", "duration_ms", "show", "season", "episode"),
    *("year", "summary", "genres", "file_path", "media_duration_ms", "media", "added_at", "updated_at"),
    "missing",
)
"""What is known of an item that is a file of this machine."""
LOADED: tuple[ColumnElement[Any], ...] = (
    items.c.server_id,
    items.c.rating_key,
    items.c.kind,
    items.c.title,
    items.c.duration_ms,
    libraries.c.name,
    items.c.show,
    items.c.season,
    items.c.episode,
    items.c.year,
    items.c.summary,
    cast(items.c.genres, Text),
    items.c.file_path,
    items.c.media_duration_ms,
    cast(items.c.media, Text),
    items.c.added_at,
    items.c.updated_at,
    items.c.missing,
    items.c.show_key,
    items.c.show_year,
    items.c.album,
    items.c.aired,
    items.c.content_rating,
    items.c.rating,
    items.c.views,
    cast(items.c.labels, Text),
    cast(items.c.people, Text),
    cast(items.c.external_ids, Text),
    items.c.artwork,
    cast(items.c.markers, Text),
    cast(items.c.versions, Text),
    servers.c.name,
)
"""What `Reader` makes an item of."""

_KINDS = {kind.value: kind for kind in ItemKind}
_NOTHING = "[]"


def identity(key: ItemKey) -> Key:
    """Return the identity of the row of ``key``; raise CatalogueError for a key that names no server."""
    server, mark, rating_key = key.partition(":")
    if not (server and mark and rating_key):
        raise CatalogueError(f"the item key {key!r} names no server: it must be <server>:<key>")
    return server, rating_key


def file_values(library_id: int, item: Item) -> Values:
    """Return the `FILE_COLUMNS` of ``item``."""
    server, rating_key = identity(item.key)
    return {
        "server_id": server,
        "rating_key": rating_key,
        "library_id": library_id,
        "kind": item.kind.value,
        "title": item.title,
        "duration_ms": item.duration_ms,
        "show": item.show,
        "season": item.season,
        "episode": item.episode,
        "year": item.year,
        "summary": item.summary,
        "genres": list(item.genres),
        "file_path": item.path,
        "media_duration_ms": None if item.media is None else item.media.duration_ms,
        "media": media.written(item.media),
        "added_at": item.added_at,
        "updated_at": item.updated_at,
        "missing": item.missing,
    }


class Memberships:
    """What items are in beside their library: by their own key or by that of their show."""

    def __init__(
        self,
        collections: Mapping[ItemKey, tuple[str, ...]] = MappingProxyType({}),
        playlists: Mapping[ItemKey, tuple[str, ...]] = MappingProxyType({}),
        labels: Mapping[ItemKey, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        self._of = (collections, playlists, labels)
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(
        self, key: ItemKey, show_key: ItemKey, labels: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the collections, the playlists and the labels of an item that has ``labels`` of its own."""
        collections, playlists, shows = self._of
        return (
            self._joined(collections.get(key, ()), collections.get(show_key, ())),
            self._joined(playlists.get(key, ()), playlists.get(show_key, ())),
            self._joined(labels, shows.get(show_key, ())),
        )

    def __repr__(self) -> str:
        """Return all of it: the catalogue's version depends on it."""
        return repr([sorted(each.items()) for each in self._of])

    def _joined(self, own: tuple[str, ...], shows: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys((*own, *shows)))
        return self._shared.setdefault(names, names)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A catalogue and what it was made of, so that the next one is made of it but for what has changed."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    memberships: bytes = b""
    rows: Mapping[ItemKey, bytes] = field(default_factory=dict)
    """A hash of the row of each item."""


class Reader:
    """Makes a catalogue of rows of the columns `LOADED`; items whose row is as it was are those that there were.

    Many items have the same genres and the same streams: each JSON text is read once and what it says is shared, as are
    names, which saves most of the time and the memory.
    """

    def __init__(self, memberships: Memberships, before: Loaded = Loaded()) -> None:
        self._items: dict[ItemKey, Item] = {}
        self._rows: dict[ItemKey, bytes] = {}
        self._digest = blake2b(repr(memberships).encode(), digest_size=12)
        self._held_together = self._digest.digest()
        self._before = before if before.memberships == self._held_together else Loaded()
        self._memberships = memberships
        self._names: dict[str, tuple[str, ...]] = {_NOTHING: ()}
        self._media: dict[str, Media] = {}
        self._lasting: dict[tuple[int, str], Media] = {}
        self._texts: dict[str, str] = {}

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take in some rows."""
        for row in rows:
            key = f"{row[0]}:{row[1]}"
            # As a tuple: a row of a result leaves out the middle of long values.
            mark = blake2b(repr(tuple(row)).encode(), digest_size=12).digest()
            self._digest.update(mark)
            self._rows[key] = mark
            same = self._before.rows.get(key) == mark
            self._items[key] = self._before.catalogue.items[key] if same else self._item(key, *row[2:])

    def _item(self, key: ItemKey, kind: str, title: str, length_ms: int, library: str, *rest: Any) -> Item:
        show, season, episode, year, summary, genres, path, *rest_of_it = rest
        media_ms, probed, added_at, updated_at, missing, show_key, show_year, album, *more = rest_of_it
        aired, content_rating, rating, views, labels, people, external_ids, artwork, *last = more
        markers, files, server_name = last
        show_key = self._shared(show_key)
        versions_now = self._versions(files)
        collections, playlists, labels = self._memberships.of(key, show_key, self._names_of(labels))
        return Item(
            key,
            _KINDS[kind],
            title,
            length_ms,
            self._shared(library),
            self._shared(show),
            season,
            episode,
            year,
            summary,
            self._names_of(genres),
            path,
            self._media_of(media_ms, probed) if probed is not None else _media_in(versions_now),
            added_at,
            updated_at,
            missing,
            show_key,
            show_year,
            self._shared(album),
            aired,
            self._shared(content_rating),
            rating,
            views,
            labels,
            collections,
            playlists,
            self._names_of(people),
            () if external_ids == _NOTHING else tuple(orjson.loads(external_ids)),
            artwork,
            _markers(markers),
            versions_now,
            self._shared(server_name or ""),
        )

    def loaded(self) -> Loaded:
        """Return what was taken in."""
        catalogue = Catalogue(MappingProxyType(dict(sorted(self._items.items()))), self._digest.hexdigest())
        return Loaded(catalogue, self._held_together, self._rows)

    def _shared(self, text: str) -> str:
        return self._texts.setdefault(text, text)

    def _names_of(self, text: str) -> tuple[str, ...]:
        found = self._names.get(text)
        if found is None:
            found = self._names[text] = tuple(map(self._shared, orjson.loads(text)))
        return found

    def _media_of(self, duration_ms: int, text: str) -> Media:
        found = self._lasting.get((duration_ms, text))
        if found is None:
            same = self._media.get(text)
            if same is None:
                same = self._media[text] = media.read(duration_ms, orjson.loads(text))
            found = Media(duration_ms, same.container, same.video, same.audio, same.subtitles, same.probed)
            self._lasting[duration_ms, text] = found
        return found

    def _versions(self, text: str) -> tuple[Version, ...]:
        return () if text == _NOTHING else versions.read(orjson.loads(text), self._media_of)


def _markers(text: str) -> tuple[Marker, ...]:
    return () if text == _NOTHING else versions.markers_read(orjson.loads(text))


def _media_in(found: tuple[Version, ...]) -> Media | None:
    """Return what is in the first file of the version to play, as long as all of its files."""
    parts = found[0].parts if found else ()
    if not parts or parts[0].media is None:
        return None
    if len(parts) == 1:
        return parts[0].media
    return replace(parts[0].media, duration_ms=sum(part.duration_ms for part in parts))
