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
class Item:
    """One film, episode or clip that can be scheduled. Times are UTC epoch milliseconds."""

    key: ItemKey
    kind: ItemKind
    title: str
    duration_ms: int
    library: str
    """The library's name, as pools select it."""
    show: str = ""
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


class LibraryKind(StrEnum):
    """Where a library's items come from."""

    DEMO = "demo"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Library:
    """One source of items: a folder of one's own media, or the demo library."""

    id: int
    kind: LibraryKind
    name: str
    path: str
    """Absolute path of the folder."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item's bytes come from: an absolute path or a loopback URL, and what is known of it."""

    location: str
    media: Media | None


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
