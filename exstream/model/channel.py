"""Channels and the formats they are sent in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from exstream.model.grid import KEY_FRAME_SECONDS, Rate

COPY = "copy"
"""The profile of channels that are sent in the format that most of their items have."""

ChannelId = str
"""A channel's identity for ever: lower-case letters, digits and hyphens."""
ChannelNumber = str
"""What is typed on a remote control: digits with an optional sub-channel, "7" or "1984.1"."""


def number_order(number: ChannelNumber) -> tuple[int, int]:
    """Return what numbers are sorted by: 7, 7.2, 7.10, 10; "7" and "7.0" are the same number."""
    major, _, minor = number.partition(".")
    return int(major), int(minor or 0)


@dataclass(frozen=True, slots=True)
class Profile:
    """The one output format of a channel.

    Bit rates are in kbit/s. ``languages`` are ISO 639-2/T codes in order of preference for the audio track.
    """

    name: str
    width: int
    height: int
    rate: Rate
    video_kbps: int
    max_kbps: int
    audio_kbps: int = 160
    preset: str = "superfast"
    languages: tuple[str, ...] = ()
    loudness: float | None = None
    """Integrated loudness to reach in LUFS, or None to leave levels as they are."""
    copy: bool = False
    """Items that are of this very format already are sent as they are."""
    reorder: int = 1
    """By how many pictures the decode time runs ahead of the display."""
    gop_seconds: int = KEY_FRAME_SECONDS
    """The longest distance of key frames, rounded up."""

    @property
    def bits_per_second(self) -> int:
        """The nominal rate of the whole stream."""
        return (self.video_kbps + self.audio_kbps) * 1_080


class Order(StrEnum):
    """In what order a pool's items are aired."""

    CHRONOLOGICAL = "chronological"
    SHUFFLE = "shuffle"


@dataclass(frozen=True, slots=True)
class Query:
    """Which items of the catalogue belong to a pool; empty fields do not restrict."""

    kinds: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    """First and last year, both included."""
    artists: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    """By their names; files of this machine are of none."""
    collections: tuple[str, ...] = ()
    playlists: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    content_ratings: tuple[str, ...] = ()
    min_rating: float | None = None
    """From 0 to 10."""
    watched: bool | None = None
    aired: tuple[int, int] | None = None
    """First and last year of the first broadcast or release, both included."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A named selection of the catalogue in an order of its own."""

    name: str
    query: Query
    order: Order = Order.CHRONOLOGICAL
    count: int = 1
    """How many items it gives each time its turn comes."""


@dataclass(frozen=True, slots=True)
class ChannelDefinition:
    """What a user wrote about one channel."""

    id: ChannelId
    number: ChannelNumber
    name: str
    profile: str
    pools: tuple[Pool, ...]
    """Programmes: the pools take turns in this order."""
    filler: Pool | None = None
    align_minutes: int = 0
    """Programmes start on multiples of this many minutes of the local hour; 0: back to back."""
    timezone: str = "UTC"
    group: str = ""
    logo: str = ""
    enabled: bool = True
    warm: bool = False
    """Keep the channel on air without viewers."""
    seed: str = ""
    """Changes every shuffle of the channel; empty: the id."""
    tags: tuple[str, ...] = field(default=())
