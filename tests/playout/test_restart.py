"""The ladder: what is tried next, and when."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exstream.model.programme import Way
from exstream.model.recovery import Failure, Setback, Step
from exstream.playout.restart import MOST_COPIES, MOST_FILLERS, Ladder, Move

LADDER = Ladder()
FILE, OTHER, FILLER = "/films/a.mkv", "/films/b.mkv", "/fillers/c.mkv"


def setback(
    step: Step = Step.PLANNED,
    failure: Failure = Failure.BROKE,
    *,
    at: int = 1_000,
    way: Way = Way.TRANSCODE,
    location: str = FILE,
) -> Setback:
    """Return a setback whose encoder was started half a second before."""
    spawned = 0 if failure is Failure.MISSING else at - 500
    return Setback(at, step, failure, "", location, spawned, way)


def climb(failure: Failure, way: Way = Way.TRANSCODE, *, copies: int = 0, fillers: int = 0) -> list[Move]:
    """Return the moves of the first twelve steps, each failing in half a second and in the same way."""
    moves: list[Move] = []
    setbacks = [setback(failure=failure, way=way)]
    now = 1_000
    for _ in range(12):
        move = LADDER.after(setbacks, now)
        moves.append(move)
        now += round(move.wait * 1000) + 500
        left = {Step.COPY: copies, Step.FILLER: fillers}.get(move.step, 1)
        copies -= move.step is Step.COPY
        fillers -= move.step is Step.FILLER
        location = {Step.COPY: OTHER, Step.FILLER: FILLER}.get(move.step, FILE)
        taken = way if move.step is Step.RETRY else Way.TRANSCODE
        if left > 0:
            setbacks.append(setback(move.step, failure, at=now, way=taken, location=location))
        else:
            setbacks.append(setback(move.step, Failure.MISSING, at=now, location=""))
    return moves


def steps(moves: list[Move]) -> list[Step]:
    """Return the steps up to the first one from a card."""
    names = [move.step for move in moves]
    return names[: names.index(Step.AGAIN) + 1]


def test_a_file_that_is_not_there_goes_straight_to_another_copy_and_to_filler() -> None:
    """Nothing that opens the same file again is tried."""
    assert steps(climb(Failure.MISSING)) == [Step.COPY, Step.FILLER, Step.AGAIN]


def test_what_cannot_be_opened_is_decoded_with_care_and_not_just_again() -> None:
    """The same would fail the same way; care may help, then come the substitutes."""
    assert (
        steps(climb(Failure.SILENT))
        == steps(climb(Failure.REFUSED))
        == [Step.CAREFUL, Step.COPY, Step.FILLER, Step.AGAIN]
    )


def test_an_encoder_that_was_killed_or_hangs_is_tried_again_as_it_was() -> None:
    """Then with care; the fourth encoder of the file within thirty seconds is not started."""
    expected = [Step.RETRY, Step.CAREFUL, Step.COPY, Step.FILLER, Step.AGAIN]
    assert steps(climb(Failure.KILLED)) == steps(climb(Failure.HUNG)) == expected


def test_a_copied_item_is_transcoded() -> None:
    """At once when it is irregular or breaks; not when its process was ended: something dearer would end sooner."""
    assert steps(climb(Failure.IRREGULAR, Way.COPY))[0] is Step.TRANSCODE
    assert steps(climb(Failure.BROKE, Way.COPY))[:2] == [Step.TRANSCODE, Step.CAREFUL]
    assert steps(climb(Failure.KILLED, Way.AUDIO))[:2] == [Step.RETRY, Step.COPY]
    assert Step.TRANSCODE not in steps(climb(Failure.SLOW, Way.COPY))


def test_what_came_too_late_is_begun_where_the_stream_stands() -> None:
    """What was encoded is encoded again, what was sent as it is is encoded: more care would not make it earlier."""
    assert steps(climb(Failure.LATE))[:2] == [Step.RETRY, Step.COPY]
    assert steps(climb(Failure.LATE, Way.COPY))[:2] == [Step.TRANSCODE, Step.COPY]


def test_a_slow_encoder_makes_less_effort() -> None:
    """Nothing else helps against slowness but a file that is easier to decode; a copy is not encoded for it."""
    assert steps(climb(Failure.SLOW)) == [Step.CHEAPER, Step.COPY, Step.FILLER, Step.AGAIN]
    assert LADDER.after([setback(failure=Failure.SLOW)], 1_000, cheaper=False) == Move(Step.COPY)
    assert steps(climb(Failure.SLOW, Way.COPY)) == [Step.COPY, Step.FILLER, Step.AGAIN]


def test_every_copy_is_tried_and_then_filler() -> None:
    """Two other copies may fail, a third is not looked for."""
    assert steps(climb(Failure.BROKE, copies=5, fillers=1))[:5] == [
        Step.RETRY,
        Step.CAREFUL,
        Step.COPY,
        Step.COPY,
        Step.FILLER,
    ]


def test_behind_a_filler_the_programme_is_tried_again_after_a_while() -> None:
    """After half a minute, then ever later; else more filler comes."""
    failed = [setback(failure=Failure.MISSING, at=0)]
    assert LADDER.behind(failed, 29_000) == Move(Step.FILLER)
    assert LADDER.behind(failed, 30_000) == Move(Step.AGAIN)
    failed.append(setback(Step.AGAIN, Failure.MISSING, at=30_000))
    assert LADDER.behind(failed, 89_000) == Move(Step.FILLER)
    assert LADDER.behind(failed, 90_000) == Move(Step.AGAIN)


@dataclass
class Story:
    """A segment whose every attempt ends in some way after some time: what it suffered, and what was done when."""

    setbacks: list[Setback]
    moves: list[tuple[int, Move]]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Play out a segment; fillers may air to their end, which is no setback."""
    now = draw(st.integers(1_000, 10**13))
    first = setback(failure=draw(st.sampled_from(Failure)), at=now, way=draw(st.sampled_from(Way)))
    story = Story([first], [])
    move = LADDER.after(story.setbacks, now)
    for _ in range(draw(st.integers(1, 60))):
        story.moves.append((now, move))
        opened = now + round(move.wait * 1000)
        if move.step is Step.FILLER and draw(st.booleans()):
            now = opened + draw(st.integers(2_000, 120_000))
            move = LADDER.behind(story.setbacks, now)
            continue
        now = opened + draw(st.integers(0, 20_000))
        failure = draw(st.sampled_from(Failure))
        substitute = {Step.COPY: f"{OTHER}{len(story.moves)}", Step.FILLER: FILLER}.get(move.step)
        missing = failure is Failure.MISSING
        location = FILE if substitute is None else "" if missing else substitute
        spawned = 0 if missing else opened
        story.setbacks.append(Setback(now, move.step, failure, "", location, spawned, Way.TRANSCODE))
        move = LADDER.after(story.setbacks, now, cheaper=draw(st.booleans()))
    return story


@given(stories())
def test_no_file_is_opened_more_than_three_times_in_thirty_seconds(story: Story) -> None:
    """Whatever fails and however fast, encoders of the planned file never come in a storm."""
    spawned = [each.spawned for each in story.setbacks if each.spawned and each.location == FILE]
    assert all(late - early >= 30_000 for early, late in zip(spawned, spawned[3:], strict=False))


@given(stories())
def test_it_always_ends_on_the_card_and_never_spins(story: Story) -> None:
    """Every wait is bounded, only the last step waits, and steps without a wait are few unless fillers air."""
    at_once = 0
    for before, (now, move) in pairwise([(0, Move(Step.PLANNED)), *story.moves]):
        assert 0 <= move.wait <= 30
        assert not move.wait or move.step is Step.AGAIN
        aired = before[1].step is Step.FILLER and now - before[0] >= 2_000
        at_once = 0 if move.wait or aired else at_once + 1
        assert at_once <= len(Step)


@given(stories())
def test_the_way_back_up_leads_over_time_alone(story: Story) -> None:
    """The steps with the planned file come once each and downwards; only the one from below comes again."""
    substitutes = {Step.AGAIN, Step.COPY, Step.FILLER}
    taken = [list(Step).index(move.step) for _, move in story.moves if move.step not in substitutes]
    assert taken == sorted(set(taken))
    again = [now + move.wait * 1000 for now, move in story.moves if move.step is Step.AGAIN]
    assert all(late - early >= 2_000 for early, late in pairwise(again))


@given(stories())
def test_other_copies_are_not_looked_for_for_ever(story: Story) -> None:
    """At most two fail in a segment, and none is looked for once there was no other."""
    failed = [bool(each.location) for each in story.setbacks if each.step is Step.COPY]
    assert len(failed) <= MOST_COPIES
    assert all(failed[:-1])


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_fillers_that_fail_are_given_up(there: list[bool]) -> None:
    """Three of them may fail, each followed by a card; once there was none at all, none is asked for again."""
    story = [setback(failure=Failure.MISSING, location="")]
    tried = 0
    for present in there:
        story.append(setback(Step.COPY, Failure.MISSING, location=""))
        move = LADDER.after(story, 1_000)
        if move.step is not Step.FILLER:
            break
        tried += 1
        story.append(setback(Step.FILLER, Failure.BROKE, location=FILLER if present else ""))
        assert LADDER.after(story, 1_000).step is Step.AGAIN
    expected = there.index(False) + 1 if False in there else len(there)
    assert tried == min(expected, MOST_FILLERS)


@given(st.integers(1, 200), st.sampled_from(Failure))
def test_waits_on_the_card_never_shrink(count: int, failure: Failure) -> None:
    """The more often it was tried from the card in vain, the longer it waits, up to half a minute."""
    waits = []
    for tried in (count, count + 1):
        story = [setback(failure=Failure.MISSING, at=0)]
        story.append(setback(Step.FILLER, Failure.MISSING, at=0, location=""))
        story += [setback(Step.AGAIN, failure, at=number * 60_000) for number in range(1, tried)]
        waits.append(LADDER.after(story, tried * 60_000).wait)
    assert 2 <= waits[0] <= waits[1] <= 30
