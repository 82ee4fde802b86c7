"""Makes items and shows of what a server tells, and says by a digest whether one has changed. PURE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b

from exstream.model.catalogue import (
    Item,
    ItemKey,
    ItemKind,
    Marker,
    MarkerKind,
    Media,
    Part,
    Version,
)
from exstream.model.server import ServerId, Show
from exstream.plex.guids import own_ids
from exstream.plex.records import Kind, MarkerRecord, MediaRecord, PartRecord, Record
from exstream.plex.streams import media_of

NOT_RATED = "NR"
ITEM_KINDS = {
    Kind.MOVIE: ItemKind.FILM,
    Kind.EPISODE: ItemKind.EPISODE,
    Kind.TRACK: ItemKind.TRACK,
    Kind.CLIP: ItemKind.OTHER,
}
"""What is an item, and of which kind: everything else holds items, or is none."""
_PERSONAL = ("com.plexapp.agents.none://", "tv.plex.agents.none://")
_MARKERS = {kind.value: kind for kind in MarkerKind}


class Choice(StrEnum):
    """Which version of an item is played where there are several."""

    BEST = "best"
    """The largest picture, then the most bits."""
    SMALLEST = "smallest"
    """The smallest picture, then the fewest bits."""
    FIRST = "first"
    """The server's own order."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an item is made of beside its record. ``local`` returns where a file of the server lies here, or ""."""

    server: ServerId
    library: str
    local: Callable[[str], str]
    choice: Choice = Choice.BEST
    fingerprint: str = ""
    """Changes when ``local`` would lead elsewhere."""


def key_of(server: ServerId, rating_key: str) -> ItemKey:
    """Return the identity of an item, show or grouping: rating keys are told apart by their server only."""
    return f"{server}:{rating_key}" if rating_key else ""


def rating_key_of(key: ItemKey) -> str:
    """Return what a server calls the item of ``key``."""
    return key.rpartition(":")[2]


def digest_of(record: Record, around: Surroundings, show: Show | None) -> str:
    """Return what changes when an item has to be made anew, from what a listing tells.

    ``updatedAt`` alone would not do: it stays when a file is replaced.
    """
    media = [
        (
            version.id,
            version.deleted,
            [(part.id, part.key, part.file, part.size, part.duration) for part in version.parts],
        )
        for version in record.media
    ]
    return _hash(
        (
            *(record.stamp, record.title, record.index, record.parent_index, record.parent_key),
            *(record.grandparent_key, record.guid, sorted(record.guids), record.duration, media),
            *(around.library, around.choice.value, around.fingerprint, show.digest if show else ""),
        )
    )


def item_of(record: Record, around: Surroundings, show: Show | None) -> Item | None:
    """Return the item that ``record`` describes, or None where it describes none."""
    kind = _kind(record)
    if kind is None:
        return None
    versions = versions_of(record, around)
    chosen = versions[0] if versions else None
    numbered = kind is ItemKind.EPISODE
    return Item(
        key=key_of(around.server, record.key),
        kind=kind,
        title=record.title,
        duration_ms=_duration(record, chosen),
        library=around.library,
        show=_show_title(record, kind, show),
        season=record.parent_index if numbered else None,
        episode=record.index if numbered or kind is ItemKind.TRACK else None,
        year=record.year,
        summary=record.summary,
        genres=record.genres or (show.genres if show else ()),
        path=chosen.parts[0].file if chosen else "",
        media=_media(chosen),
        added_at=record.added_at * 1_000,
        updated_at=record.stamp * 1_000,
        show_key=_show_key(record, around.server),
        show_year=show.year if show else None,
        album=record.parent_title if kind is ItemKind.TRACK else "",
        aired=record.aired,
        content_rating=record.content_rating or (show.content_rating if show else "") or NOT_RATED,
        rating=record.rating if record.rating is not None else record.audience_rating,
        views=record.views,
        labels=record.labels,
        collections=record.collections,
        people=record.people,
        external_ids=own_ids(record.guid, record.guids),
        artwork=record.thumb or record.art or (show.artwork if show else ""),
        markers=markers_of(record.markers),
        versions=versions,
    )


def show_of(record: Record, server: ServerId) -> Show | None:
    """Return the series or artist that ``record`` describes, or None where it describes none."""
    if record.kind not in {Kind.SHOW, Kind.ARTIST}:
        return None
    show = Show(
        key=key_of(server, record.key),
        title=record.title,
        year=record.year,
        external_ids=own_ids(record.guid, record.guids),
        leaf_count=record.leaf_count,
        child_count=record.child_count,
        summary=record.summary,
        genres=record.genres,
        content_rating=record.content_rating,
        artwork=record.thumb or record.art,
        stamp=record.stamp,
        labels=record.labels,
    )
    # What episodes take from their show, and nothing else: how many there are makes none of them anew.
    handed_on = (show.title, show.year, show.genres, show.content_rating, show.artwork)
    return replace(show, digest=_hash(handed_on))


def versions_of(record: Record, around: Surroundings) -> tuple[Version, ...]:
    """Return every version that has files, the one to play first.

    Those whose file is gone come last, and before them those that the server made for slow lines.
    """
    usable = [media for media in record.media if media.parts]
    ordered = sorted(
        usable, key=lambda media: (_is_gone(media), media.optimized, *_rank(media, around.choice))
    )
    return tuple(_version(media, around) for media in ordered)


def markers_of(records: Sequence[MarkerRecord]) -> tuple[Marker, ...]:
    """Return the stretches that make sense, in order; two of one kind do not start at one instant."""
    found = {
        (marker.starts, marker.kind): Marker(_MARKERS[marker.kind], marker.starts, marker.ends, marker.title)
        for marker in records
        if marker.kind in _MARKERS and 0 <= marker.starts < marker.ends
    }
    return tuple(found[place] for place in sorted(found))


def _kind(record: Record) -> ItemKind | None:
    kind = ITEM_KINDS.get(record.kind)
    if kind is ItemKind.FILM and (record.subtype == "clip" or record.guid.startswith(_PERSONAL)):
        return ItemKind.OTHER
    return kind


def _show_key(record: Record, server: ServerId) -> ItemKey:
    if record.kind in {Kind.EPISODE, Kind.TRACK}:
        return key_of(server, record.grandparent_key)
    return ""


def _show_title(record: Record, kind: ItemKind, show: Show | None) -> str:
    if kind is ItemKind.FILM:
        return ""
    if kind is ItemKind.OTHER:  # a music video tells its artist
        return record.grandparent_title or record.parent_title
    return (show.title if show else "") or record.grandparent_title


def _version(media: MediaRecord, around: Surroundings) -> Version:
    return Version(
        id=media.id,
        parts=tuple(_part(media, part, around) for part in media.parts),
        width=media.width,
        height=media.height,
        kbps=media.bitrate,
        container=media.container,
        video_codec=media.video_codec,
        audio_codec=media.audio_codec,
        channels=media.audio_channels,
        optimized=media.optimized,
    )


def _part(media: MediaRecord, part: PartRecord, around: Surroundings) -> Part:
    return Part(
        key=part.key,
        path=part.file,
        size=part.size,
        duration_ms=part.duration or (media.duration if len(media.parts) == 1 else 0),
        file=around.local(part.file) if part.file else "",
        media=media_of(media, part, around.server),
    )


def _rank(media: MediaRecord, choice: Choice) -> tuple[int, int]:
    size = media.width * media.height
    if choice is Choice.FIRST:
        return 0, 0
    if choice is Choice.SMALLEST:  # of unknown size is not small
        return size or 1 << 32, media.bitrate
    return -size, -media.bitrate


def _is_gone(media: MediaRecord) -> bool:
    return media.deleted or not all(part.exists for part in media.parts)


def _duration(record: Record, chosen: Version | None) -> int:
    """Return how long an item lasts: the files of the chosen version together, else by the server's word."""
    lengths = [part.duration_ms for part in chosen.parts] if chosen else []
    return sum(lengths) if lengths and all(lengths) else record.duration


def _media(chosen: Version | None) -> Media | None:
    """Return what is in the first file of a version, as long as all of them."""
    if chosen is None or chosen.parts[0].media is None:
        return None
    media = chosen.parts[0].media
    if len(chosen.parts) == 1:
        return media
    return replace(media, duration_ms=sum(part.duration_ms for part in chosen.parts))


def _hash(facts: object) -> str:
    return blake2b(repr(facts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
