"""Which folder may become a library, and which library a path means."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from exstream.cli.checks import folder_readable
from exstream.errors import ConfigurationError
from exstream.model.catalogue import Library

_LONGEST_NAME = 100


def media_folder(path: Path) -> Path:
    """Return the absolute path of a folder that can be a library; raise ConfigurationError for any other path."""
    folder = Path(os.path.abspath(_expanded(path)))  # noqa: PTH100 -- a mount point's link is kept as it was named
    if not folder.exists():
        raise ConfigurationError(f"there is no folder {folder}: name one that holds media files")
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file: name the folder that it lies in, {folder.parent}")
    if not _is_text(str(folder)):
        raise ConfigurationError(f"{folder} is not named in UTF-8: rename the folder")
    if not folder_readable(folder):
        raise ConfigurationError(f"{folder} cannot be read: give this user the right to read it")
    return folder


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"{path}: there is no such home directory: write the whole path") from error


def present_library(folder: Path, libraries: Iterable[Library]) -> Library | None:
    """Return the library that ``folder`` is already.

    Raises ConfigurationError when it lies inside one or around one: every file belongs to one library only.
    """
    real = folder.resolve()
    for library in libraries:
        other = Path(library.path).resolve()
        if real == other:
            return library
        if real.is_relative_to(other):
            raise ConfigurationError(
                f"{folder} lies inside the library {library.name!r} ({library.path}), which has its files already"
            )
        if other.is_relative_to(real):
            raise ConfigurationError(
                f"{folder} holds the library {library.name!r} ({library.path}): "
                f"`exstream library remove {library.path}` first, or add other folders beside it"
            )
    return None


def library_name(wanted: str | None, folder: Path, libraries: Iterable[Library]) -> str:
    """Return the name of a new library; raise ConfigurationError when another has it: channels select by name."""
    name = (wanted if wanted is not None else folder.name).strip()
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise ConfigurationError(
            f"a library's name has 1 to {_LONGEST_NAME} printable characters: set one with --name"
        )
    taken = next((library for library in libraries if library.name.casefold() == name.casefold()), None)
    if taken is not None:
        raise ConfigurationError(
            f"{taken.path} is called {taken.name!r} already: set another name with --name"
        )
    return name


def meant(path_or_name: str, libraries: Sequence[Library]) -> Library:
    """Return the library of that path or name; raise ConfigurationError when there is none."""
    folder = Path(os.path.abspath(_expanded(Path(path_or_name))))  # noqa: PTH100 -- as in `media_folder`
    for library in libraries:
        if library.name == path_or_name or Path(library.path) == folder:
            return library
    for library in libraries:
        if Path(library.path).resolve() == folder.resolve():
            return library
    known = ", ".join(library.path for library in libraries)
    hint = f"the libraries are {known}" if known else "there are no libraries yet"
    raise ConfigurationError(f"{path_or_name} is no library: {hint}")
