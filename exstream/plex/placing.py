"""Where a folder of a server may lie on this machine, judged by files that are in it. PURE: asks through a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from exstream.plex.paths import is_windows, joined, remainder

Size = Callable[[str], int]
"""Returns the length of a file of this machine that can be read, -1 where there is none."""
SAMPLES = 25


def sampled(files: Sequence[tuple[str, int]], most: int = SAMPLES) -> list[tuple[str, int]]:
    """Return at most ``most`` of ``files``, from the first to the last in equal steps."""
    if len(files) <= most:
        return list(files)
    return [files[place * (len(files) - 1) // (most - 1)] for place in range(most)]


def placed(root: str, files: Sequence[tuple[str, int]], folders: Iterable[str], size: Size) -> str:
    """Return the folder of this machine that is ``root`` of a server, or "" where none surely is.

    ``files`` are some below it, as the server calls them, with their lengths in bytes (0: not known). Each of
    ``folders`` is tried with none, the last, the last two... names of ``root`` behind it. All files have to be there,
    as long as they should be.
    """
    below = [(names, length) for path, length in files if (names := remainder(path, root))]
    if not below:
        return ""
    for candidate in _candidates(root, folders):
        if all(_is_there(joined(candidate, names), length, size) for names, length in below):
            return candidate
    return ""


def _candidates(root: str, folders: Iterable[str]) -> Iterator[str]:
    names = [name for name in root.replace("\\", "/").split("/") if name and not name.endswith(":")]
    tails = [names[len(names) - count :] for count in range(len(names) + 1)]
    told = set() if is_windows(root) else {root}
    for folder in folders:
        for tail in tails:
            candidate = joined(folder.rstrip("/") or "/", tail) if tail else folder
            if candidate not in told:
                told.add(candidate)
                yield candidate


def _is_there(path: str, length: int, size: Size) -> bool:
    found = size(path)
    return found >= 0 and length in {0, found}
