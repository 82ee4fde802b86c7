"""What a synchronisation of one server works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from os import path

from exstream.clock import Clock
from exstream.jobs.sync.ports import PlexAsking, PlexShelves
from exstream.jobs.sync.progress import Reporter, Silent
from exstream.jobs.sync.statistics import Statistics
from exstream.model.server import Mapping, PlexLibrary, Server
from exstream.plex.items import Choice, Surroundings
from exstream.plex.paths import Exists, Whereabouts


async def nobody() -> None:
    """Tell nobody that something was written."""


Finished = Callable[[Server, PlexLibrary, Statistics], None]
"""Hears what was done in a library, once it was read."""


def unheard(_server: Server, _library: PlexLibrary, _done: Statistics) -> None:
    """Tell nobody what was done."""


@dataclass(frozen=True, slots=True)
class Means:
    """One server, where it is kept, and who hears of it."""

    server: Server
    asking: PlexAsking
    shelves: PlexShelves
    clock: Clock
    reporter: Reporter = field(default_factory=Silent)
    choice: Choice = Choice.BEST
    exists: Exists = path.exists
    committed: Callable[[], Awaitable[None]] = nobody
    """Called after each transaction that changed an item."""
    finished: Finished = unheard
    section: str = ""
    """The only library that is read, by its key or its name; empty: all that are enabled."""

    def around(self, library: PlexLibrary, mappings: Sequence[Mapping]) -> Surroundings:
        """Return what the items of ``library`` are made of beside their records. Asks which folders are here."""
        places = Whereabouts(self.server.id, mappings, library.roots, self.exists)
        return Surroundings(
            self.server.id, library.library.name, places.local, self.choice, places.fingerprint
        )
