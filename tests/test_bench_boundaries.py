"""The benchmark of boundaries: what it makes, how it reads a recording, and what it counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from exstream.model.grid import Span
from load.bench import boundaries
from load.bench.boundaries import Judged
from load.bench.reels import LONGEST, REELS, SHORTEST
from load.bench.seen import Published, Seen, compare, decode_complaints, of_guide, trimmed
from load.bench.table import NotMeasured
from tests import material
from tests.referee import examine

PICTURE = 0.04
BEGAN = 1_800_000_000.0
PUBLISHED = [
    Published(BEGAN, BEGAN + 0.4, "Alfa", 1),
    Published(BEGAN + 0.4, BEGAN + 0.8, "Bravo", 2),
]


def shown(*codes: int | None) -> list[tuple[float, tuple[int, float] | None]]:
    """Return pictures from the beginning on, each with the code of a clip that runs since the last boundary."""
    return [
        (BEGAN + place * PICTURE, None if code is None else (code, place % 10 * PICTURE))
        for place, code in enumerate(codes)
    ]


def compared(*codes: int | None) -> Seen:
    """Return what is counted of such pictures."""
    seen = Seen()
    compare(seen, shown(*codes), PUBLISHED)
    return seen


def test_a_boundary_on_its_very_picture_is_no_fault() -> None:
    """Ten pictures of the old and ten of the new programme: one boundary, nothing wrong, no drift."""
    seen = compared(*[1] * 10, *[2] * 10)
    assert (seen.boundaries, seen.late, seen.wrong, seen.blank) == (Counter({"Bravo": 1}), 0, 0, 0)
    assert max(map(abs, seen.drift)) == pytest.approx(0, abs=1e-6)


def test_what_comes_late_is_seen() -> None:
    """A picture of the old programme after the boundary is wrong, a card in its place is late, and both are told."""
    seen = compared(*[1] * 11, *[2] * 9)
    assert (seen.late, seen.wrong) == (1, 1)
    assert len(seen.told) == 1
    seen = compared(*[1] * 9, None, None, *[2] * 9)
    assert (seen.late, seen.wrong, seen.blank) == (1, 0, 2)


def test_drift_is_the_position_shown_against_the_position_published() -> None:
    """A programme that began two pictures late shows pictures of eighty milliseconds before."""
    seen = Seen()
    late = [(at, told and (told[0], told[1] - 2 * PICTURE)) for at, told in shown(*[1] * 10)]
    compare(seen, late, PUBLISHED)
    assert seen.drift == pytest.approx([0.08] * 10, abs=1e-6)


def test_a_fault_a_late_boundary_or_drift_misses_the_target() -> None:
    """Every kind of fault counts, too few boundaries prove nothing, and one percent may drift."""
    titles = Counter(dict.fromkeys((reel.clip.title for reel in REELS), 13))
    good = Seen(boundaries=titles, pictures=10_000, drift=[0.02] * 9_950 + [0.3] * 50)
    assert [row.met for row in boundaries.rows([Judged("copy", good, gone=False)])] == [True] * 5
    bad = Seen(boundaries=titles, late=1, wrong=1, priority_1=1, pictures=100, drift=[0.02, 0.3])
    assert [row.met for row in boundaries.rows([Judged("copy", bad, gone=False)])] == [
        False,
        True,
        False,
        False,
        False,
    ]
    few = Seen(boundaries=Counter({"Alfa": 299}), pictures=100, drift=[0.02])
    assert [row.met for row in boundaries.rows([Judged("copy", few, gone=False)])][:2] == [False, False]
    assert not boundaries.rows([Judged("copy", good, gone=True)])[0].met


def test_the_reels_are_unlike_and_tell_themselves_apart() -> None:
    """Every way is among them, lengths run from six to twelve seconds, and no two have a code in common."""
    assert {reel.way for reel in REELS} == {"copy", "audio", "transcode"}
    assert len({reel.clip.code for reel in REELS} - {0}) == len(REELS)
    lengths = [float(reel.clip.seconds) for reel in REELS]
    assert min(lengths) == pytest.approx(SHORTEST, abs=0.05)
    assert max(lengths) == pytest.approx(LONGEST, abs=0.05)


def test_the_guide_is_read_as_it_is_published() -> None:
    """Instants become Unix time, titles their codes."""
    row = {"starts": "2027-01-15T08:00:00Z", "ends": "2027-01-15T08:00:00.400000Z", "title": "Alfa"}
    assert of_guide([row], {"Alfa": 1}) == [PUBLISHED[0]]


def test_a_recording_that_was_cut_anywhere_is_judged_without_its_torn_end(tmp_path: Path) -> None:
    """Wherever a viewer hangs up, what is left has no fault and decodes; a recording of nothing is refused."""
    data = material.encoding(material.clip(tmp_path), material.SMALL, Span(0, 200))
    path, kept = tmp_path / "cut.ts", b""
    for at in (len(data) // 2, len(data) // 3 + 1_000, len(data) * 3 // 4 + 77):
        kept = trimmed(data[:at])
        assert at * 0.8 < len(kept) < at
        path.write_bytes(kept)
        assert examine(kept).faults == []
        assert decode_complaints(path) == []
    path.write_bytes(kept[: len(kept) // 2] + bytes(2_000))
    assert decode_complaints(path)
    with pytest.raises(NotMeasured, match="no picture"):
        trimmed(data[:188])
