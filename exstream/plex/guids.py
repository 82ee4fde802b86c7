"""What a guid of a Plex server names in the catalogues of the world, in every form its agents have used.

::

    com.plexapp.agents.thetvdb://12345              tvdb 12345
    com.plexapp.agents.thetvdb://121361/6/1?lang=en tvdb, season 6 episode 1 of show 121361
    com.plexapp.agents.themoviedb://54321           tmdb 54321
    com.plexapp.agents.imdb://tt0123456?lang=en     imdb tt0123456
    com.plexapp.agents.hama://tvdb2-1234/1/2        tvdb, season 1 episode 2 of show 1234; ``anidb-...`` likewise
    com.plexapp.agents.xbmcnfo://tt0123456          imdb; a bare number is tmdb
    com.plexapp.agents.xbmcnfotv://12345/1/2        tvdb
    tv.plex.agents.nfo.movie://movie/tmdb_383498    tmdb
    imdb://tt0123456  tmdb://603  tvdb://12345      what the agents of today add to ``plex://``
    plex://show/abcdef                              plex show/abcdef
    local://55, ...agents.none://..., collection:// nothing: they mean something on one server only
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

PRIORITY = ("tvdb", "tmdb", "imdb", "plex", "anidb", "mbid")
"""Which catalogue is believed first."""
_RANKS = {source: rank for rank, source in enumerate(PRIORITY)}
_SCHEMES = {
    "thetvdb": "tvdb",
    "thetvdbdvdorder": "tvdb",
    "tvdb": "tvdb",
    "themoviedb": "tmdb",
    "tmdb": "tmdb",
    "imdb": "imdb",
    "plex": "plex",
    "anidb": "anidb",
    "mbid": "mbid",
    "xbmcnfotv": "tvdb",
}
_AGENT = re.compile(r"^(?:com\.plexapp\.agents|tv\.plex\.agents)\.(?P<name>.+)$")
_NAMED = re.compile(r"^(?P<source>[a-z]+?)\d?[-_](?P<id>.+)$")
_SHAPES = {
    "tvdb": re.compile(r"\d{1,12}"),
    "tmdb": re.compile(r"\d{1,12}"),
    "imdb": re.compile(r"tt\d{3,12}"),
    "plex": re.compile(r"[a-z]+/[0-9A-Za-z_-]{1,64}"),
    "anidb": re.compile(r"\d{1,12}"),
    "mbid": re.compile(r"[0-9a-fA-F-]{36}"),
}
_END = re.compile(r"[?#]")
_NUMBER = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Guid:
    """An entry of a catalogue. With ``season`` and ``episode`` it is that part of the show ``id``."""

    source: str
    """One of `PRIORITY`."""
    id: str
    season: int | None = None
    episode: int | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """Return the catalogue and the number in it."""
        return self.source, self.id

    @property
    def of_show(self) -> str:
        """Return the show (or film) as ``tvdb:121361``."""
        return f"{self.source}:{self.id}"

    @property
    def own(self) -> str:
        """Return exactly what it names: ``tvdb:12345``, or ``tvdb:121361/6/1`` for a part of a show."""
        if self.season is None:
            return self.of_show
        return ":".join((self.source, "/".join([self.id, *(str(part) for part in self._parts)])))

    @property
    def _parts(self) -> list[int]:
        return [part for part in (self.season, self.episode) if part is not None]


def parse(guid: str) -> Guid | None:
    """Return what ``guid`` names; None where it names nothing beyond its server."""
    scheme, found, rest = guid.strip().partition("://")
    if not found:
        return None
    name = scheme.lower()
    if agent := _AGENT.match(name):
        name = agent["name"]
    parts = [rest] if rest.isalnum() else _parts(rest)  # today's agents write a number and nothing else
    if not parts:
        return None
    if name == "plex":
        return _lawful("plex", "/".join(parts), [])
    if name.startswith("nfo."):
        parts = parts[1:] if len(parts) > 1 and "_" in parts[1] else parts
    if name.startswith(("nfo.", "hama")):
        named = _NAMED.match(parts[0].lower())
        return _lawful(_SCHEMES.get(named["source"], ""), named["id"], parts[1:]) if named else None
    if name == "xbmcnfo":
        return _lawful("imdb" if parts[0].lower().startswith("tt") else "tmdb", parts[0], parts[1:])
    return _lawful(_SCHEMES.get(name, ""), parts[0], parts[1:])


def _parts(rest: str) -> list[str]:
    return [part for part in unquote(_END.split(rest, maxsplit=1)[0]).split("/") if part]


def own_ids(guid: str, guids: Iterable[str] = ()) -> tuple[str, ...]:
    """Return what an entry's ``guid`` and its further ``guids`` name, best catalogue first: ``("tvdb:12345", ...)``.

    An episode of the older agents is named by its show: ``tvdb:121361/6/1``.
    """
    return _ordered(found.own for found in map(parse, (guid, *guids)) if found)


def show_ids(guid: str, guids: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the shows that the guids of an episode or a season name, best catalogue first; none by today's agents."""
    parsed = (found for found in map(parse, (guid, *guids)) if found)
    return _ordered(found.of_show for found in parsed if found.season is not None)


def _ordered(ids: Iterable[str]) -> tuple[str, ...]:
    # Sorting is stable: of two in one catalogue the one the server names first stays first.
    return tuple(sorted(dict.fromkeys(ids), key=_rank))


def _rank(identity: str) -> int:
    return _RANKS[identity.partition(":")[0]]


def _lawful(source: str, identity: str, rest: list[str]) -> Guid | None:
    if source == "imdb":
        identity = identity.lower()
        identity = f"tt{identity}" if identity.isascii() and identity.isdecimal() else identity
    shape = _SHAPES.get(source)
    if shape is None or not shape.fullmatch(identity):
        return None
    if not rest:
        return Guid(source, identity)
    numbers = [int(part) for part in rest[:2] if _NUMBER.fullmatch(part)]
    if len(numbers) < len(rest[:2]):
        numbers = []
    season, episode = (*numbers, None, None)[:2]
    return Guid(source, identity, season, episode)
