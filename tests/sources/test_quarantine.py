"""Files that failed again and again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.bad_file import BadFile
from exstream.sources.quarantine import ENOUGH, PROOF_MS, TERM_MS, Quarantine
from tests.fakes import SteppedClock

pytestmark = pytest.mark.anyio

BAD, GOOD = "/films/bad.mkv", "/films/good.mkv"
NOW = 1_800_000_000_000


@pytest.fixture
def clock() -> SteppedClock:
    """Return a clock that the test steps."""
    return SteppedClock(NOW)


@pytest.fixture
def quarantine(clock: SteppedClock) -> Quarantine:
    """Return a quarantine with nobody in it."""
    return Quarantine(clock)


def fail(quarantine: Quarantine, times: int = ENOUGH, path: str = BAD) -> None:
    """Have encoders of a file fail."""
    for number in range(times):
        quarantine.suspect(path, f"it hurts {number}")


def test_three_failures_set_a_file_aside(quarantine: Quarantine) -> None:
    """The third one does, with the last reason; until then, and other files always, may be played."""
    quarantine.clear(GOOD)
    fail(quarantine, ENOUGH - 1)
    assert not quarantine.set_aside(BAD)
    fail(quarantine, 1)
    assert quarantine.set_aside(BAD) == "it hurts 0"
    assert not quarantine.set_aside(GOOD)
    assert [(file.path, file.failures) for file in quarantine.files()] == [(BAD, ENOUGH)]


def test_a_file_that_plays_in_between_is_not_suspected_any_more(quarantine: Quarantine) -> None:
    """Failures with an airing in order between them do not add up."""
    quarantine.clear(GOOD)
    for _ in range(5):
        fail(quarantine, ENOUGH - 1)
        quarantine.clear(BAD)
    assert quarantine.files() == ()


async def test_a_broken_ffmpeg_sets_nothing_aside(quarantine: Quarantine, clock: SteppedClock) -> None:
    """Where no file plays at all it is not the files' fault; once another one plays, those that failed are judged."""
    quarantine.clear(GOOD)
    await clock.step(PROOF_MS / 1000 + 1)
    fail(quarantine, 50)
    fail(quarantine, 50, GOOD)
    assert quarantine.files() == ()
    quarantine.clear("/films/third.mkv")
    assert {file.path for file in quarantine.files()} == {BAD, GOOD}


def test_a_file_is_no_proof_against_itself(quarantine: Quarantine) -> None:
    """That a file played before it broke does not show that others would."""
    quarantine.clear(BAD)
    fail(quarantine)
    assert quarantine.files() == ()


async def test_after_a_day_a_file_may_be_played_again(quarantine: Quarantine, clock: SteppedClock) -> None:
    """At the end of its term it is not passed over any more, and leaves the record."""
    quarantine.clear(GOOD)
    fail(quarantine)
    quarantine.take_news()
    await clock.step(TERM_MS / 1000 - 1)
    assert quarantine.set_aside(BAD)
    await clock.step(1)
    assert not quarantine.set_aside(BAD)
    quarantine.expire()
    assert quarantine.take_news().good == (BAD,)


def test_a_file_that_changes_may_be_played_again(quarantine: Quarantine) -> None:
    """Its size and time are noted once; when either differs later, it is let go."""
    quarantine.clear(GOOD)
    for other in ((7, 8), (6, 9)):
        fail(quarantine)
        quarantine.describe(BAD, 7, 9)
        quarantine.describe(BAD, 7, 9)
        assert quarantine.files()[0].size == 7
        quarantine.describe(BAD, *other)
        assert quarantine.files() == ()


def test_what_is_on_record_is_taken_over_and_what_is_taken_off_it_let_go(quarantine: Quarantine) -> None:
    """A restart keeps what was known; a row that somebody removes frees its file, one not written yet stays."""
    old = BadFile("/films/old.mkv", "broken", 3, NOW - 2, NOW - 1, 5, 6)
    quarantine.restore([old])
    quarantine.clear(GOOD)
    fail(quarantine)
    assert [file.path for file in quarantine.files()] == [BAD, old.path]
    quarantine.restore([])
    assert [file.path for file in quarantine.files()] == [BAD]


def test_news_that_could_not_be_kept_are_told_again(quarantine: Quarantine) -> None:
    """What a failing database did not take is in the next news, unless something newer is known."""
    quarantine.clear(GOOD)
    fail(quarantine)
    fail(quarantine, path="/films/second.mkv")
    news = quarantine.take_news()
    quarantine.clear(BAD)
    quarantine.put_back(news)
    again = quarantine.take_news()
    assert [file.path for file in again.bad] == ["/films/second.mkv"]
    assert again.good == (BAD,)
    assert not quarantine.take_news()


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60))
def test_a_file_is_set_aside_only_after_its_failures_in_a_row(events: list[tuple[str, bool]]) -> None:
    """Whatever happens in whatever order: who is set aside has failed three times since it last played."""
    quarantine = Quarantine(SteppedClock(NOW))
    row = dict.fromkeys("abcd", 0)
    for path, plays in events:
        if plays:
            quarantine.clear(path)
            row[path] = 0
        else:
            quarantine.suspect(path, "broken")
            row[path] += 1
        aside = {file.path for file in quarantine.files()}
        assert all(row[bad] >= ENOUGH for bad in aside)
        assert aside == {each for each in "abcd" if quarantine.set_aside(each)}
