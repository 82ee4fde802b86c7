"""How far a synchronisation is, in words: two bars, and a line for each real change."""

from __future__ import annotations

from typing import Protocol

from exstream.model.catalogue import Item, ItemKind
from exstream.plex.records import Record


class Reporter(Protocol):
    """Hears how far a synchronisation is. Called on the event loop, often: it must not wait for anything."""

    def library(self, title: str, number: int, of: int) -> None:
        """Another library begins, the ``number``-th of ``of``."""

    def item(self, text: str, done: int, total: int) -> None:
        """An item was looked at: the ``done``-th of ``total``, in its library or in its show."""

    def status(self, line: str) -> None:
        """Something has changed: "Added movie: Alien"."""

    def phase(self, text: str) -> None:
        """Something else than items is read: "details", "collections"."""


class Silent:
    """A reporter that tells nobody."""

    def library(self, title: str, number: int, of: int) -> None:
        """Tell nobody."""

    def item(self, text: str, done: int, total: int) -> None:
        """Tell nobody."""

    def status(self, line: str) -> None:
        """Tell nobody."""

    def phase(self, text: str) -> None:
        """Tell nobody."""


_WORDS = {
    ItemKind.FILM: "movie",
    ItemKind.EPISODE: "episode",
    ItemKind.TRACK: "track",
    ItemKind.OTHER: "video",
    ItemKind.FILLER: "filler",
}
KIND_WORDS = {"movie": "movie", "show": "episode", "artist": "track"}
"""What the items of a library are called, by the library's kind."""


def library_bar(title: str, number: int, of: int) -> str:
    """Return "TV Shows (1/3)"."""
    return f"{title} ({number}/{of})"


def item_bar(text: str, done: int, total: int) -> str:
    """Return "Star Trek / Arena (18/79)"."""
    return f"{text} ({done}/{total})"


def entry_name(record: Record) -> str:
    """Return "Alien", or "Star Trek / Arena"."""
    return f"{record.grandparent_title} / {record.title}" if record.grandparent_title else record.title


def change_line(verb: str, word: str, title: str) -> str:
    """Return "Updated episode: Arena"."""
    return f"{verb} {word}: {title}"


def word_of(item: Item) -> str:
    """Return what an item is called in a line: movie, episode, track, video."""
    return _WORDS[item.kind]
