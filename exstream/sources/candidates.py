"""From an item to the places where its bytes may be, in the order in which they are to be tried. PURE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from exstream.model.catalogue import Item, Media, Part, Reel, Source, Version
from exstream.plex.streams import location_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version of an item: the ``file`` on this machine, if any, and where its ``server`` has it."""

    file: Source | None
    server: Source | None


def library_of(item: Item) -> tuple[str, str]:
    """Return the library of an item: its server and its name."""
    return item.key.partition(":")[0], item.library


def candidates(item: Item) -> tuple[Candidate, ...]:
    """Return every version of ``item``, the one to play first. A file of a folder of one's own is the only one."""
    if not item.versions:
        return (Candidate(Source(item.path, item.media, item=item.key), None),) if item.path else ()
    server = item.key.partition(":")[0]
    found: list[Candidate] = []
    for version in item.versions:
        files = [part.file for part in version.parts]
        addresses = [part.key and location_of(server, part.key) for part in version.parts]
        media = item.media if version is item.versions[0] else _media_of(version)
        found.append(
            Candidate(_source(item, version, files, media), _source(item, version, addresses, media))
        )
    return tuple(found)


def first_choice(item: Item) -> Source | None:
    """Return where ``item`` is tried first when nobody has looked whether that can be read."""
    for candidate in candidates(item):
        if source := candidate.file or candidate.server:
            return source
    return None


def _source(item: Item, version: Version, places: Sequence[str], media: Media | None) -> Source | None:
    if not places or not all(places):
        return None
    reels = tuple(map(_reel, version.parts, places)) if len(places) > 1 else ()
    return Source(places[0], media, reels, item.key)


def _reel(part: Part, place: str) -> Reel:
    length = part.duration_ms or (part.media.duration_ms if part.media else 0)
    return Reel(place, length, part.media)


def _media_of(version: Version) -> Media | None:
    media = version.parts[0].media
    if media is None or len(version.parts) == 1:
        return media
    return replace(media, duration_ms=sum(part.duration_ms for part in version.parts))
