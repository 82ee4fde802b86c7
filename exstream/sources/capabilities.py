"""What lets a child process read one file of a server, for as long as it is needed: an address nobody can guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe

from exstream.clock import Clock
from exstream.model.catalogue import ItemKey
from exstream.model.server import ServerId

SCHEME = "plex://"
PREFIX = "/m/"
LONGEST_SECONDS = 24 * 3_600.0
"""After so long a capability is worth nothing, whether it was given back or not."""
_BYTES = 24


def is_remote(location: str) -> bool:
    """Tell whether a source lies on a server."""
    return location.startswith(SCHEME)


def split(location: str) -> tuple[ServerId, str]:
    """Return the server of a location, and the address there; raises ValueError for anything else."""
    server, slash, address = location.removeprefix(SCHEME).partition("/")
    if not is_remote(location) or not server or not slash:
        raise ValueError(f"{location} is no file of a server")
    return server, slash + address


@dataclass(slots=True, eq=False)
class Loan:
    """A file that is lent under ``name``; ``address`` is where it lies now, while its ``location`` never changes."""

    name: str = field(repr=False)
    location: str
    server: ServerId
    address: str
    item: ItemKey
    expires: float
    place: int = 0
    """Which of the files of its version it is."""
    tag: str = ""
    """What the server calls this very file, as of the first answer."""
    size: int = -1
    fault: str = ""
    """Why it cannot be read any further, once that is so."""
    lost: bool = False
    """The fault lies with the server, or on the way to it."""
    on_fault: Callable[[], None] = field(default=lambda: None, repr=False)
    """Called before the reader sees that there is no more."""

    def give_up(self, reason: str, *, lost: bool) -> None:
        """Note, once, that there is no more to read, and why."""
        if not self.fault:
            self.fault, self.lost = reason, lost
            self.on_fault()


class Capabilities:
    """The loans that are out. ``named`` makes names."""

    def __init__(self, clock: Clock, named: Callable[[], str] = lambda: token_urlsafe(_BYTES)) -> None:
        self._clock = clock
        self._named = named
        self._loans: dict[str, Loan] = {}

    def __len__(self) -> int:
        """Return how many are out."""
        return len(self._loans)

    def lend(self, location: str, address: str, item: ItemKey, place: int) -> Loan:
        """Lend the file at ``location``, which lies at ``address`` of its server."""
        now = self._clock.air()
        for name in [name for name, loan in self._loans.items() if loan.expires <= now]:
            del self._loans[name]
        server, _ = split(location)
        loan = Loan(self._named(), location, server, address, item, now + LONGEST_SECONDS, place)
        self._loans[loan.name] = loan
        return loan

    def find(self, name: str) -> Loan | None:
        """Return the loan of that name while it is good."""
        loan = self._loans.get(name)
        return loan if loan is not None and self._clock.air() < loan.expires else None

    def revoke(self, loan: Loan) -> None:
        """Take a loan back; it may have been taken back before."""
        self._loans.pop(loan.name, None)
