"""Which media files a folder holds, without opening one. What cannot be read is told apart from what is not there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from exstream.local.naming import SUBTITLE_CODECS

MEDIA_SUFFIXES = frozenset(
    {
        *("mkv", "webm", "mp4", "m4v", "mov", "3gp", "avi", "divx", "wmv", "asf", "flv", "ogv", "ogm"),
        *("ts", "m2ts", "mts", "mpg", "mpeg", "m2v", "wtv", "mxf"),
    }
)
IGNORED_FOLDERS = frozenset(
    {"@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "sample", "samples"}
)
"""In any letter case; folders whose name begins with a dot are ignored as well."""
IGNORE_MARKS = frozenset({".ignore", ".nomedia"})
"""A file of this name hides the folder it lies in."""
_SAMPLE = re.compile(r"(?:.*[-._])?sample|sample[-._].*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file: its path below the root (with slashes), its size in bytes, its time of change in ns since the epoch."""

    path: str
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Walk:
    """What was found below a folder."""

    media: list[FoundFile] = field(default_factory=list)
    notes: dict[str, list[FoundFile]] = field(default_factory=dict)
    """By folder ("" is the root): NFO files and subtitles."""
    unread: list[str] = field(default_factory=list)
    """Folders and files that could not be read ("" is the root): what is known below them may still be there."""
    faults: list[str] = field(default_factory=list)
    """One sentence for each thing that the user should know."""

    def is_unread(self, path: str) -> bool:
        """Tell whether nothing can be said about ``path``."""
        return any(not folder or path == folder or path.startswith(f"{folder}/") for folder in self.unread)


def walk_folder(root: str) -> Walk:
    """Return the media files below ``root`` in the order of their paths. Links are followed, each folder once."""
    walk = Walk()
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        waiting += _read_folder(root, folder, seen, walk)
    walk.media.sort(key=lambda file: file.path)
    return walk


def _read_folder(root: str, folder: str, seen: set[tuple[int, int]], walk: Walk) -> list[str]:
    """Take in one folder and return the folders in it."""
    path = Path(root, folder)
    try:
        status = path.stat()
        if (status.st_dev, status.st_ino) in seen:
            return []
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(path) as entries:
            present = sorted(entries, key=lambda entry: entry.name)
    except OSError as fault:
        walk.unread.append(folder)
        walk.faults.append(f"{path} cannot be read ({fault.strerror or fault}): what is known of it is kept")
        return []
    if not folder and not present:
        walk.unread.append("")
        walk.faults.append(f"{root} is empty: is its disk mounted? What is known of it is kept")
    if any(entry.name in IGNORE_MARKS for entry in present):
        return []
    return list(_take_in(root, folder, present, walk))


def _take_in(root: str, folder: str, present: list[os.DirEntry[str]], walk: Walk) -> Iterator[str]:
    for entry in present:
        if entry.name.startswith("."):
            continue
        path = f"{folder}/{entry.name}" if folder else entry.name
        if not _is_text(path):
            shown = os.fsencode(Path(root, path)).decode(errors="replace")
            walk.faults.append(f"{shown} is not named in UTF-8: rename it, and it is picked up")
            continue
        try:
            if entry.is_dir():
                if entry.name.casefold() not in IGNORED_FOLDERS:
                    yield path
            elif (kind := _kind(entry.name)) and entry.is_file():
                status = entry.stat()
                found = FoundFile(path, status.st_size, status.st_mtime_ns)
                if kind == "media":
                    walk.media.append(found)
                else:
                    walk.notes.setdefault(folder, []).append(found)
        except FileNotFoundError:
            continue  # gone since it was listed
        except OSError as fault:
            walk.unread.append(path)
            walk.faults.append(f"{Path(root, path)} cannot be read: {fault.strerror or fault}")


def _kind(name: str) -> str:
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix[1:].lower()
    if suffix in MEDIA_SUFFIXES:
        return "" if _SAMPLE.fullmatch(stem) else "media"
    return "note" if suffix in SUBTITLE_CODECS or suffix == "nfo" else ""


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
