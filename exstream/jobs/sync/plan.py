"""Which libraries of a server are due for what. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exstream.model.server import PlexLibrary, SyncState
from exstream.plex.records import Kind, Section

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SECOND_LOOK_MS = HOUR_MS
"""So long after a library was found empty, or much of it gone, it is looked at again before that is believed."""
KEPT_MS = 30 * DAY_MS
"""How long an item that is not on its server any more keeps its place."""


class Pass(StrEnum):
    """How a library is read."""

    FULL = "full"
    """Every entry of its listing; only then is it known what is gone."""
    CHANGES = "changes"
    """What the server says has changed since."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants of a synchronisation."""

    deep: bool = False
    """Ignore every reason to skip something."""
    force: bool = False
    """Believe the server whatever is gone."""
    dry_run: bool = False
    section: str = ""
    """Only this library, by its key or its name; empty: all that are enabled."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a library is due for. ``moved``: the server says that something was added, removed or scanned."""

    reading: Pass
    moved: bool
    why: str


def due(section: Section, state: SyncState, now_ms: int, wishes: Wishes) -> Due:
    """Return how ``section`` has to be read at ``now_ms``."""
    moved = (section.content_changed_at, section.scanned_at) != (state.content_changed_at, state.scanned_at)
    age = now_ms - state.full_at
    reasons = {
        "asked for": wishes.deep or wishes.force,
        "never read before": not state.full_at,
        "interrupted": state.pass_open,
        "read a day ago": not 0 <= age < DAY_MS,
        "scanned since": section.scanned_at != state.scanned_at and age >= HOUR_MS,
        "a second look at what is gone": state.held_back > 0 and age >= SECOND_LOOK_MS,
    }
    why = next((reason for reason, holds in reasons.items() if holds), "")
    return Due(Pass.FULL if why else Pass.CHANGES, moved, why)


def wanted(library: PlexLibrary, wishes: Wishes) -> bool:
    """Tell whether a library is to be read: one that is switched off, or that is all pictures, is not."""
    if library.kind not in READ_KINDS or library.gone:
        return False
    if wishes.section:
        return wishes.section in {library.section, library.library.name}
    return library.enabled


def is_too_much(gone: int, known: int) -> bool:
    """Tell whether so many items vanish at once that it is more likely a fault: over a fifth, or all."""
    return gone * 5 > known


READ_KINDS: dict[str, tuple[Kind, Kind | None]] = {
    "movie": (Kind.MOVIE, None),
    "show": (Kind.EPISODE, Kind.SHOW),
    "artist": (Kind.TRACK, Kind.ARTIST),
}
"""What the items of a library are in its listings, and what holds them, by the library's kind."""
