"""Kodi's NFO files: what somebody wrote down about a film, a show or an episode. Forgiving of mess, not of tricks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from exstream.errors import CatalogueError

LARGEST_BYTES = 512 * 1024
"""A larger NFO was not written by a person or a scraper."""
_LONGEST_TEXT = 4_000
_KINDS = frozenset({"movie", "episodedetails", "tvshow"})
_WANTED = frozenset(
    {"title", "showtitle", "plot", "outline", "year", "premiered", "aired", "genre", "season", "episode"}
)


class BadNfo(CatalogueError):
    """An NFO cannot be used; ignore it and tell the user."""


@dataclass(frozen=True, slots=True)
class Nfo:
    """What an NFO says; empty or None where it says nothing."""

    kind: str
    """``movie``, ``episodedetails`` or ``tvshow``."""
    title: str = ""
    show: str = ""
    plot: str = ""
    year: int | None = None
    genres: tuple[str, ...] = ()
    season: int | None = None
    episode: int | None = None


def read_nfo(content: bytes) -> Nfo | None:
    """Return what ``content`` says, or None when it holds no description (a mere link, release notes).

    Raises BadNfo when it is broken, too large, or declares entities. What follows the first description is ignored:
    Kodi allows a link there, and files of several episodes repeat it.
    """
    if len(content) > LARGEST_BYTES:
        raise BadNfo(f"it is larger than {LARGEST_BYTES // 1024} KiB")
    if b"\0" not in content[:4]:  # UTF-16 is left to the parser
        content = content.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not content.startswith(b"<"):
            return None
    reader = _Reader()
    try:
        reader.parse(content)
    except (expat.ExpatError, LookupError, ValueError) as fault:
        if not reader.complete:
            raise BadNfo(f"it is no valid XML: {fault}") from fault
    return reader.description()


class _Reader:
    """Collects the texts of the root's own children; whatever lies deeper (actors, ratings) is passed over."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse
        self._path: list[str] = []
        self._root = ""
        self._text: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self.complete = False

    def parse(self, content: bytes) -> None:
        self._parser.Parse(content, True)

    def description(self) -> Nfo | None:
        if self._root not in _KINDS:
            return None
        dates = (self._first("year"), self._first("premiered"), self._first("aired"))
        return Nfo(
            self._root,
            title=self._first("title"),
            show=self._first("showtitle"),
            plot=self._first("plot") or self._first("outline"),
            year=next((year for text in dates if (year := _number(text[:4])) and year > 1800), None),
            genres=_genres(self._texts.get("genre", [])),
            season=_number(self._first("season")),
            episode=_number(self._first("episode")),
        )

    def _first(self, tag: str) -> str:
        return next(iter(self._texts.get(tag, ())), "")

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        if not self._path and not self.complete:
            self._root = tag.lower()
        self._path.append(tag.lower())
        self._text = []

    def _end(self, tag: str) -> None:
        if len(self._path) == 2 and self._path[1] in _WANTED:
            text = " ".join("".join(self._text).split())[:_LONGEST_TEXT]
            if text:
                self._texts.setdefault(tag.lower(), []).append(text)
        self._path.pop()
        self.complete = not self._path

    def _characters(self, text: str) -> None:
        if len(self._path) == 2:
            self._text.append(text)

    def _refuse(self, name: str, *_: object) -> NoReturn:
        raise BadNfo(f"it declares the entity {name!r}, which no NFO needs")


def _number(text: str) -> int | None:
    match = re.fullmatch(r"\s*([0-9]{1,6})(?:\.0+)?\s*", text)
    return int(match[1]) if match else None


def _genres(texts: list[str]) -> tuple[str, ...]:
    """Split what some scrapers put into one element: ``Drama / Crime``."""
    parts = (part.strip() for text in texts for part in re.split(r"[/|,]", text))
    return tuple(dict.fromkeys(part for part in parts if part))
