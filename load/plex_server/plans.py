"""Which library a server begins with, said in a way that can be handed to another process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILMS, EPISODES, CLIPS, TRACKS = 1, 2, 3, 4
"""The sections of every library that is built, by their keys."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A library by name: ``empty``, ``sample``, ``big`` or ``small``, with what it is built from."""

    library: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The plan as JSON."""
        return json.dumps({"library": self.library, "options": dict(self.options)})

    @classmethod
    def read(cls, text: str) -> Plan:
        """Read a plan back."""
        read = json.loads(text)
        return cls(read["library"], read["options"])


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A real file that becomes an entry; ``duration`` in milliseconds, ``streams`` and ``version`` in Plex's words.

    With ``show`` it is an episode, with ``artist`` a track; ``clip`` makes it an other video, else it is a film.
    """

    name: str
    duration: int
    title: str = ""
    year: int = 2001
    show: str = ""
    season: int = 1
    index: int = 1
    artist: str = ""
    album: str = "Album"
    clip: bool = False
    streams: Sequence[Mapping[str, Any]] = ()
    version: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Attributes of the entry, and ``tags``, ``guids``, ``markers``, ``chapters``."""


def empty_library() -> Plan:
    """Return a server without a library."""
    return Plan("empty")


def sample_library() -> Plan:
    """Return one of everything: what the listings of real servers surprise with."""
    return Plan("sample")


def big_library(episodes: int = 17_000, films: int = 1_000, *, seed: int = 1) -> Plan:
    """Return as many episodes and films, the same for the same ``seed``; none of them has bytes."""
    return Plan("big", {"episodes": episodes, "films": films, "seed": seed})


def small_library(folder: Path, files: Sequence[MediaFile], *, root: str = "") -> Plan:
    """Return real ``files`` of ``folder``; ``root``: where that folder is for the server (the same place if empty)."""
    told = [asdict(file) for file in files]
    return Plan("small", {"folder": str(folder), "files": told, "root": root or str(folder)})
