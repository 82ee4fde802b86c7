"""What is told of an entry: little in listings, everything in details, as real servers do it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from load.plex_server.answers import written
from load.plex_server.catalogue import Catalogue
from load.plex_server.model import CHILDREN, Entry, Fields, Part, Version

TAGS = ("Genre", "Country", "Collection", "Label", "Director", "Writer", "Producer", "Role", "Mood")
LIMITS = {"Genre": 2, "Country": 2, "Director": 2, "Writer": 2, "Producer": 2, "Role": 3}
"""How many tags of a kind a listing tells."""
DETAILS_ONLY = frozenset({"chapterSource", "hasPremiumPrimaryExtra", "theme"})
_FILTERS = {"Role": "actor"}
_FOLDERS = frozenset({"show", "season", "artist", "album"})


@dataclass(frozen=True, slots=True)
class Form:
    """How much is told, and how it is written."""

    as_json: bool
    detail: bool = False
    guids: bool = False
    markers: bool = False
    chapters: bool = False
    files: bool = False
    """Whether the server looks for the files before it answers (``checkFiles``)."""
    without: frozenset[str] = frozenset()
    """Fields and lists that are not wanted (``excludeFields``, ``excludeElements``, or what the container tells)."""


class Describer:
    """Writes entries down and keeps them until they change."""

    def __init__(self, catalogue: Catalogue, members: Callable[[Entry], list[Entry]]) -> None:
        self._catalogue = catalogue
        self._members = members
        self._collected: dict[int, list[str]] = {}
        self._collected_at = -1

    def entry(self, entry: Entry, form: Form) -> bytes:
        """Return an entry as it is written in ``form``."""
        lasting = entry.kind not in {"collection", "playlist"} and not form.files
        known = entry.rendered.get(form) if lasting else None
        if known is None:
            known = written(self.row(entry, form), as_json=form.as_json)
            if lasting:
                entry.rendered[form] = known
        return known

    def row(self, entry: Entry, form: Form) -> Fields:
        """Return an entry as a tree."""
        row = self._names(entry)
        row |= {
            name: value for name, value in entry.fields.items() if form.detail or name not in DETAILS_ONLY
        }
        if form.detail:
            row |= self._place(entry)
        row |= self._counts(entry, form) | _pictures(entry)
        if entry.versions:
            row["Media"] = [_version(version, entry, form) for version in entry.versions]
        tags = dict(entry.tags)
        if collections := [*tags.get("Collection", []), *self._collections().get(entry.key, [])]:
            tags["Collection"] = collections
        row |= _lists(entry, tags, form)
        return {name: value for name, value in row.items() if name not in form.without}

    def _collections(self) -> dict[int, list[str]]:
        """Return the titles of the collections that an entry was put into, by rating key; no smart ones."""
        if self._collected_at != self._catalogue.revision:
            self._collected, self._collected_at = {}, self._catalogue.revision
            for collection in self._catalogue.everything("collection"):
                for member in collection.members:
                    self._collected.setdefault(member, []).append(str(collection.fields["title"]))
        return self._collected

    def _names(self, entry: Entry) -> Fields:
        row: Fields = {"ratingKey": str(entry.key), "key": _address(entry), "type": entry.kind}
        if (top := entry.grandparent) is not None:
            row["grandparentArt"] = f"/library/metadata/{top.key}/art/{top.stamp}"
        if entry.guid:
            row["guid"] = entry.guid
        for above, name in ((entry.parent, "parent"), (entry.grandparent, "grandparent")):
            if above is None:
                continue
            row[f"{name}RatingKey"] = str(above.key)
            row[f"{name}Key"] = f"/library/metadata/{above.key}"
            row[f"{name}Guid"] = above.guid
            row[f"{name}Title"] = above.fields.get("title", "")
            row[f"{name}Thumb"] = f"/library/metadata/{above.key}/thumb/{above.stamp}"
            if name == "parent" and entry.kind != "album" and "index" in above.fields:
                row["parentIndex"] = above.fields["index"]
        return row

    def _place(self, entry: Entry) -> Fields:
        section = self._catalogue.sections.get(entry.section)
        if section is None:
            return {}
        return {
            "librarySectionTitle": section.title,
            "librarySectionID": section.key,
            "librarySectionKey": f"/library/sections/{section.key}",
        }

    def _counts(self, entry: Entry, form: Form) -> Fields:
        if entry.kind == "playlist":
            members = self._members(entry)
            length = sum(int(member.fields.get("duration", 0)) for member in members)
            return {"leafCount": len(members), "duration": length}
        if entry.kind == "collection":
            return {"childCount": len(self._members(entry))}
        if entry.kind == "album":
            return {"leafCount": len(entry.children)} if form.detail else {}
        if entry.kind not in CHILDREN:
            return {}
        counts: Fields = {}
        if entry.kind != "artist":
            leaves = tuple(entry.leaves())
            counts["leafCount"] = len(leaves)
            counts["viewedLeafCount"] = sum(1 for leaf in leaves if leaf.fields.get("viewCount"))
        if entry.kind == "show":
            counts["childCount"] = len(entry.children)
        return counts


def _address(entry: Entry) -> str:
    if entry.kind == "playlist":
        return f"/playlists/{entry.key}/items"
    if entry.kind == "collection":
        return f"/library/collections/{entry.key}/children"
    return f"/library/metadata/{entry.key}" + ("/children" if entry.kind in _FOLDERS else "")


def _pictures(entry: Entry) -> Fields:
    if entry.kind == "playlist":
        return {"composite": f"/playlists/{entry.key}/composite/{entry.stamp}"}
    thumb = f"/library/metadata/{entry.key}/thumb/{entry.stamp}"
    alt = str(entry.fields.get("title", ""))
    row: Fields = {"thumb": thumb, "Image": [{"alt": alt, "type": "coverPoster", "url": thumb}]}
    if entry.kind != "collection":
        top = list(entry.ancestry())[-1]
        row["art"] = f"/library/metadata/{top.key}/art/{top.stamp}"
    return row


def _lists(entry: Entry, told: dict[str, list[str]], form: Form) -> Fields:
    lists: Fields = {}
    for name in TAGS:
        tags = told.get(name, [])
        if form.detail:
            lists[name] = [_tag(name, tag) for tag in tags]
        elif name != "Label":
            lists[name] = [{"tag": tag} for tag in tags[: LIMITS.get(name)]]
    if form.guids or form.detail:
        lists["Guid"] = [{"id": guid} for guid in entry.guids]
    if form.markers:
        lists["Marker"] = [
            _marker(number, marker) for number, marker in enumerate(entry.markers, entry.key * 10)
        ]
    if form.chapters:
        lists["Chapter"] = [_chapter(entry, number, row) for number, row in enumerate(entry.chapters, 1)]
    if form.detail and entry.kind in {"show", "artist"}:
        lists["Location"] = [{"path": folder} for folder in _folders(entry)]
    return {name: rows for name, rows in lists.items() if rows}


def _tag(name: str, tag: str) -> Fields:
    kind = _FILTERS.get(name, name.lower())
    return {"id": tag_id(name, tag), "filter": f"{kind}={tag_id(name, tag)}", "tag": tag}


def tag_id(name: str, tag: str) -> int:
    """Return the number of a tag."""
    return zlib.crc32(f"{name}/{tag}".encode()) % 1_000_000


def _marker(number: int, marker: Fields) -> Fields:
    return {"id": number, **marker, "Attributes": {"id": number, "version": 4}}


def _chapter(entry: Entry, number: int, chapter: Fields) -> Fields:
    return {
        "id": number,
        "filter": f"thumb={number}",
        "index": number,
        **chapter,
        "thumb": f"/library/media/{entry.key}/chapterImages/{number}",
    }


def _folders(entry: Entry) -> list[str]:
    files = {part.file for leaf in entry.leaves() for version in leaf.versions for part in version.parts}
    depth = 1 if entry.kind == "show" else 0
    return sorted({str(PurePosixPath(file).parents[depth]) for file in files if "/" in file})[:1]


def _version(version: Version, entry: Entry, form: Form) -> Fields:
    row: Fields = {"id": version.id, **version.fields}
    parts = [_part(part, version, entry, form) for part in version.parts]
    return row | ({"Part": parts} if parts else {})


def _part(part: Part, version: Version, entry: Entry, form: Form) -> Fields:
    row: Fields = {}
    if form.files:
        there = bool(part.disk) or "deletedAt" not in entry.fields
        row |= {"accessible": there, "exists": there}
    row |= {
        "id": part.id,
        "key": part.key,
        "duration": part.duration,
        "file": part.file,
        "size": part.size,
        "container": part.container,
    }
    row |= {name: version.fields[name] for name in ("audioProfile", "videoProfile") if name in version.fields}
    row |= part.fields
    if form.detail:
        streams = part.streams or _streams(version, entry)
        row["Stream"] = [{"id": part.id * 10 + place, **stream} for place, stream in enumerate(streams)]
    return row


def _streams(version: Version, entry: Entry) -> list[Fields]:
    told, streams = version.fields, []
    if entry.kind != "track" and "videoCodec" in told:
        width, height = told.get("width", 1920), told.get("height", 1080)
        title = f"{height}p ({str(told['videoCodec']).upper()})"
        streams.append(
            {
                "streamType": 1,
                "default": True,
                "codec": told["videoCodec"],
                "index": 0,
                "bitrate": told.get("bitrate", 4000) - 192,
                "bitDepth": 8,
                "chromaSubsampling": "4:2:0",
                "colorPrimaries": "bt709",
                "colorRange": "tv",
                "colorSpace": "bt709",
                "colorTrc": "bt709",
                "frameRate": 25.0 if told.get("videoFrameRate") == "PAL" else 23.976,
                "height": height,
                "profile": told.get("videoProfile", "high"),
                "scanType": "progressive",
                "width": width,
                "displayTitle": title,
                "extendedDisplayTitle": title,
            }
        )
    if "audioCodec" in told:
        title = f"English ({str(told['audioCodec']).upper()} Stereo)"
        streams.append(
            {
                "streamType": 2,
                "selected": True,
                "default": True,
                "codec": told["audioCodec"],
                "index": len(streams),
                "channels": told.get("audioChannels", 2),
                "bitrate": 192,
                "language": "English",
                "languageTag": "en",
                "languageCode": "eng",
                "samplingRate": 48000,
                "displayTitle": title,
                "extendedDisplayTitle": title,
            }
        )
    return streams
