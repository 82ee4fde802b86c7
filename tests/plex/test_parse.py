"""Trees to records: recorded answers of real servers, and everything a server may leave out or write otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from exstream.errors import Misunderstood
from exstream.plex import parse
from exstream.plex.answers import read
from exstream.plex.records import Identity, Kind, MarkerRecord, Page, Record, Section
from exstream.plex.tree import number, text, truth, whole
from tests.plex.recorded import as_json, as_xml, recording

ALL = "plexapispec__library__sectionKey__get-library-all_"


def page(container: dict[str, Any]) -> Page:
    """Return a page of a container, the same in both formats."""
    pages = [parse.page(read(way(container)).tree) for way in (as_json, as_xml)]
    assert pages[0] == pages[1]
    return pages[0]


def one(**entry: Any) -> Record:
    """Return the record of an entry, the same in both formats."""
    found = page({"size": 1, "Metadata": [{"ratingKey": "7", "type": "movie", "title": "A", **entry}]})
    assert found.faults == ()
    (record,) = found.records
    return record


def recorded(name: str) -> Page:
    return parse.page(read(recording(name)).tree)


@pytest.mark.parametrize(
    ("said", "meant"),
    [(5, 5), ("5", 5), (" 5 ", 5), (5.0, 5), ("5.9", 5), (True, 1), ("-3", -3), ("0", 0), (0, 0)],
)
def test_numbers_are_read_however_they_are_written(said: object, meant: int) -> None:
    """A number, a text, a truth: the server's formats differ, the value does not."""
    assert whole({"a": said}, "a") == meant


@pytest.mark.parametrize(
    "said", [None, "", "five", "1e999", float("nan"), float("inf"), 2**80, "9" * 5000, [], {}]
)
def test_what_is_no_number_is_none(said: object) -> None:
    """Nothing, words, and what no database keeps are no number, and no error."""
    assert whole({"a": said}, "a") is None
    assert whole({"a": said, "b": 2}, "a", "b") == 2
    assert whole({}, "a") is None


def test_truths_texts_and_fractions() -> None:
    """0, 1, "1", true and "true" are truths; the first text that says something counts; 25 and "23.976" are rates."""
    assert [truth({"a": said}, "a") for said in (1, "1", True, "true", 0, "0", False, "x", None)] == [
        *(True, True, True, True, False, False, False, False, False)
    ]
    assert truth({"a": "maybe"}, "a", otherwise=True)
    assert text({"a": " ", "b": 5, "c": "x"}, "a", "b") == "5"
    assert text({"a": None, "c": "a\x00\ud800b"}, "a", "c") == "ab"
    assert (number({"a": "23.976"}, "a"), number({"a": 25}, "a"), number({"a": "x"}, "a")) == (
        23.976,
        25.0,
        None,
    )


def test_a_film_of_a_real_server_is_read_whole() -> None:
    """Its names, instants, guids, people, version, file, tracks and chapters are there."""
    (film,) = recorded("plexapirs__timeline__metadata_182_1.json").records
    assert (film.key, film.kind, film.title, film.year) == ("182", Kind.MOVIE, "Batman", 1989)
    assert (film.content_rating, film.rating, film.aired) == ("PG-13", 7.3, "1989-06-21")
    assert (film.added_at, film.updated_at, film.stamp) == (1683716782, 1683716785, 1683716785)
    assert (film.section, film.guid) == ("1", "plex://movie/5d7768257228e5001f1dccd2")
    assert {guid.partition(":")[0] for guid in film.guids} == {"imdb", "tmdb", "tvdb"}
    assert film.people[0] == "Michael Keaton"
    assert "Tim Burton" in film.people
    assert len(film.people) == len(set(film.people))
    (version,) = film.media
    (part,) = version.parts
    assert part.key.startswith("/library/parts/")
    assert {stream.kind for stream in part.streams} >= {1, 2}


def test_an_episode_of_a_real_server_has_its_breaks_and_subtitles() -> None:
    """Two markers share one id and are both there; chapters that share one too; a subtitle file has no index."""
    (episode,) = recorded("plexapispec__library_metadata__ratingKey__get-media-meta-data_6.json").records
    assert (episode.parent_index, episode.index) == (1, 1)
    assert (episode.grandparent_key, episode.grandparent_title) == ("44545", "Band of Brothers")
    assert episode.markers[:2] == (
        MarkerRecord("intro", 96192, 240386),
        MarkerRecord("credits", 4176050, 4393389),
    )
    chapters = [mark for mark in episode.markers if mark.kind == "chapter"]
    assert [mark.starts for mark in chapters[:3]] == [0, 100100, 243743]
    assert len(chapters) == 11
    streams = episode.media[0].parts[0].streams
    assert [(stream.kind, stream.index, stream.codec, stream.language) for stream in streams] == [
        *((1, 2, "h264", ""), (2, 0, "dca", "eng"), (3, 1, "pgs", "eng"), (3, None, "srt", "por"))
    ]
    assert streams[0].frame_rate == 23.976
    assert streams[3].key == "/library/streams/216389"


@pytest.mark.parametrize(
    ("name", "kind", "received", "total"),
    [
        (f"{ALL}2.json", Kind.SHOW, 266, 266),
        (f"{ALL}3.json", Kind.EPISODE, 24, 479),
        (f"{ALL}4.json", Kind.ALBUM, 99, 99),
        (f"{ALL}5.json", Kind.MOVIE, 7, 7),
        (f"{ALL}6.json", Kind.MOVIE, 341, 341),
        ("plexapispec__library__sectionKey__get-library-items_3.json", Kind.EPISODE, 10, 3438),
        ("plexapirs__server__media__tv_episodes.json", Kind.EPISODE, 3, 3),
        ("plexapirs__server__media__photo_library.json", Kind.PHOTO, 1, 1),
        ("shortlist__pms_watched_shows.xml", Kind.SHOW, 10, 10),
        ("shortlist__pms_watched_incremental.xml", Kind.MOVIE, 3, 3),
        ("watchstate__playlists_list_get_200.json", Kind.PLAYLIST, 2, 2),
    ],
)
def test_listings_of_real_servers_are_read_without_a_fault(
    name: str, kind: Kind, received: int, total: int
) -> None:
    """Films, shows, episodes, albums, photos, playlists, in either format: every entry becomes a record."""
    found = recorded(name)
    assert found.faults == ()
    assert (len(found.records), found.received, found.total) == (received, received, total)
    assert {record.kind for record in found.records} == {kind}


def test_several_versions_and_files_of_a_real_library() -> None:
    """Of 341 films two have a second version; each file has a key, and the path it has on the server."""
    films = recorded(f"{ALL}6.json").records
    assert sum(len(film.media) for film in films) == 343
    parts = [part for film in films for version in film.media for part in version.parts]
    assert all(part.key.startswith("/library/parts/") and part.file for part in parts)


@pytest.mark.parametrize("name", ["beets__sections_1.xml", "gaps__libraries.xml"])
def test_libraries_of_real_servers(name: str) -> None:
    """Old and new servers list their libraries with keys, kinds and folders."""
    found, faults = parse.sections(read(recording(name)).tree)
    assert faults == ()
    assert len(found) >= 3
    assert all(section.key and section.roots and section.title for section in found)
    assert {section.kind for section in found} <= {Kind.MOVIE, Kind.SHOW, Kind.ARTIST, Kind.PHOTO}


def test_a_library_has_its_scan_its_counter_and_all_its_folders() -> None:
    """What is missing in a new library is empty; one without a key is named and spoils no other."""
    found, faults = parse.sections(
        {
            "size": 3,
            "Directory": [
                {
                    "key": "2",
                    "type": "show",
                    "title": "TV",
                    "agent": "tv.plex.agents.series",
                    "uuid": "u",
                    "scannedAt": "17",
                    "contentChangedAt": 18253756,
                    "refreshing": "1",
                    "Location": [{"id": 1, "path": "/tv"}, {"path": "M:\\TV"}, {"id": 3}],
                },
                {"title": "No key"},
                {"key": "/library/sections/9", "type": "games"},
            ],
        }
    )
    assert found == (
        Section(
            *("2", Kind.SHOW, "TV", "tv.plex.agents.series", "u", 17, "18253756", True),
            roots=("/tv", "M:\\TV"),
        ),
        Section("9", Kind.OTHER, "Library 9"),
    )
    assert faults == ('library 1 "No key" has no key',)
    assert parse.sections({"size": 0}) == ((), ())
    with pytest.raises(Misunderstood, match="which libraries there are"):
        parse.sections({"title1": "x"})


def test_a_server_says_who_it_is() -> None:
    """Its machine, version and name; an answer without a machine is of another program."""
    tree = {"machineIdentifier": "abc-1", "version": "1.43.3", "claimed": "1", "friendlyName": "Attic"}
    assert parse.identity(tree) == Identity("abc-1", "1.43.3", claimed=True, name="Attic")
    for broken in ({}, {"machineIdentifier": "../x"}, {"machineIdentifier": None}):
        with pytest.raises(Misunderstood, match="which server"):
            parse.identity(broken)


def test_an_entry_needs_nothing_but_its_key() -> None:
    """Everything else is empty where it is missing."""
    (record,) = page({"size": 1, "Metadata": [{"ratingKey": "5"}]}).records
    assert record == Record("5", Kind.OTHER, "")
    assert record.stamp == 0
    assert (
        parse.page({"size": 1, "Metadata": [{"ratingKey": 5}]}, Kind.EPISODE).records[0].kind is Kind.EPISODE
    )


@pytest.mark.parametrize("absurd", [2**63 - 1, 2**62, -(2**62), "9223372036854775807", 9.2e18])
def test_numbers_beyond_all_reason_are_none(absurd: object) -> None:
    """A date, a length or a count that no database keeps is as if it was not told: the entry is kept without it."""
    named = ("addedAt", "updatedAt", "duration", "year", "index", "parentIndex", "viewCount", "leafCount")
    version = {"id": 1, "duration": absurd, "Part": [{"id": 2, "key": "/p", "duration": absurd}]}
    entry = {"ratingKey": "5", "Media": [version], **dict.fromkeys(named, absurd)}
    (record,) = page({"size": 1, "Metadata": [entry]}).records
    assert (record.stamp, record.added_at, record.duration, record.views, record.leaf_count) == (0,) * 5
    assert (record.year, record.index, record.parent_index) == (None, None, None)
    assert (record.media[0].duration, record.media[0].parts[0].duration) == (0, 0)


def test_one_bad_entry_is_named_and_spoils_no_other() -> None:
    """Entries without a key, or that are none, are faults with their place; the page counts them all."""
    found = parse.page(
        {
            "totalSize": 99,
            "Metadata": [
                {"ratingKey": "1"},
                {"title": "Lost"},
                {},
                5,
                {"ratingKey": "a/b"},
                {"ratingKey": "2"},
            ],
        },
        start=40,
    )
    assert [record.key for record in found.records] == ["1", "2"]
    assert (found.received, found.total, len(found.faults)) == (6, 99, 4)
    assert found.faults[0] == 'entry 41: "Lost" has no rating key'


def test_the_row_of_all_episodes_is_no_season() -> None:
    """It is left out without a fault, wherever the format has put it."""
    row = {"key": "/library/metadata/10/allLeaves", "title": "All episodes", "leafCount": 9}
    found = page(
        {"size": 2, "Directory": [row], "Metadata": [{"ratingKey": "11", "type": "season", "title": ""}]}
    )
    assert [(record.key, record.title) for record in found.records] == [("11", "")]
    assert parse.page({"size": 1, "Metadata": [row]}).faults == ()


def test_what_entries_have_in_common_stands_above_them() -> None:
    """Library, show and season are taken from the container where the entry does not say them itself."""
    found = page(
        {
            "size": 2,
            "librarySectionID": "3",
            "grandparentRatingKey": 22,
            "grandparentTitle": "The 100",
            "parentTitle": "Season 1",
            "parentIndex": 1,
            "Metadata": [
                {"ratingKey": "90", "type": "episode", "title": "Pilot", "parentKey": "/library/metadata/89"},
                {"ratingKey": "91", "type": "episode", "title": "B", "parentIndex": 0, "librarySectionID": 4},
            ],
        }
    )
    first, second = found.records
    assert (first.section, first.grandparent_key, first.grandparent_title) == ("3", "22", "The 100")
    assert (first.parent_key, first.parent_title, first.parent_index) == ("89", "Season 1", 1)
    assert (second.section, second.parent_index) == ("4", 0)


def test_an_empty_page_has_no_list() -> None:
    """Servers leave an empty list out: its number says that it is one; without a number it is no listing."""
    assert page({"size": 0, "totalSize": 0}) == Page((), 0, 0)
    assert parse.total({"size": 5}) is None
    with pytest.raises(Misunderstood, match="no listing"):
        parse.page({"title1": "x"})


def test_versions_files_and_what_is_gone() -> None:
    """Files of a version follow each other; optimized, deleted and missing ones are marked; none is needed."""
    record = one(
        Media=[
            {
                "id": 1,
                "videoCodec": "hevc",
                "height": "2160",
                "videoFrameRate": "24p",
                "Part": [
                    {
                        "id": 1,
                        "key": "/library/parts/1/2/f.mkv",
                        "file": "/a-pt1.mkv",
                        "size": "9",
                        "duration": 60,
                    },
                    {
                        "id": 2,
                        "key": "/library/parts/2/2/f.mkv",
                        "file": "/a-pt2.mkv",
                        "duration": 40,
                        "exists": "0",
                    },
                    {"id": 3},
                ],
            },
            {"id": 2, "proxyType": 42, "target": "Mobile", "deletedAt": 1700000000, "duration": 500},
            {"id": 3},
        ]
    )
    first, second, third = record.media
    assert [(part.file, part.size, part.exists) for part in first.parts] == [
        *(("/a-pt1.mkv", 9, True), ("/a-pt2.mkv", 0, False))
    ]
    assert (first.duration, first.height, first.frame_rate, first.optimized) == (100, 2160, "24p", False)
    assert (second.optimized, second.deleted, third.parts) == (True, True, ())
    assert record.duration == 100


def test_tags_people_and_what_older_servers_call_otherwise() -> None:
    """Actors come first, nobody twice; a rating of nothing stays nothing; older spellings are understood."""
    record = one(
        contentRating="",
        sortTitle="B",
        Role=[{"tag": "Ann"}, {"tag": "Bob"}, {"role": "x"}],
        Writer=[{"tag": "Cleo"}],
        Director=[{"tag": "Bob"}, {"tag": "Dan"}],
        Genre=[{"tag": "Drama"}, {"tag": "Drama"}],
        Label=[{"tag": "kids"}],
        Collection=[{"tag": "Best"}],
        originallyAvailableAt="1999-03-31 00:00:00",
        updatedAt="",
        addedAt="1700000000",
        viewCount="3",
    )
    assert record.people == ("Ann", "Bob", "Dan", "Cleo")
    assert (record.genres, record.labels, record.collections) == (("Drama",), ("kids",), ("Best",))
    assert (record.content_rating, record.sort_title, record.aired) == ("", "B", "1999-03-31")
    assert (record.updated_at, record.stamp, record.views) == (None, 1_700_000_000, 3)


def test_chapters_without_an_end_last_to_the_next() -> None:
    """The last one lasts to the end of the item; a marker that ends before it begins is none."""
    record = one(
        duration=9000,
        Chapter=[{"startTimeOffset": 4000, "tag": "Two"}, {"startTimeOffset": 0, "endTimeOffset": 3900}],
        Marker=[
            {"type": "commercial", "startTimeOffset": 100, "endTimeOffset": 200},
            {"type": "intro", "startTimeOffset": 300, "endTimeOffset": 200},
            {"type": "credits", "startTimeOffset": 300},
        ],
    )
    assert record.markers == (
        MarkerRecord("commercial", 100, 200),
        MarkerRecord("chapter", 0, 3900),
        MarkerRecord("chapter", 4000, 9000, "Two"),
    )
