"""Where a folder of a server lies here, guessed from files and never without proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.plex.placing import placed, sampled

FILES = [("/volume1/video/films/One (2001)/One.mkv", 10), ("/volume1/video/films/Two.mkv", 20)]
HERE = {"/mnt/nas/films/One (2001)/One.mkv": 10, "/mnt/nas/films/Two.mkv": 20}


def _size(path: str) -> int:
    return HERE.get(path, -1)


@pytest.mark.parametrize("folders", [["/mnt/nas"], ["/srv", "/mnt/nas/"], ["/mnt/nas/films"]])
def test_a_folder_is_found_by_its_last_names(folders: list[str]) -> None:
    """Whether a mount or the folder itself is tried, what is found is the folder that has all the files."""
    assert placed("/volume1/video/films", FILES, folders, _size) == "/mnt/nas/films"


def test_windows_folders_are_found(tmp_path: object) -> None:
    """A drive of Windows, in its notation, is the folder here that ends in the same names."""
    files = [(r"M:\Media\films\Two.mkv", 20)]
    assert placed(r"M:\Media\films", files, ["/mnt/nas"], _size) == "/mnt/nas/films"


@pytest.mark.parametrize(
    "files",
    [
        [*FILES, ("/volume1/video/films/Three.mkv", 30)],
        [(FILES[0][0], 11), FILES[1]],
        [],
        [("/elsewhere/Two.mkv", 20)],
    ],
)
def test_nothing_is_found_without_proof(files: list[tuple[str, int]]) -> None:
    """One file that is not there, or is of another length, or none to look at: then no folder is the one."""
    assert placed("/volume1/video/films", files, ["/mnt/nas"], _size) == ""


def test_a_length_that_nobody_knows_is_no_hindrance() -> None:
    """Where the server tells no size, that the file is there is enough."""
    files = [(path, 0) for path, _ in FILES]
    assert placed("/volume1/video/films", files, ["/mnt/nas"], _size) == "/mnt/nas/films"


@given(st.integers(0, 2_000), st.integers(2, 50))
def test_samples_reach_from_the_first_to_the_last(count: int, most: int) -> None:
    """There are never more than asked for, none twice, in order, and with both ends."""
    files = [(str(number), number) for number in range(count)]
    found = sampled(files, most)
    assert len(found) == min(count, most)
    assert found == sorted(set(found), key=lambda each: each[1])
    assert not count or (found[0], found[-1]) == (files[0], files[-1])
