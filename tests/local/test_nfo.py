"""Kodi's NFO files, well and badly written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.local.nfo import LARGEST_BYTES, BadNfo, Nfo, read_nfo

MOVIE = (
    b"<movie><title>Salt &amp; Silver</title><year>1972</year><plot> A\n mine. </plot>"
    b"<genre>Drama / Crime</genre></movie>"
)
EXPECTED = Nfo("movie", "Salt & Silver", plot="A mine.", year=1972, genres=("Drama", "Crime"))


def test_a_film_is_read() -> None:
    """Title, year, plot and genres of a film are taken over, white space tidied."""
    assert read_nfo(MOVIE) == EXPECTED


def test_an_episode_is_read() -> None:
    """Show, season and episode are taken over; deeper elements are not confused with the episode's own."""
    content = b"""<?xml version="1.0" encoding="UTF-8"?>
    <episodedetails><title>The Letter</title><showtitle>Harbour Road</showtitle><season>2</season>
    <episode>7</episode><aired>2021-03-04</aired><actor><title>Captain</title></actor></episodedetails>"""
    assert read_nfo(content) == Nfo(
        "episodedetails", "The Letter", "Harbour Road", year=2021, season=2, episode=7
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + MOVIE,
        b"\n\n  " + MOVIE,
        MOVIE + b"\nhttps://www.example.org/title/1",
        MOVIE + MOVIE,
        b'<?xml version="1.0" encoding="windows-1252"?>' + MOVIE,
        MOVIE.decode().encode("utf-16"),
        b"<!DOCTYPE movie>" + MOVIE,
    ],
    ids=["BOM", "blank lines", "link after it", "two descriptions", "8-bit encoding", "UTF-16", "doctype"],
)
def test_usual_oddities_are_forgiven(content: bytes) -> None:
    """What people and scrapers really write is read like the plain file."""
    assert read_nfo(content) == EXPECTED


@pytest.mark.parametrize(
    "content", [b"", b"https://example.org/1", b"   RELEASE NOTES   ", b"<html><title>x</title></html>"]
)
def test_what_is_no_description_is_passed_over(content: bytes) -> None:
    """A link, release notes or another kind of XML say nothing, and that is no fault."""
    assert read_nfo(content) is None


BOMB = (
    b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<movie><title>&b;</title></movie>"
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<movie><title>x</movie>", "no valid XML"),
        (b"<movie><title>x", "no valid XML"),
        (b'<?xml version="1.0" encoding="klingon"?><movie/>', "no valid XML"),
        (BOMB, "entity"),
        (
            b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><movie><title>&x;</title></movie>',
            "entity",
        ),
        (b"<movie>" + b" " * LARGEST_BYTES + b"</movie>", "larger"),
    ],
    ids=["wrong nesting", "cut off", "unknown encoding", "entity bomb", "external entity", "too large"],
)
def test_broken_and_hostile_files_are_refused_in_words(content: bytes, said: str) -> None:
    """What cannot be used is refused with the reason, and entities are never expanded."""
    with pytest.raises(BadNfo, match=said):
        read_nfo(content)


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(lambda junk: b"<movie><title>" + junk)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No content raises anything but BadNfo."""
    try:
        found = read_nfo(content)
    except BadNfo:
        return
    assert found is None or isinstance(found, Nfo)
