"""Which folder may become a library, and which library a path means."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from exstream.cli.folders import library_name, meant, media_folder, present_library
from exstream.errors import ConfigurationError
from exstream.model.catalogue import Library, LibraryKind


def _library(path: Path, name: str = "Films", number: int = 1) -> Library:
    return Library(number, LibraryKind.FOLDER, name, str(path))


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is kept as the absolute one, for the server runs elsewhere."""
    (tmp_path / "films").mkdir()
    monkeypatch.chdir(tmp_path)
    assert media_folder(Path("./films/../films")) == tmp_path / "films"


def test_a_path_that_is_no_folder_is_told_apart(tmp_path: Path) -> None:
    """A missing path, a file and an unknown home directory are each a sentence of their own."""
    (tmp_path / "film.mkv").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"there is no folder .*absent"):
        media_folder(tmp_path / "absent")
    with pytest.raises(ConfigurationError, match=f"is a file: name the folder that it lies in, {tmp_path}"):
        media_folder(tmp_path / "film.mkv")
    with pytest.raises(ConfigurationError, match="no such home directory"):
        media_folder(Path("~nobody-lives-here/films"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such names")
def test_a_folder_that_is_not_named_in_utf_8_is_refused(tmp_path: Path) -> None:
    """A name that no database can keep is told before anything is tried."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    with pytest.raises(ConfigurationError, match="is not named in UTF-8: rename the folder"):
        media_folder(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_without_rights_is_refused(tmp_path: Path) -> None:
    """A folder that this user may not list is refused before anything is kept."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(ConfigurationError, match="cannot be read: give this user the right"):
        media_folder(closed)


def test_a_folder_inside_or_around_a_library_is_refused(tmp_path: Path) -> None:
    """A file never belongs to two libraries; a link does not hide that."""
    inner = tmp_path / "media" / "films"
    inner.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(inner)
    with pytest.raises(ConfigurationError, match="lies inside the library 'Films'"):
        present_library(link, [_library(tmp_path / "media")])
    with pytest.raises(ConfigurationError, match=r"holds the library 'Films' .*library remove"):
        present_library(tmp_path / "media", [_library(inner)])


def test_a_folder_that_is_a_library_is_recognised(tmp_path: Path) -> None:
    """The same folder under another path is the same library; a neighbour with a like name is none."""
    films = tmp_path / "films"
    films.mkdir()
    (tmp_path / "films2").mkdir()
    (tmp_path / "link").symlink_to(films)
    library = _library(films)
    assert present_library(tmp_path / "link", [library]) == library
    assert present_library(tmp_path / "films2", [library]) is None


def test_a_library_is_named_after_its_folder(tmp_path: Path) -> None:
    """Without --name the folder's name is taken; a name that is taken or unprintable is refused."""
    assert library_name(None, tmp_path / "Films", []) == "Films"
    assert library_name(" Old films ", tmp_path / "Films", []) == "Old films"
    with pytest.raises(ConfigurationError, match="is called 'Films' already: set another name with --name"):
        library_name("films", tmp_path / "other", [_library(tmp_path / "Films")])
    for bad in ("", "two\nlines", "x" * 101):
        with pytest.raises(ConfigurationError, match="1 to 100 printable characters"):
            library_name(bad, tmp_path, [])


def test_a_library_is_meant_by_its_path_or_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways lead to the library, even when its folder is gone; anything else lists what there is."""
    monkeypatch.chdir(tmp_path)
    films, shows = _library(tmp_path / "films"), _library(tmp_path / "shows", "Shows", 2)
    assert meant("films", [films, shows]) == films
    assert meant("Shows", [films, shows]) == shows
    with pytest.raises(
        ConfigurationError, match=f"absent is no library: the libraries are {films.path}, {shows.path}"
    ):
        meant("absent", [films, shows])
    with pytest.raises(ConfigurationError, match="there are no libraries yet"):
        meant("films", [])
