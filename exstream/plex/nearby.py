"""Looks on this machine for the preferences of a Plex server."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exstream.errors import ConfigurationError
from exstream.plex.preferences import Preferences, places, read_preferences

LARGEST_FILE = 1024 * 1024
"""Bytes. Preferences have a few thousand."""


@dataclass(frozen=True, slots=True)
class Nearby:
    """What was found: files with a token, and a sentence for each that is there but of no use."""

    found: tuple[tuple[Path, Preferences], ...] = ()
    faults: tuple[str, ...] = ()


def look_nearby(
    environment: Mapping[str, str] = os.environ,
    *,
    platform: str = sys.platform,
    home: Path | None = None,
    root: Path | None = None,
) -> Nearby:
    """Look where Plex servers keep their preferences; ``root`` stands in for the root of the file system."""
    found: list[tuple[Path, Preferences]] = []
    faults: list[str] = []
    for path in _files(places(platform, environment, home or Path.home()), root):
        try:
            preferences = read_file(path)
        except FileNotFoundError:
            continue
        except ConfigurationError as error:
            faults.append(str(error))
            continue
        if preferences is None:
            faults.append(f"{path} holds no token: its server is not signed in to an account")
        elif all(preferences.token != other.token for _, other in found):
            found.append((path, preferences))
    return Nearby(tuple(found), tuple(faults))


def _files(patterns: list[str], root: Path | None) -> Iterator[Path]:
    for pattern in patterns:
        path = Path(pattern) if root is None else Path(f"{root}{pattern}")
        if "*" not in pattern:
            yield path
            continue
        # A folder that may not be listed has nothing that matches.
        fixed = Path(path.anchor)
        yield from sorted(fixed.glob(str(path.relative_to(fixed))))


def read_file(path: Path) -> Preferences | None:
    """Return what the file at ``path`` says of a server; None where it holds no token.

    Raises FileNotFoundError where there is none, ConfigurationError where it cannot be read, or is no such file.
    """
    try:
        content = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except PermissionError:
        raise ConfigurationError(
            f"{path} may not be read by this user: copy it as root to a file of your own and name that with --from,"
            " or sign in with `exstream plex login`"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        return read_preferences(content)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path} cannot be used: {error}") from None


def _content(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ConfigurationError(f"{path} is no file")
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(
            f"{path} is larger than {LARGEST_FILE // 1024} KiB and no file of preferences"
        )
    return content
