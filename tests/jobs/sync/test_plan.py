"""What a library is due for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exstream.jobs.sync.plan import DAY_MS, HOUR_MS, Due, Pass, Wishes, due, is_too_much, wanted
from exstream.jobs.sync.statistics import Statistics
from exstream.model.catalogue import Library, LibraryKind
from exstream.model.server import PlexLibrary, SyncState, Taken
from exstream.plex.records import Kind, Section

NOW = 1_700_000_000_000
SECTION = Section("1", Kind.MOVIE, "Films", scanned_at=5, content_changed_at="7")
STATE = SyncState(content_changed_at="7", scanned_at=5, full_at=NOW - 1, pass_number=1)


@pytest.mark.parametrize(
    ("state", "wishes", "expected"),
    [
        (STATE, Wishes(), Due(Pass.CHANGES, moved=False, why="")),
        (replace(STATE, content_changed_at="6"), Wishes(), Due(Pass.CHANGES, moved=True, why="")),
        (replace(STATE, scanned_at=4), Wishes(), Due(Pass.CHANGES, moved=True, why="")),
        (
            replace(STATE, scanned_at=4, full_at=NOW - HOUR_MS),
            Wishes(),
            Due(Pass.FULL, moved=True, why="scanned since"),
        ),
        (SyncState(), Wishes(), Due(Pass.FULL, moved=True, why="never read before")),
        (replace(STATE, pass_open=True), Wishes(), Due(Pass.FULL, moved=False, why="interrupted")),
        (replace(STATE, full_at=NOW - DAY_MS), Wishes(), Due(Pass.FULL, moved=False, why="read a day ago")),
        (replace(STATE, full_at=NOW + HOUR_MS), Wishes(), Due(Pass.FULL, moved=False, why="read a day ago")),
        (STATE, Wishes(deep=True), Due(Pass.FULL, moved=False, why="asked for")),
        (
            replace(STATE, held_back=3, full_at=NOW - HOUR_MS),
            Wishes(),
            Due(Pass.FULL, moved=False, why="a second look at what is gone"),
        ),
        (replace(STATE, held_back=3), Wishes(), Due(Pass.CHANGES, moved=False, why="")),
    ],
)
def test_a_full_pass_is_due_for_a_reason(state: SyncState, wishes: Wishes, expected: Due) -> None:
    """Daily, an hour after the last one when something was scanned, when interrupted, and when asked for."""
    assert due(SECTION, state, NOW, wishes) == expected


@pytest.mark.parametrize(
    ("kind", "enabled", "gone", "section", "read"),
    [
        ("movie", True, False, "", True),
        ("artist", True, False, "1", True),
        ("show", False, False, "", False),
        ("show", False, False, "Films", True),
        ("movie", True, False, "2", False),
        ("movie", True, True, "", False),
        ("photo", True, False, "", False),
    ],
)
def test_which_libraries_are_read(kind: str, enabled: bool, gone: bool, section: str, read: bool) -> None:
    """Those that are on, or the one that is named; pictures never."""
    place = Library(1, LibraryKind.PLEX, "Films", "/library/sections/1", "srv")
    library = PlexLibrary(place, "1", kind, enabled, gone=gone)
    assert wanted(library, Wishes(section=section)) is read


@pytest.mark.parametrize(("gone", "known", "much"), [(2, 10, False), (3, 10, True), (1, 1, True)])
def test_a_fifth_is_not_too_much_yet(gone: int, known: int, much: bool) -> None:
    """Over a fifth at once is."""
    assert is_too_much(gone, known) is much


def test_statistics_add_up_and_read_as_a_line() -> None:
    """What several libraries did is one sum, their faults one list."""
    first, second = (
        Statistics(total=5, skipped=3, faults=["a"]),
        Statistics(total=1, faults=["b"], held_back=2),
    )
    first.take(Taken(("k",), ("l", "m"), (), 4))
    first.add(second)
    assert (first.total, first.added, first.updated, first.writes, first.faults) == (6, 1, 2, 4, ["a", "b"])
    assert first.summary().startswith("6 items, 0 processed, 3 skipped, 1 added, 2 updated, 0 removed")
    assert "2 held back" in first.summary()
    assert first.changed
    assert not second.changed
