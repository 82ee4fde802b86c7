"""What is written down of a segment when it is over."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from exstream.model.asrun import AsRunEntry, Means, Outcome
from exstream.model.grid import Rate
from exstream.model.programme import Segment, SegmentKind
from exstream.model.recovery import Failure, Setback, Step
from exstream.playout.tally import KEPT_SETBACKS, SHORT, Tallies

RATE = Rate(25)
SEGMENT = Segment("one", SegmentKind.PROGRAMME, 1_000_000, 1_040_000, "a")
FIRST, END = 25_000, 26_000


def entry_of(
    pictures: dict[Means, int], segment: Segment = SEGMENT, *, first: int = FIRST, shift: int = 0
) -> AsRunEntry:
    """Return the entry of a segment with so many pictures of each kind."""
    notes: list[AsRunEntry] = []
    tallies = Tallies(RATE, notes.append)
    tallies.begin(segment, first)
    for means, count in pictures.items():
        tallies.aired(segment, count, means, None if means is Means.FILLER else 20)
    assert tallies.close(END - 1, shift) == []
    assert tallies.close(END, shift) == [segment]
    (entry,) = notes
    return entry


def test_a_segment_that_aired_whole() -> None:
    """Every picture was its own: it aired, with the drift of its first one, by the way that most of them took."""
    entry = entry_of({Means.COPY: 900, Means.TRANSCODE: 100})
    assert (entry.outcome, entry.means, entry.drift_ms) == (Outcome.AIRED, Means.COPY, 20)
    assert (entry.pictures, entry.cards) == (1_000, 0)
    assert (entry.started, entry.ended) == (1_000_000, 1_040_000)


def test_a_segment_that_was_joined_late_is_whole_from_there_on() -> None:
    """A viewer who tunes in in the middle makes it begin later, and nothing else."""
    entry = entry_of({Means.TRANSCODE: 600}, first=FIRST + 400)
    assert (entry.outcome, entry.started, entry.pictures) == (Outcome.AIRED, 1_016_000, 600)


def test_cards_and_filler_in_the_place_of_a_programme() -> None:
    """What is neither its own nor filler's was a card's; without any picture of its own there is no drift."""
    partly = entry_of({Means.AUDIO: 10, Means.FILLER: 700})
    assert (partly.outcome, partly.means, partly.cards) == (Outcome.PARTLY, Means.AUDIO, 290)
    filler = entry_of({Means.FILLER: 700})
    assert (filler.outcome, filler.means, filler.cards, filler.drift_ms) == (
        Outcome.FILLER,
        Means.FILLER,
        300,
        None,
    )
    card = entry_of({})
    assert (card.outcome, card.means, card.cards) == (Outcome.CARD, Means.CARD, 1_000)


def test_what_did_not_air_whole_has_a_reason() -> None:
    """A copied item may end some pictures early with no failure: the log says so, and says nothing of a whole one."""
    assert entry_of({Means.COPY: 980}).reason == SHORT
    assert entry_of({Means.COPY: 1_000}).reason == ""


def test_a_planned_card_aired() -> None:
    """Where a card was published and shown, nothing went wrong."""
    entry = entry_of({}, Segment("one", SegmentKind.CARD, 1_000_000, 1_040_000))
    assert (entry.outcome, entry.means, entry.cards) == (Outcome.AIRED, Means.CARD, 1_000)


@given(st.integers(0, 3 * KEPT_SETBACKS), st.integers(-(10**9), 10**9))
def test_setbacks_are_kept_in_order_and_all_are_counted(count: int, shift: int) -> None:
    """The first ones are written down at schedule time, the last reason is told, every one counts."""
    notes: list[AsRunEntry] = []
    tallies = Tallies(RATE, notes.append)
    segment = replace(SEGMENT, starts=SEGMENT.starts + shift, ends=SEGMENT.ends + shift)
    tallies.begin(segment, FIRST)
    for number in range(count):
        setback = Setback(number, Step.AGAIN, Failure.BROKE, f"reason {number}", "/a", number)
        assert tallies.failed(segment, setback) == number + 1
    tallies.close(FIRST + 1, shift, cut=True)
    (entry,) = notes
    assert entry.failures == count
    assert [each.at for each in entry.setbacks] == [
        number + shift for number in range(min(count, KEPT_SETBACKS))
    ]
    assert entry.reason == (f"reason {count - 1}" if count else SHORT)


def test_a_segment_that_nobody_saw_is_not_noted() -> None:
    """One that was prepared and never came on leaves no entry."""
    notes: list[AsRunEntry] = []
    tallies = Tallies(RATE, notes.append)
    tallies.begin(SEGMENT, FIRST)
    tallies.close(FIRST, 0, cut=True)
    assert notes == []
