"""The files and the markers of an item, as JSON and back. Fields that hold their default are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from exstream.model.catalogue import Marker, MarkerKind, Media, Part, Version
from exstream.store import media

Json = dict[str, Any]
ReadMedia = Callable[[int, str], Media]
"""Makes of a length in milliseconds and the text that `media.written` gave what is in a file."""

_KINDS = {kind.value: kind for kind in MarkerKind}


def written(versions: Iterable[Version]) -> list[Json]:
    """Return ``versions`` as JSON."""
    return [_version(version) for version in versions]


def read(found: Iterable[Json], read_media: ReadMedia) -> tuple[Version, ...]:
    """Return what `written` wrote; fields that a newer version added are passed over."""
    return tuple(
        Version(
            each["id"],
            tuple(_part_from(part, read_media) for part in each["parts"]),
            each.get("width", 0),
            each.get("height", 0),
            each.get("kbps", 0),
            each.get("container", ""),
            each.get("video_codec", ""),
            each.get("audio_codec", ""),
            each.get("channels", 0),
            each.get("optimized", False),
        )
        for each in found
    )


def describe(files: Iterable[Json], found: Mapping[str, Media]) -> bool:
    """Put what was ``found`` in files, by their address, into what `written` gave; tell whether it differs."""
    changed = False
    for part in (part for version in files for part in version["parts"]):
        inside = found.get(part["key"])
        if inside is not None:
            news = {"media_ms": inside.duration_ms, "media": orjson.dumps(media.written(inside)).decode()}
            changed = changed or {name: part.get(name) for name in news} != news
            part.update(news)
    return changed


def markers_written(markers: Iterable[Marker]) -> list[Json]:
    """Return ``markers`` as JSON."""
    found: list[Json] = []
    for marker in markers:
        found.append({"kind": marker.kind.value, "starts": marker.starts, "ends": marker.ends})
        if marker.title:
            found[-1]["title"] = marker.title
    return found


def markers_read(found: Iterable[Json]) -> tuple[Marker, ...]:
    """Return what `markers_written` wrote; kinds that a newer version added are passed over."""
    return tuple(
        Marker(_KINDS[each["kind"]], each["starts"], each["ends"], each.get("title", ""))
        for each in found
        if each["kind"] in _KINDS
    )


def _version(version: Version) -> Json:
    found: Json = {"id": version.id, "parts": [_part(part) for part in version.parts]}
    for name in (
        "width",
        "height",
        "kbps",
        "container",
        "video_codec",
        "audio_codec",
        "channels",
        "optimized",
    ):
        if value := getattr(version, name):
            found[name] = value
    return found


def _part(part: Part) -> Json:
    found: Json = {"key": part.key, "path": part.path, "size": part.size, "duration_ms": part.duration_ms}
    if part.file:
        found["file"] = part.file
    if part.media is not None:
        found["media_ms"] = part.media.duration_ms
        # A text inside the text: what is in a file is often the same, and equal texts need not be read again.
        found["media"] = orjson.dumps(media.written(part.media)).decode()
    return found


def _part_from(found: Json, read_media: ReadMedia) -> Part:
    text = found.get("media")
    return Part(
        found["key"],
        found["path"],
        found["size"],
        found["duration_ms"],
        found.get("file", ""),
        None if text is None else read_media(found["media_ms"], text),
    )
