"""Records of a server become items of the catalogue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.catalogue import ItemKind, Marker, MarkerKind
from exstream.model.grid import Rate
from exstream.plex.items import Choice, Surroundings, digest_of, item_of, key_of, markers_of, show_of
from exstream.plex.records import Kind, MarkerRecord, MediaRecord, PartRecord, Record, StreamRecord
from exstream.plex.streams import rate_of

AROUND = Surroundings("srv", "TV", lambda path: f"/mnt{path}")
SHOW = Record(
    "7",
    Kind.SHOW,
    "Doctor Who",
    year=2005,
    guids=("imdb://tt0436992", "tvdb://78804"),
    genres=("Drama", "Science Fiction"),
    content_rating="TV-PG",
    labels=("classics",),
    leaf_count=2,
)


def part(number: int, *, duration: int = 60_000, streams: tuple[StreamRecord, ...] = ()) -> PartRecord:
    key = f"/library/parts/{number}/16/file.mkv"
    return PartRecord(str(number), key, f"/tv/{number}.mkv", 1_000, duration, "mkv", streams=streams)


def version(number: int, height: int = 720, kbps: int = 2_000) -> MediaRecord:
    return MediaRecord(
        str(number), (part(number),), 60_000, width=height * 16 // 9, height=height, bitrate=kbps
    )


EPISODE = Record(
    "100",
    Kind.EPISODE,
    "Rose",
    index=1,
    parent_index=1,
    parent_key="8",
    parent_title="Season 1",
    grandparent_key="7",
    grandparent_title="Doctor Who",
    added_at=1_700_000_000,
    updated_at=1_700_000_100,
    aired="2005-03-26",
    duration=60_000,
    guid="plex://episode/abc",
    guids=("tvdb://295294",),
    media=(version(1),),
)


def test_an_episode_tells_its_show_apart_by_key_and_year() -> None:
    """Shows of one title stay two: the item carries its show's key, year and what the show hands on."""
    show = show_of(SHOW, "srv")
    assert show
    item = item_of(EPISODE, AROUND, show)
    assert item
    assert (item.key, item.kind, item.show, item.season, item.episode) == (
        "srv:100",
        ItemKind.EPISODE,
        "Doctor Who",
        1,
        1,
    )
    assert (item.show_key, item.show_year, item.aired) == ("srv:7", 2005, "2005-03-26")
    assert (item.genres, item.content_rating) == (("Drama", "Science Fiction"), "TV-PG")
    assert show.labels == ("classics",)
    assert (item.added_at, item.updated_at) == (1_700_000_000_000, 1_700_000_100_000)
    assert item.external_ids[0] == "tvdb:295294"
    assert (item.path, item.versions[0].parts[0].path) == ("/mnt/tv/1.mkv", "/tv/1.mkv")
    assert item.media is None


def test_specials_and_dated_episodes_keep_what_numbers_they_have() -> None:
    """Season 0 is a season; an episode that has only a date has no number, and is no fault."""
    special = item_of(replace(EPISODE, parent_index=0), AROUND, None)
    dated = item_of(replace(EPISODE, index=None, parent_index=None), AROUND, None)
    assert special
    assert special.season == 0
    assert dated
    assert (dated.season, dated.episode, dated.aired) == (None, None, "2005-03-26")


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (Record("1", Kind.MOVIE, "Alien"), ItemKind.FILM),
        (Record("1", Kind.MOVIE, "Unmatched", guid="local://1"), ItemKind.FILM),
        (Record("1", Kind.MOVIE, "Holiday", subtype="clip"), ItemKind.OTHER),
        (Record("1", Kind.MOVIE, "Holiday", guid="com.plexapp.agents.none://ab?lang=xn"), ItemKind.OTHER),
        (Record("1", Kind.CLIP, "Video", subtype="musicVideo", grandparent_title="Abba"), ItemKind.OTHER),
        (
            Record("1", Kind.TRACK, "Song", index=3, grandparent_title="Abba", parent_title="Arrival"),
            ItemKind.TRACK,
        ),
        (Record("1", Kind.SEASON, "Season 1"), None),
        (Record("1", Kind.PHOTO, "Beach"), None),
    ],
)
def test_what_is_an_item_and_of_which_kind(record: Record, kind: ItemKind | None) -> None:
    """Films, episodes, tracks and other videos are items; what holds items is none."""
    item = item_of(record, AROUND, None)
    assert (item.kind if item else None) == kind
    if record.grandparent_title:
        assert item
        assert item.show == "Abba"
    if record.kind is Kind.TRACK:
        assert item
        assert (item.album, item.episode, item.season) == ("Arrival", 3, None)


@pytest.mark.parametrize(("said", "kept"), [("", "NR"), ("de/16", "de/16"), ("TV-MA", "TV-MA")])
def test_an_unknown_rating_is_not_rated_and_a_known_one_stays_raw(said: str, kept: str) -> None:
    """No rating is guessed, and none is translated."""
    item = item_of(Record("1", Kind.MOVIE, "A", content_rating=said), AROUND, None)
    assert item
    assert item.content_rating == kept


def test_consecutive_files_add_up() -> None:
    """An item in two files lasts as long as both; what is in it is told from the first."""
    streams = (
        StreamRecord("1", 1, "h264", 0, width=64, height=36, frame_rate=25.0),
        StreamRecord("2", 2, "aac", 1),
    )
    media = MediaRecord("1", (part(1, streams=streams), part(2, duration=30_000)), 60_000)
    item = item_of(replace(EPISODE, media=(media,)), AROUND, None)
    assert item
    assert item.duration_ms == 90_000
    assert [each.file for each in item.versions[0].parts] == ["/mnt/tv/1.mkv", "/mnt/tv/2.mkv"]
    assert item.media
    assert item.media.duration_ms == 90_000


def test_two_episodes_in_one_file_are_two_items() -> None:
    """The same file under two numbers makes two items, each as long as that file, whatever an episode usually lasts."""
    both = [
        replace(EPISODE, key=key, index=index, duration=30_000) for key, index in (("100", 1), ("101", 2))
    ]
    lengthless = replace(version(1), parts=(part(1, duration=0),))
    for record_media in (EPISODE.media, (lengthless,)):
        items = [item_of(replace(record, media=record_media), AROUND, None) for record in both]
        assert [(item.key, item.path, item.duration_ms) for item in items if item] == [
            ("srv:100", "/mnt/tv/1.mkv", 60_000),
            ("srv:101", "/mnt/tv/1.mkv", 60_000),
        ]


@pytest.mark.parametrize(
    ("choice", "order"), [(Choice.BEST, "2134"), (Choice.SMALLEST, "3124"), (Choice.FIRST, "1234")]
)
def test_the_policy_picks_among_versions(choice: Choice, order: str) -> None:
    """Best, smallest or first; what the server made for slow lines comes after, what is gone comes last."""
    media = (
        version(1),
        version(2, 1080, 8_000),
        replace(version(3, 2160, 90_000), optimized=True)
        if choice is not Choice.SMALLEST
        else version(3, 480, 900),
        replace(version(4, 4320, 99_000), deleted=True),
        MediaRecord("5", ()),
    )
    item = item_of(replace(EPISODE, media=media), replace(AROUND, choice=choice), None)
    assert item
    assert "".join(each.id for each in item.versions) == order
    assert item.path == f"/mnt/tv/{order[0]}.mkv"


def test_streams_become_what_a_probe_would_say() -> None:
    """Tracks count within their kind, in the order of the file; codecs, rates and colours bear FFmpeg's names."""
    streams = (
        StreamRecord(
            "1",
            1,
            "h264",
            2,
            width=1920,
            height=1080,
            frame_rate=23.976,
            chroma="4:2:0",
            bit_depth=10,
            profile="high 10",
            colour_space="bt709",
            scan="interlaced",
            sample_aspect="64:45",
        ),
        StreamRecord("2", 2, "ac3", 3, language="ger", channels=2, sample_rate=48_000),
        StreamRecord("3", 2, "dca", 0, language="eng", channels=6, default=True, profile="ma"),
        StreamRecord("4", 3, "pgs", 4, language="eng", forced=True),
        StreamRecord("5", 3, "srt", None, key="/library/streams/5", language="por"),
    )
    record = replace(EPISODE, media=(MediaRecord("1", (part(1, streams=streams),), 60_000),))
    item = item_of(record, AROUND, None)
    assert item
    assert item.media
    video = item.media.video
    assert video
    assert (video.index, video.rate, video.pixel_format, video.interlaced, video.sar, video.profile) == (
        0,
        Rate(24_000, 1_001),
        "yuv420p10le",
        True,
        (64, 45),
        "High 10",
    )
    assert [(track.index, track.codec, track.language) for track in item.media.audio] == [
        (0, "dts", "eng"),
        (1, "ac3", "ger"),
    ]
    assert [(each.index, each.codec, each.path) for each in item.media.subtitles] == [
        (0, "hdmv_pgs_subtitle", ""),
        (-1, "subrip", "plex://srv/library/streams/5"),
    ]
    assert item.media.probed == 0
    assert item.versions[0].parts[0].media == item.media


@pytest.mark.parametrize(
    ("said", "named", "rate"),
    [
        (23.976, "", Rate(24_000, 1_001)),
        (29.97, "", Rate(30_000, 1_001)),
        (25.0, "", Rate(25)),
        (0.0, "NTSC", Rate(30_000, 1_001)),
        (0.0, "PAL", Rate(25)),
        (0.0, "", None),
        (1_000.0, "", None),
        (12.5, "", Rate(25, 2)),
    ],
)
def test_rates_are_exact(said: float, named: str, rate: Rate | None) -> None:
    """A rounded rate means the exact one; nonsense means none."""
    assert rate_of(said, named) == rate


def test_markers_are_kept_by_kind_and_start() -> None:
    """Two markers may share an id; what ends before it starts, or is of an unknown kind, is no marker."""
    records = [
        MarkerRecord("credits", 90, 100),
        MarkerRecord("intro", 10, 20),
        MarkerRecord("chapter", 10, 30, "One"),
        MarkerRecord("intro", 50, 50),
        MarkerRecord("bookmark", 1, 2),
    ]
    assert markers_of(records) == (
        Marker(MarkerKind.CHAPTER, 10, 30, "One"),
        Marker(MarkerKind.INTRO, 10, 20),
        Marker(MarkerKind.CREDITS, 90, 100),
    )


@pytest.mark.parametrize(
    "changed",
    [
        replace(EPISODE, updated_at=1_700_000_101),
        replace(EPISODE, title="Rose!"),
        replace(EPISODE, index=2),
        replace(EPISODE, grandparent_key="9"),
        replace(EPISODE, guids=("tvdb://1",)),
        replace(EPISODE, duration=61_000),
        replace(EPISODE, media=(replace(version(1), parts=(replace(part(1), size=2),)),)),
        replace(EPISODE, media=(replace(version(1), parts=(replace(part(1), key="/p/1/17/f.mkv"),)),)),
        replace(EPISODE, media=(replace(version(1), parts=(replace(part(1), file="/tv/new.mkv"),)),)),
        replace(EPISODE, media=(version(1), version(2))),
        replace(EPISODE, updated_at=None),
    ],
)
def test_a_digest_tells_every_change_of_a_listing(changed: Record) -> None:
    """A replaced file leaves updatedAt as it was: its key, size and name tell it."""
    assert digest_of(changed, AROUND, None) != digest_of(EPISODE, AROUND, None)


def test_a_digest_is_the_same_for_a_listing_and_for_details() -> None:
    """What only details tell is no change, nor is the order of guids, nor how often it was watched."""
    streams = (StreamRecord("1", 1, "h264", 0),)
    more = replace(
        EPISODE,
        guids=(*EPISODE.guids[::-1],),
        views=3,
        labels=("x",),
        genres=("Drama", "More"),
        markers=(MarkerRecord("intro", 0, 5),),
        media=(replace(version(1), parts=(part(1, streams=streams),)),),
    )
    assert digest_of(more, AROUND, None) == digest_of(EPISODE, AROUND, None)


def test_a_digest_tells_what_else_an_item_is_made_of() -> None:
    """Another mapping, policy or library name, or a show that means something else, makes the item anew."""
    show = show_of(SHOW, "srv")
    renamed = show_of(replace(SHOW, title="Dr Who"), "srv")
    more = show_of(replace(SHOW, leaf_count=3, updated_at=5), "srv")
    around = [
        AROUND,
        replace(AROUND, fingerprint="x"),
        replace(AROUND, choice=Choice.FIRST),
        replace(AROUND, library="Series"),
    ]
    digests = {digest_of(EPISODE, each, show) for each in around}
    digests |= {digest_of(EPISODE, AROUND, each) for each in (None, renamed)}
    assert len(digests) == 6
    assert digest_of(EPISODE, AROUND, more) == digest_of(EPISODE, AROUND, show)


def test_a_season_is_no_show() -> None:
    """Only series and artists are shows; identity names the server."""
    assert show_of(replace(SHOW, kind=Kind.SEASON), "srv") is None
    show = show_of(SHOW, "srv")
    assert show
    assert (show.key, show.external_ids[0]) == ("srv:7", "tvdb:78804")
    assert key_of("srv", "") == ""


@given(st.builds(Record, key=st.just("1"), kind=st.sampled_from(Kind), title=st.text(), media=st.just(())))
def test_whatever_a_server_leaves_out_an_item_comes_of_it_or_none(record: Record) -> None:
    """Records full of holes and odd values never raise, and an item of one is equal each time."""
    assert item_of(record, AROUND, None) == item_of(record, AROUND, None)
    assert digest_of(record, AROUND, None) == digest_of(record, AROUND, None)
