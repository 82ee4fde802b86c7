"""What a Plex server tells, read but not yet made into items. Instants are epoch seconds, lengths milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a record describes, in the server's words."""

    MOVIE = "movie"
    SHOW = "show"
    SEASON = "season"
    EPISODE = "episode"
    ARTIST = "artist"
    ALBUM = "album"
    TRACK = "track"
    CLIP = "clip"
    COLLECTION = "collection"
    PLAYLIST = "playlist"
    PHOTO = "photo"
    OTHER = "other"


LIST_TYPES = {
    Kind.MOVIE: 1,
    Kind.SHOW: 2,
    Kind.SEASON: 3,
    Kind.EPISODE: 4,
    Kind.ARTIST: 8,
    Kind.ALBUM: 9,
    Kind.TRACK: 10,
    Kind.COLLECTION: 18,
}
"""The ``type`` of a listing."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which server answers. Its addresses may change, this does not."""

    machine: str
    version: str
    claimed: bool = False
    name: str = ""
    """Its friendly name; empty where it was not asked for."""


@dataclass(frozen=True, slots=True)
class Section:
    """One library of a server."""

    key: str
    kind: Kind
    """MOVIE (films and other videos), SHOW, ARTIST or PHOTO."""
    title: str
    agent: str = ""
    uuid: str = ""
    scanned_at: int = 0
    """The end of the last scan; it moves without any change too."""
    content_changed_at: str = ""
    """A counter that moves when something is added or removed, and not by every change."""
    refreshing: bool = False
    roots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One file of a version."""

    id: str
    key: str
    file: str
    size: int
    duration: int
    container: str = ""
    exists: bool = True
    streams: tuple[StreamRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One track of a file; ``kind`` 1 is video, 2 audio, 3 subtitles. Only details have them."""

    id: str
    kind: int
    codec: str
    index: int | None = None
    """None: a file of its own, whose bytes are at ``key``."""
    key: str = ""
    language: str = ""
    """ISO 639-2."""
    title: str = ""
    default: bool = False
    forced: bool = False
    profile: str = ""
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    scan: str = ""
    bit_depth: int = 8
    colour_space: str = ""
    colour_primaries: str = ""
    colour_transfer: str = ""
    colour_range: str = ""
    chroma: str = ""
    sample_aspect: str = ""
    channels: int = 0
    sample_rate: int = 0


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """One version of an item."""

    id: str
    parts: tuple[PartRecord, ...]
    duration: int = 0
    bitrate: int = 0
    width: int = 0
    height: int = 0
    container: str = ""
    video_codec: str = ""
    audio_codec: str = ""
    audio_channels: int = 0
    frame_rate: str = ""
    optimized: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class MarkerRecord:
    """A stretch of an item: ``kind`` is intro, credits, commercial or chapter."""

    kind: str
    starts: int
    ends: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a listing, or the details of one. What the server left out is empty."""

    key: str
    """The rating key."""
    kind: Kind
    title: str
    subtype: str = ""
    sort_title: str = ""
    original_title: str = ""
    edition: str = ""
    summary: str = ""
    year: int | None = None
    aired: str = ""
    duration: int = 0
    studio: str = ""
    content_rating: str = ""
    rating: float | None = None
    audience_rating: float | None = None
    added_at: int = 0
    updated_at: int | None = None
    """None where it is missing: `stamp` then falls back."""
    views: int = 0
    index: int | None = None
    parent_index: int | None = None
    parent_key: str = ""
    parent_title: str = ""
    grandparent_key: str = ""
    grandparent_title: str = ""
    section: str = ""
    leaf_count: int = 0
    child_count: int = 0
    guid: str = ""
    guids: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    thumb: str = ""
    art: str = ""
    smart: bool = False
    deleted_at: int = 0
    media: tuple[MediaRecord, ...] = ()
    markers: tuple[MarkerRecord, ...] = ()
    fault: str = ""
    """Why nothing but the key is known of it: the server has it, and cannot tell it."""

    @property
    def stamp(self) -> int:
        """Return when it last changed, in epoch seconds: ``updatedAt``, else ``addedAt``, else 0."""
        return self.updated_at if self.updated_at is not None else self.added_at


@dataclass(frozen=True, slots=True)
class Page:
    """A portion of a listing."""

    records: tuple[Record, ...]
    received: int
    """How many entries came, those that could not be read included: the next page starts so many further."""
    total: int
    faults: tuple[str, ...] = ()
    """One sentence for each entry that could not be read."""


class Happening(StrEnum):
    """What a notice tells."""

    CHANGED = "changed"
    DELETED = "deleted"
    SCANNED = "scanned"
    CONNECTED = "connected"
    """The line is up again: what happened meanwhile is not told."""
    LOST = "lost"
    """The line broke: perhaps the server is away."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something happened on the server; ``item`` is a rating key, ``section`` a library's key, each may be empty."""

    kind: Happening
    item: str = ""
    section: str = ""
