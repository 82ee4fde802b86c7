"""Bytes to one tree: both formats, and everything that is neither."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.errors import ExstreamError, Misunderstood
from exstream.plex import parse
from exstream.plex.answers import read, said
from exstream.plex.tree import trees
from tests.plex.recorded import as_json, as_xml, recording

CONTAINER = {
    "size": 2,
    "totalSize": 2,
    "librarySectionID": 2,
    "Metadata": [
        {
            "ratingKey": "10",
            "type": "show",
            "title": 'Tom & Jerry <"1940">',
            "leafCount": 161,
            "Genre": [{"tag": "Animation"}],
        },
        {
            "ratingKey": "11",
            "type": "episode",
            "title": "Puss Gets the Boot",
            "Media": [{"id": 5, "Part": [{"id": 6, "key": "/library/parts/6/1/file.mkv"}]}],
        },
    ],
    "Directory": [{"key": "/library/metadata/10/allLeaves", "title": "All episodes"}],
}


def test_both_formats_become_one_tree() -> None:
    """The same listing in JSON and in XML gives the same records, and the format it came in is named."""
    ways = [read(as_json(CONTAINER)), read(as_xml(CONTAINER)), read(b"\xef\xbb\xbf\r\n" + as_xml(CONTAINER))]
    assert [way.format for way in ways] == ["json", "xml", "xml"]
    pages = [parse.page(way.tree) for way in ways]
    assert pages[0] == pages[1] == pages[2]
    assert [record.title for record in pages[0].records] == ['Tom & Jerry <"1940">', "Puss Gets the Boot"]
    assert len(trees(ways[1].tree, "Directory")) == 1


def test_entries_under_their_own_names_are_entries_in_json_too() -> None:
    """A server that calls shows ``Directory`` and films ``Video`` in JSON is understood."""
    page = parse.page(read(as_json({"size": 1, "Directory": [{"ratingKey": 1, "title": "A"}]})).tree)
    assert [record.key for record in page.records] == ["1"]


def test_control_characters_and_half_characters_do_not_spoil_an_answer() -> None:
    """What XML and databases forbid is left out, as it is and as a reference, in both formats."""
    xml = b'<MediaContainer size="1"><Video ratingKey="1" title="a\x01b&#x2;c&#0;d&#xD800;e&#65;"/></MediaContainer>'
    lax = b'{"MediaContainer": {"size": 1, "Metadata": [{"ratingKey": "1", "title": "a\x01b\\u0002c\\ud800deA"}]}}'
    broken = b'<MediaContainer size="1"><Video ratingKey="1" title="abcde\xffA"/></MediaContainer>'
    titles = [parse.page(read(body).tree).records[0].title for body in (xml, lax, broken)]
    assert titles == ["abcdeA", "abcdeA", "abcde\N{REPLACEMENT CHARACTER}A"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \r\n\x00", "empty"),
        (b"hello", "neither JSON nor XML"),
        (
            b"<!DOCTYPE html><html><head><title> Sign in </title>",
            'page of a proxy or another program, "Sign in"',
        ),
        (b"<html>", "page of a proxy"),
        (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "page of a proxy"),
        (b"{", "breaks off after 1 characters"),
        (as_json(CONTAINER)[:-20], "breaks off"),
        (as_xml(CONTAINER)[:-20], "breaks off"),
        (as_xml(CONTAINER)[:60], "breaks off"),
        (b'{"MediaContainer" 5}', "no JSON"),
        (b"<MediaContainer></Video>", "no XML"),
        (b"<MediaContainer/><MediaContainer/>", "no XML"),
        (b"[]", "another program"),
        (b'{"error": "no"}', "another program"),
        (b'{"MediaContainer": 5}', "another program"),
        (b"<feed><title>x</title></feed>", "no MediaContainer, but a feed"),
        (b'{"_elementType": "MediaContainer", "_children": []}', "before 1.3: update the server"),
        (b"[" * 1_000_000, "nested deeper"),
        (b'{"MediaContainer":' * 1_000_000, "nested deeper"),
        (b"<a>" * 1_000_000, "nested deeper"),
        (b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><MediaContainer t="&d;"/>', "defines entities"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><MediaContainer/>', "defines entities"),
        (b'{"MediaContainer": {"size": ' + b"9" * 5000 + b"}}", "no JSON"),
    ],
)
def test_what_is_no_answer_says_what_it_is(body: bytes, words: str) -> None:
    """Pages, halves, bombs, other programs and other times are told apart."""
    with pytest.raises(Misunderstood, match="the answer") as raised:
        read(body, "text/html")
    assert words in str(raised.value)


def test_a_refusal_is_quoted_in_the_servers_words() -> None:
    """Maintenance is named as the server names it; a page by its title; everything else says nothing."""
    maintenance = b'<Response code="503" title="Maintenance" status="Plex is migrating."/>'
    assert said(maintenance) == "Plex is migrating."
    assert said(b"<html><head><title>Bad Gateway</title></head>") == "Bad Gateway"
    assert said(b"\xff\xfe{}") == said(b"") == ""
    with pytest.raises(Misunderstood, match="Plex is migrating"):
        read(maintenance)


def test_the_recorded_maintenance_is_understood() -> None:
    """The answer of a real server that migrates its database is quoted."""
    assert said(recording("misc__503_maintenance.xml")).endswith("running database migrations.")


def test_the_recorded_old_dialect_is_told() -> None:
    """The answer of a real server of ten years ago says what to do."""
    with pytest.raises(Misunderstood, match="update the server"):
        read(recording("nodeplexapi__library__sections.json"))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(
    [
        "size",
        "totalSize",
        "offset",
        "Metadata",
        "Directory",
        "Media",
        "Part",
        "Stream",
        "Guid",
        "Genre",
        "Role",
        "Marker",
        "Chapter",
        "Location",
        "ratingKey",
        "key",
        "type",
        "title",
        "guid",
        "id",
        "tag",
        "file",
        "duration",
        "index",
        "addedAt",
        "updatedAt",
        "viewCount",
        "startTimeOffset",
        "endTimeOffset",
        "smart",
        "machineIdentifier",
        "path",
        "streamType",
        "deletedAt",
        "year",
        "rating",
        "frameRate",
        "exists",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=40,
)


def understood(body: bytes) -> None:
    """Read a body in every way there is; only errors of our own may come out."""
    try:
        tree = read(body).tree
    except ExstreamError:
        return
    for way in (parse.page, parse.sections, parse.identity, parse.record):
        try:
            way(tree)
        except ExstreamError:
            continue


@given(st.dictionaries(NAMES, VALUES, max_size=10))
def test_no_tree_breaks_the_reading(container: dict[str, object]) -> None:
    """Values of any type at any place give records or a sentence, never another exception."""
    understood(json.dumps({"MediaContainer": container}).encode())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    """Whatever comes, as it is and where attributes are expected, gives records or a sentence."""
    understood(body)
    understood(b"<MediaContainer " + body)
    understood(b'{"MediaContainer": {' + body)


@given(st.integers(0, 2000), st.booleans())
def test_an_answer_cut_anywhere_is_no_answer(end: int, xml: bool) -> None:
    """A listing that breaks off at any byte is refused: half a listing would look like a smaller library."""
    body = as_xml(CONTAINER) if xml else as_json(CONTAINER)
    with pytest.raises(Misunderstood):
        read(body[: end % len(body)])
