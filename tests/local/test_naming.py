"""What a path says about its file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.local.languages import language_code
from exstream.local.naming import Named, name_of, sidecar_subtitles
from exstream.model.catalogue import ItemKind

FILM, EPISODE, OTHER, FILLER = ItemKind.FILM, ItemKind.EPISODE, ItemKind.OTHER, ItemKind.FILLER


def episode(show: str, season: int, number: int, title: str, **more: int) -> Named:
    return Named(EPISODE, title, show, season, number, more.get("last"), more.get("year"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Salt Road (1972)/Salt Road (1972).mkv", Named(FILM, "Salt Road", year=1972)),
        ("Salt Road (1972)/Salt Road (1972) - 1080p.mkv", Named(FILM, "Salt Road", year=1972)),
        ("Salt Road (1972)/disc.mkv", Named(FILM, "Salt Road", year=1972)),
        ("Salt Road [1972].mkv", Named(FILM, "Salt Road", year=1972)),
        ("Salt.Road.1972.1080p.x264-GRP.mkv", Named(FILM, "Salt Road", year=1972)),
        ("Road.2049.2017.2160p.WEB-DL.mkv", Named(FILM, "Road 2049", year=2017)),
        ("2001 A Voyage (1968).mp4", Named(FILM, "2001 A Voyage", year=1968)),
        ("1917 (2019)/1917 (2019).mkv", Named(FILM, "1917", year=2019)),
        ("Ocean - 11 (2001).mkv", Named(FILM, "Ocean - 11", year=2001)),
        ("Show/Season 01/Show - S01E02 - The Letter.mkv", episode("Show", 1, 2, "The Letter")),
        ("Show/Season 1/s01e02.mkv", episode("Show", 1, 2, "Episode 2")),
        ("Show/Show.S02E10.The.Letter.720p.HDTV.x264.mkv", episode("Show", 2, 10, "The Letter")),
        ("Show/1x02 - The Letter.avi", episode("Show", 1, 2, "The Letter")),
        ("Show.Name.1x02.The.Letter.avi", episode("Show Name", 1, 2, "The Letter")),
        ("Show/Season 01/Show - S01E02-E03 - Twins.mkv", episode("Show", 1, 2, "Twins", last=3)),
        ("Show/Season 01/Show - S01E02E03E04.mkv", episode("Show", 1, 2, "Episode 2", last=4)),
        ("Show/Season 01/Show - s01e02-03.mkv", episode("Show", 1, 2, "Episode 2", last=3)),
        ("Show/S01E02-1080p.mkv", episode("Show", 1, 2, "Episode 2")),
        ("Show (2003)/Season 02/Show (2003) - S02E01 - X.mkv", episode("Show", 2, 1, "X", year=2003)),
        ("Show/Specials/Show - S00E01 - Reunion.mkv", episode("Show", 0, 1, "Reunion")),
        ("Show/Specials/01 - Reunion.mkv", episode("Show", 0, 1, "Reunion")),
        ("Show/Season 2/02 - The Letter.mkv", episode("Show", 2, 2, "The Letter")),
        ("Show/Staffel 3/Episode 7.mkv", episode("Show", 3, 7, "Episode 7")),
        ("Show/Show - 05.mkv", episode("Show", 1, 5, "Episode 5")),
        ("[Grp] Show - 105v2 [1080p].mkv", episode("Show", 1, 105, "Episode 105")),
        ("Show - 05 - The Letter.mkv", episode("Show", 1, 5, "The Letter")),
        ("tv/Drama/Show/Season 01/Show.s01e01.mkv", episode("Show", 1, 1, "Episode 1")),
        ("Holidays/2019-07-21 beach.mp4", Named(OTHER, "2019-07-21 beach")),
        ("clip_1920x1080.mp4", Named(OTHER, "clip 1920x1080")),
        ("Summer 2019.mp4", Named(OTHER, "Summer 2019")),
        ("Concert - 2004.mp4", Named(OTHER, "Concert - 2004")),
        ("Salt Road (1972)/Featurettes/Making of.mkv", Named(OTHER, "Making of")),
        ("Filler/Weather.mp4", Named(FILLER, "Weather")),
        ("Bumpers/night/ident_01.mp4", Named(FILLER, "ident 01")),
        ("Salt Road (1972)/Salt Road (1972)-trailer.mkv", Named(FILLER, "Salt Road (1972)-trailer")),
    ],
)
def test_names(path: str, expected: Named) -> None:
    """Films, episodes, fillers and other videos are told apart as other media servers do."""
    assert name_of(path) == expected


@given(
    st.lists(
        st.one_of(
            st.text(max_size=20),
            st.text("sSeExX0123456789 ._-()[]{}/", max_size=40),
            st.sampled_from(["Season 1", "Specials", "filler", "S01E02", "(1999)", "1080p", ".mkv"]),
        ),
        max_size=5,
    ).map("/".join)
)
def test_no_path_is_refused(path: str) -> None:
    """Any path has a kind and a title that is not empty; an episode always has a show and its numbers."""
    named = name_of(path)
    assert named.title.strip()
    if named.kind is EPISODE:
        assert named.show.strip()
        assert named.season is not None
        assert named.episode is not None
        assert named.last_episode is None or named.last_episode > named.episode


def test_subtitles_belong_to_the_video_whose_stem_they_share() -> None:
    """Languages and flags are read; other videos' subtitles, and a .sub that an .idx describes, are left out."""
    names = [
        "Film.srt", "Film.en.srt", "Film.pt-BR.ass", "Film.ger.forced.srt", "Film.English.sdh.vtt",
        "Film.fr.idx", "Film.fr.sub", "Film.sub", "Film 2.en.srt", "Film.Part Two.srt", "Film.nfo", "Film.mkv",
    ]  # fmt: skip
    found = [(s.path, s.codec, s.language, s.forced) for s in sidecar_subtitles("Film", names)]
    assert found == [
        ("Film.English.sdh.vtt", "webvtt", "eng", False),
        ("Film.en.srt", "subrip", "eng", False),
        ("Film.fr.idx", "dvd_subtitle", "fra", False),
        ("Film.ger.forced.srt", "subrip", "deu", True),
        ("Film.pt-BR.ass", "ass", "por", False),
        ("Film.srt", "subrip", "", False),
        ("Film.sub", "microdvd", "", False),
    ]


@given(st.text(max_size=20))
def test_a_language_is_three_letters_or_nothing(word: str) -> None:
    """Whatever is asked, the answer is a code of three letters or empty."""
    assert len(language_code(word)) in {0, 3}
