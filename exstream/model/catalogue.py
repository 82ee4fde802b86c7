"""The library as the planner and the player see it: an immutable snapshot of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType

from exstream.model.grid import Rate

ItemKey = str
"""Identity of an item: ``<server>:<rating key>``; for folders the server is ``local``."""


class ItemKind(StrEnum):
    """What an item is."""

    EPISODE = "episode"
    FILM = "film"
    TRACK = "track"
    FILLER = "filler"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Colour:
    """What a picture track says of its colours, in FFmpeg's names; empty where it says nothing."""

    matrix: str = ""
    primaries: str = ""
    transfer: str = ""
    full_range: bool = False


@dataclass(frozen=True, slots=True)
class Cadence:
    """How a picture track runs, found by reading stretches of it: without a hole, at one rate, its key frames IDRs."""

    starts_us: int
    """When the first picture is shown, in microseconds after the container's start."""
    gop_ms: int
    """The longest distance of key frames."""
    reorder: int
    """By how many pictures the decode order may run ahead of the display."""
    short_ms: int = 0
    """By how much the pictures end before the file does; 0 where it is less than one, or not known."""


@dataclass(frozen=True, slots=True)
class VideoStream:
    """One picture track. ``index`` counts among the file's video streams."""

    index: int
    codec: str
    width: int
    height: int
    rate: Rate | None = None
    sar: tuple[int, int] = (1, 1)
    interlaced: bool = False
    pixel_format: str = ""
    rotation: int = 0
    profile: str = ""
    """The codec's profile in FFmpeg's words: "High", "Main", ..."""
    colour: Colour = Colour()
    cadence: Cadence | None = None
    """None where it is irregular or not known."""


@dataclass(frozen=True, slots=True)
class AudioStream:
    """One sound track. ``index`` counts among the file's audio streams; ``language`` is ISO 639-2 or empty."""

    index: int
    codec: str
    channels: int
    sample_rate: int
    language: str = ""
    default: bool = False
    title: str = ""
    profile: str = ""
    """The codec's profile in FFmpeg's words: "LC", "HE-AAC", ..."""


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """One subtitle track: embedded (``index`` counts among the subtitles) or a sidecar file (``path``)."""

    codec: str
    index: int = -1
    language: str = ""
    forced: bool = False
    path: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """What probing found in a file. ``duration_ms`` is the container's, 0 when unknown."""

    duration_ms: int
    container: str = ""
    video: VideoStream | None = None
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    probed: int = 0
    """By which version of the probe; what an older one did not look for has its default."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a version, as its server tells of it."""

    key: str
    """The server's address of its bytes; it changes when the file does."""
    path: str
    """The absolute path on the server, in its own notation."""
    size: int
    duration_ms: int
    file: str = ""
    """The absolute path on this machine; empty where no mapping leads to it."""
    media: Media | None = None
    """What is in it; None until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Version:
    """One encoding of an item: a file, or several that follow one another. Sizes in pixels, ``kbps`` 0: unknown."""

    id: str
    parts: tuple[Part, ...]
    width: int = 0
    height: int = 0
    kbps: int = 0
    container: str = ""
    video_codec: str = ""
    audio_codec: str = ""
    channels: int = 0
    optimized: bool = False
    """Made by the server for slow lines."""


class MarkerKind(StrEnum):
    """What a stretch of an item is."""

    INTRO = "intro"
    CREDITS = "credits"
    COMMERCIAL = "commercial"
    CHAPTER = "chapter"


@dataclass(frozen=True, slots=True)
class Marker:
    """A stretch of an item, in milliseconds from its start."""

    kind: MarkerKind
    starts: int
    ends: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One film, episode, clip or track that can be scheduled. Times are UTC epoch milliseconds."""

    key: ItemKey
    kind: ItemKind
    title: str
    duration_ms: int
    library: str
    """The library's name, as pools select it."""
    show: str = ""
    """The series of an episode, the artist of a track or a music video."""
    season: int | None = None
    episode: int | None = None
    year: int | None = None
    summary: str = ""
    genres: tuple[str, ...] = ()
    path: str = ""
    """Absolute path of the media file; empty when it is not on this machine."""
    media: Media | None = None
    added_at: int = 0
    updated_at: int = 0
    missing: bool = False
    """The file was there once; the item keeps its place but is not scheduled anew."""
    show_key: ItemKey = ""
    """Which show it belongs to, where a server tells shows of one name apart."""
    show_year: int | None = None
    album: str = ""
    aired: str = ""
    """The date of the first broadcast or release, ISO 8601; empty: unknown."""
    content_rating: str = ""
    """As the server writes it: "TV-14", "de/16"; "NR" where it has none."""
    rating: float | None = None
    """From 0 to 10."""
    views: int = 0
    """How often the server's owner has watched it."""
    labels: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    playlists: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """Cast, directors and writers, the foremost first."""
    external_ids: tuple[str, ...] = ()
    """Such as "tvdb:12345", "imdb:tt0123456"; the one to go by first."""
    artwork: str = ""
    """The server's address of a picture; it needs the server's token."""
    markers: tuple[Marker, ...] = ()
    versions: tuple[Version, ...] = ()
    """Every file of it that a server has; empty for files of this machine."""
    server: str = ""
    """The name of the server that has it; empty for files of this machine."""


class LibraryKind(StrEnum):
    """Where a library's items come from."""

    DEMO = "demo"
    FOLDER = "folder"
    PLEX = "plex"


@dataclass(frozen=True, slots=True)
class Library:
    """One source of items: a folder of one's own media, the demo library, or a library of a server."""

    id: int
    kind: LibraryKind
    name: str
    path: str
    """Absolute path of the folder; for a library of a server its address there, "/library/sections/1"."""
    server: str = "local"


@dataclass(frozen=True, slots=True)
class Reel:
    """One of several files that follow one another."""

    location: str
    duration_ms: int
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item's bytes come from, and what is known of it.

    ``location`` is an absolute path, a loopback URL, or ``plex://<machine>/library/parts/...``: a file that a server
    has to be asked for.
    """

    location: str
    media: Media | None
    reels: tuple[Reel, ...] = ()
    """All of its files in order, where there are several; the first of them is at ``location``."""
    item: ItemKey = ""
    """Whose bytes they are; empty: not known."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items by key; ``version`` is a hash of the contents."""

    items: Mapping[ItemKey, Item] = field(default_factory=lambda: MappingProxyType({}))
    version: str = ""

    @classmethod
    def of(cls, items: Iterable[Item]) -> Catalogue:
        """Make a snapshot of ``items``; the version does not depend on their order."""
        by_key = {item.key: item for item in sorted(items, key=lambda item: item.key)}
        digest = blake2b(digest_size=12)
        for item in by_key.values():
            digest.update(repr(item).encode())
        return cls(MappingProxyType(by_key), digest.hexdigest())
