"""Which sound track is put on air."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.ffmpeg.tracks import language_code, pick_audio
from exstream.model.catalogue import AudioStream


def track(
    index: int, language: str = "", *, default: bool = False, title: str = "", codec: str = "aac"
) -> AudioStream:
    """Return a sound track."""
    return AudioStream(index, codec, 2, 48_000, language, default, title)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("ger", "deu"),
        ("de", "deu"),
        ("de-AT", "deu"),
        ("DEU", "deu"),
        ("fre", "fra"),
        ("und", ""),
        ("", ""),
        ("qaa", "qaa"),
    ],
)
def test_languages_have_one_code_however_they_are_tagged(tag: str, code: str) -> None:
    """Bibliographic, two-letter and regional tags mean the same language."""
    assert language_code(tag) == code


def test_the_first_wanted_language_wins_over_the_default() -> None:
    """A viewer who wants German gets it although the file prefers English."""
    tracks = [track(0, "eng", default=True), track(1, "ger")]
    assert pick_audio(tracks, ("de", "en")) == tracks[1]
    assert pick_audio(tracks, ("en", "de")) == tracks[0]


def test_without_a_wanted_language_the_default_counts_and_then_the_first() -> None:
    """The file's own preference is kept where the profile has none that fits."""
    assert pick_audio([track(0), track(1, default=True)], ("jpn",)) == track(1, default=True)
    assert pick_audio([track(0), track(1)], ()) == track(0)


def test_commentary_is_the_last_resort_within_a_language() -> None:
    """A director's commentary is not what the film sounds like, even when it is the default."""
    tracks = [track(0, "eng", default=True, title="Director's Commentary"), track(1, "eng")]
    assert pick_audio(tracks, ("eng",)) == tracks[1]
    assert pick_audio(tracks[:1], ("eng",)) == tracks[0]


def test_a_track_that_cannot_be_decoded_is_passed_over() -> None:
    """Another language is better than silence; silence is better than failure."""
    tracks = [track(0, "eng", default=True, codec="ac4"), track(1, "fra")]
    assert pick_audio(tracks, ("eng",)) == tracks[1]
    assert pick_audio(tracks[:1], ("eng",)) is None
    assert pick_audio([], ()) is None


TRACKS = st.lists(st.tuples(st.sampled_from(["", "eng", "ger", "de", "fra"]), st.booleans()), max_size=6)


@given(TRACKS, st.lists(st.sampled_from(["eng", "deu", "fra", "jpn"]), max_size=3))
def test_some_track_is_always_found_and_no_better_one_is_left(
    kinds: list[tuple[str, bool]], languages: list[str]
) -> None:
    """The chosen track's language is never behind that of another track in the wanted order."""
    tracks = [track(index, language, default=default) for index, (language, default) in enumerate(kinds)]
    chosen = pick_audio(tracks, languages)
    assert (chosen is None) == (not tracks)
    if chosen is not None:
        places = [
            languages.index(code) for each in tracks if (code := language_code(each.language)) in languages
        ]
        if places:
            assert languages.index(language_code(chosen.language)) == min(places)
