"""Where a file of a server lies on this machine. PURE: whether something is there is asked of a function.

A server names its files in the notation of its own system, ``M:\\Media\\...`` or ``/media/...``; what they are called
here follows from mappings of folders, or is the same name where the folder is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

from exstream.model.server import Mapping, ServerId

Exists = Callable[[str], bool]
"""Tells whether a file or folder of this machine is there."""

_WINDOWS = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\|//")
_SEPARATORS = re.compile(r"[\\/]+")
_FOLDERS = 128
"""So many paths are remembered: each file is looked for in the same few folders."""


@lru_cache(maxsize=_FOLDERS)
def is_windows(path: str) -> bool:
    """Tell whether ``path`` is in the notation of Windows: a drive or a share, with either separator."""
    return _WINDOWS.match(path) is not None


def remainder(path: str, folder: str) -> tuple[str, ...] | None:
    """Return the names that lead from ``folder`` to ``path``, none for the folder itself; None where it is not below.

    A folder holds what follows a separator, not every name that begins like it. Windows writes both separators and
    does not tell capitals from small letters.
    """
    if not folder or is_windows(path) != is_windows(folder):
        return None
    names, above = _names(path), _names(folder)
    leading = names[: len(above)]
    if leading != above and not (is_windows(folder) and _folded(leading) == _folded(above)):
        return None
    rest = names[len(above) :]
    return None if ".." in rest else rest


def joined(folder: str, names: Sequence[str]) -> str:
    """Return the path that ``names`` lead to from ``folder``, in the notation of ``folder``."""
    if not names:
        return folder
    separator = "\\" if (is_windows(folder) and "\\" in folder) or re.fullmatch("[A-Za-z]:", folder) else "/"
    return folder.rstrip("\\/" if is_windows(folder) else "/") + separator + separator.join(names)


def mapped(path: str, mappings: Iterable[Mapping]) -> str:
    """Return where ``path`` lies by the longest of ``mappings`` that holds it, or "" where none does."""
    found = [
        (len(_names(mapping.plex_path)), mapping.local_path, rest)
        for mapping in mappings
        if mapping.local_path and (rest := remainder(path, mapping.plex_path)) is not None
    ]
    if not found:
        return ""
    _, folder, rest = max(found, key=lambda match: match[0])
    return joined(folder, rest)


def root_of(path: str, roots: Iterable[str]) -> str:
    """Return the longest of a library's ``roots`` that holds ``path``, or "" where none does."""
    holding = [root for root in roots if remainder(path, root) is not None]
    return max(holding, key=lambda root: len(_names(root)), default="")


class Whereabouts:
    """Finds the files of one library of one server on this machine."""

    def __init__(
        self, server: ServerId, mappings: Iterable[Mapping], roots: Sequence[str], exists: Exists
    ) -> None:
        self._mappings = tuple(mapping for mapping in mappings if mapping.server == server)
        self._roots = tuple(roots)
        self._exists = exists
        # A share that is not mounted is asked for once, and not for each of its files.
        self._here = frozenset(root for root in self._roots if not is_windows(root) and exists(root))

    def local(self, path: str) -> str:
        """Return the absolute path here of the server's ``path``, or "" where nothing leads to it.

        A mapping is believed; without one, the same path is taken if there is such a file.
        """
        if found := mapped(path, self._mappings):
            return found
        if not path.startswith("/") or is_windows(path):
            return ""
        root = root_of(path, self._roots)
        reachable = root in self._here if root else not self._roots
        return path if reachable and self._exists(path) else ""

    @property
    def fingerprint(self) -> str:
        """A hash of the roots that are found here by their own name: while it stays, files lie where they lay.

        Mappings are not among it: where one is added or removed, paths are found anew at once.
        """
        unmapped = sorted(root for root in self._here if not mapped(root, self._mappings))
        return blake2b(repr(unmapped).encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=_FOLDERS)
def _names(path: str) -> tuple[str, ...]:
    """Return the names in ``path``; what makes it absolute counts as one."""
    if not is_windows(path):
        return ("/" if path.startswith("/") else ".", *filter(None, path.split("/")))
    share = () if path[1:2] == ":" else ("\\\\",)
    return (*share, *filter(None, _SEPARATORS.split(path)))


def _folded(names: Iterable[str]) -> list[str]:
    return [name.casefold() for name in names]
