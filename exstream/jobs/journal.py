"""What is remembered of a library's files between two scans, beside what the catalogue knows.

One JSON file for each library. It is a cache: without it every file is looked into once more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from exstream.local.walk import FoundFile

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Remembered:
    """A file as it was when it was last looked into."""

    size: int
    mtime_ns: int
    notes: str = ""
    """Which NFO files and subtitles it had beside it, and how old they were."""
    fault: str = ""
    """Why it could not be used; empty when it could."""
    missing_since: int = 0
    """UTC epoch milliseconds since when it is not there; 0 while it is."""

    def is_of(self, file: FoundFile) -> bool:
        """Tell whether ``file`` has the same content, as far as its size and time tell."""
        return (self.size, self.mtime_ns) == (file.size, file.mtime_ns)


class Journal:
    """Remembers the files of one library, by their paths below its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.files: dict[str, Remembered] = {}

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Return the journal kept at ``path``; an empty one when there is none or it cannot be understood."""
        journal = cls(path)
        try:
            kept = json.loads(path.read_bytes())
            if kept["format"] == _FORMAT:
                journal.files = {name: Remembered(**values) for name, values in kept["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            journal.files = {}
        return journal

    def write(self) -> None:
        """Keep the journal: the old one or the new one is there whatever happens. Raises OSError."""
        kept = {"format": _FORMAT, "files": {name: asdict(file) for name, file in self.files.items()}}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump(kept, file, ensure_ascii=False, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)

    def forget(self, paths: Iterable[str]) -> None:
        """Drop what is remembered of ``paths``."""
        for path in paths:
            self.files.pop(path, None)


def notes_digest(notes: Iterable[FoundFile]) -> str:
    """Return a text that differs when one of ``notes`` comes, goes or changes."""
    return "|".join(f"{note.path}:{note.size}:{note.mtime_ns}" for note in notes)
