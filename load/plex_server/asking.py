"""A request as the pages see it, and who may ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote_plus

OWNER_TOKEN = "owner-token-K7mQ2xVb9wRt4sLp"
SHARED_TOKEN = "shared-token-Z3nW8yHc5dJf6gTk"


@dataclass(slots=True)
class Account:
    """Whom a token belongs to. ``sections``: the libraries that are shared with them; None: all."""

    name: str
    owner: bool = True
    sections: list[int] | None = None
    downloads: bool = True

    def sees(self, section: int) -> bool:
        """Tell whether a library is shared with them."""
        return self.sections is None or section in self.sections


@dataclass(frozen=True)
class Ask:
    """One request. Header names are in lower case; the query is in order, with names that may repeat."""

    method: str
    path: str
    pairs: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    account: Account = field(default_factory=lambda: Account("nobody", owner=False, sections=[]))

    @cached_property
    def query(self) -> dict[str, str]:
        """The query by name; the last of a name counts."""
        return dict(self.pairs)

    def plex(self, name: str) -> str:
        """Return what is said of ``X-Plex-`` and ``name``, in a header or in the query."""
        return self.headers.get(f"x-plex-{name}".lower()) or self.query.get(f"X-Plex-{name}", "")

    def flag(self, name: str) -> bool:
        """Tell whether ``name`` is switched on in the query."""
        return self.query.get(name, "0") not in {"", "0", "false"}

    def number(self, name: str) -> int | None:
        """Return ``X-Plex-`` and ``name`` as a number; None if it is not one."""
        value = self.plex(name)
        return int(value) if value.isdecimal() else None

    @property
    def wants_json(self) -> bool:
        """Whether it asks for JSON: XML is what comes otherwise."""
        return "application/json" in self.headers.get("accept", "")


def pairs_of(query: bytes) -> list[tuple[str, str]]:
    """Split a query at the first ``=`` of each piece, as Plex does: ``year>>==1`` is ``year>>`` and ``=1``."""
    pieces = [piece.partition("=") for piece in query.decode("latin-1").split("&") if piece]
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pieces]


@dataclass(slots=True)
class Switches:
    """How this server behaves, where real ones differ; may be changed while it runs."""

    always_xml: bool = False
    hoisting: bool = False
    """Values that all children share are told by the container alone."""
    page_limit: int = 0
    """It returns at most so many entries at once, whatever was asked for; 0: as many as were asked for."""
    strict_parts: bool = False
    """An address of a file with an old stamp is gone."""
    scan_seconds: float = 0.05
    refresh_moves: bool = True
    """A refresh of metadata moves ``updatedAt``."""
    rate: int = 0
    """Bytes a second that a file is sent with; 0: as fast as it goes."""
    name: str = "Fake"
    version: str = "1.43.3.10861-07dfddaeb"
    count_by: int = 0
    """Added to every ``totalSize``: a server that counts wrongly."""
