"""Which files are found below a folder."""

import errno
import os
from pathlib import Path

import pytest

from exstream.local.walk import walk_folder


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")


def found(root: Path) -> list[str]:
    return [file.path for file in walk_folder(str(root)).media]


def test_media_is_found_and_the_rest_is_not(tmp_path: Path) -> None:
    """Videos are found at any depth; hidden files, samples, half-loaded files and servers' own folders are not."""
    put(tmp_path, "b.mkv", "a/Film (2000).MP4", "a/deep/er/x.ts")
    put(
        tmp_path,
        ".hidden.mkv",
        ".AppleDouble/a.mkv",
        "@eaDir/b.mkv",
        "a/c.mkv.part",
        "notes.txt",
        "a/._Film.mp4",
    )
    put(tmp_path, "a/sample.mkv", "a/Film-sample.mkv", "a/Sample/film.mkv", "#recycle/old.mkv")
    put(tmp_path, "private/.ignore", "private/x.mkv", "phone/.nomedia", "phone/x.mkv")
    assert found(tmp_path) == ["a/Film (2000).MP4", "a/deep/er/x.ts", "b.mkv"]


def test_size_time_and_notes_are_told(tmp_path: Path) -> None:
    """A file comes with its size and time of change; NFO files and subtitles come with their folder."""
    put(tmp_path, "a/x.mkv", "a/x.nfo", "a/x.en.srt", "tvshow.nfo")
    os.utime(tmp_path / "a/x.mkv", ns=(5, 7_000_000_001))
    walk = walk_folder(str(tmp_path))
    assert [(file.size, file.mtime_ns) for file in walk.media] == [(5, 7_000_000_001)]
    notes = {folder: [file.path for file in files] for folder, files in walk.notes.items()}
    assert notes == {"a": ["a/x.en.srt", "a/x.nfo"], "": ["tvshow.nfo"]}
    assert not walk.faults


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    """A link to a folder above is not followed for ever; a link to a folder elsewhere is followed once."""
    put(tmp_path, "lib/a/x.mkv", "elsewhere/y.mkv")
    (tmp_path / "lib/a/up").symlink_to(tmp_path / "lib", target_is_directory=True)
    (tmp_path / "lib/other").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "lib/broken.mkv").symlink_to(tmp_path / "nowhere.mkv")
    assert found(tmp_path / "lib") == ["a/x.mkv", "other/y.mkv"]


def test_a_vanished_root_is_a_fault_and_says_nothing_about_its_files(tmp_path: Path) -> None:
    """When the root is not there, nothing below it may be taken for deleted."""
    walk = walk_folder(str(tmp_path / "gone"))
    assert walk.is_unread("any/file.mkv")
    assert len(walk.faults) == 1
    assert "kept" in walk.faults[0]


def test_an_empty_root_is_taken_for_an_unmounted_disk(tmp_path: Path) -> None:
    """The empty folder where a disk would be mounted deletes nothing."""
    walk = walk_folder(str(tmp_path))
    assert walk.is_unread("x.mkv")
    assert "mounted" in walk.faults[0]


def test_an_unreadable_folder_is_a_fault_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One folder that the system refuses to list is named, the others are read."""
    put(tmp_path, "closed/x.mkv", "open/y.mkv")
    real = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "closed":  # permissions do not stop root, who may run the tests
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    walk = walk_folder(str(tmp_path))
    assert [file.path for file in walk.media] == ["open/y.mkv"]
    assert walk.is_unread("closed/x.mkv")
    assert not walk.is_unread("closed2/x.mkv")
    assert not walk.is_unread("open/y.mkv")
    assert "closed" in walk.faults[0]


def test_a_name_that_is_no_text_is_reported(tmp_path: Path) -> None:
    """A file whose name is not UTF-8 cannot be kept in the catalogue: the user is asked to rename it."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))).write_bytes(b"x")
    put(tmp_path, "ok.mkv")
    walk = walk_folder(str(tmp_path))
    assert [file.path for file in walk.media] == ["ok.mkv"]
    assert "rename" in walk.faults[0]
