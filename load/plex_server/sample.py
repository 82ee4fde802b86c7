"""One of everything: the sample library."""

from __future__ import annotations

from typing import Any

from load.plex_server.catalogue import Catalogue
from load.plex_server.model import Entry, Fields
from load.plex_server.plans import CLIPS, EPISODES, FILMS, TRACKS

HOUR = 3_600_000
_INTRO: Fields = {"type": "intro", "startTimeOffset": 30_000, "endTimeOffset": 75_000}
_CREDITS: Fields = {
    "final": True,
    "type": "credits",
    "startTimeOffset": 2_500_000,
    "endTimeOffset": 2_590_000,
}
_BREAK: Fields = {"type": "commercial", "startTimeOffset": 900_000, "endTimeOffset": 1_020_000}


def build_sample(catalogue: Catalogue) -> None:
    """Fill ``catalogue``; the keys are the same every time."""
    catalogue.add_section("movie", "Movies", ["/data/Movies", "M:\\Films"])
    catalogue.add_section("show", "TV Shows", ["/data/TV Shows"])
    catalogue.add_section("movie", "Home Videos", ["/data/Home"], personal=True)
    catalogue.add_section("artist", "Music", ["/data/Music"])
    films = _films(catalogue)
    shows = _shows(catalogue)
    catalogue.add(
        "movie",
        CLIPS,
        "Birthday",
        subtype="clip",
        guid="local://901",
        duration=95_000,
        summary="",
        versions=[{}],
    )
    catalogue.add(
        "movie",
        CLIPS,
        "Concert, 8th November",
        subtype="clip",
        guid="com.plexapp.agents.none://66e3055097fd3dc8?lang=xn",
        duration=2_024_548,
        versions=[{"container": "mp4", "videoCodec": "vp9"}],
    )
    tracks = _music(catalogue)
    _groupings(catalogue, films, shows, tracks)


def _films(catalogue: Catalogue) -> list[int]:
    def film(title: str, year: int, **spec: Any) -> int:
        catalogue.set_now(catalogue.now + 60)
        facts: Fields = {
            "summary": f"{title}, a film.",
            "studio": "Northlight",
            "contentRating": "PG",
            "rating": 7,
        }
        facts |= {
            "audienceRating": 8.1,
            "originallyAvailableAt": f"{year}-05-04",
            "tagline": "At last.",
            "year": year,
        }
        facts |= {"duration": 2 * HOUR, "versions": [{}]}
        return catalogue.add("movie", FILMS, title, **facts | spec)

    tags = {
        "Genre": ["Drama", "Crime", "Thriller", "Noir"],
        "Director": ["Ada Harbour"],
        "Label": ["late night", "bw"],
    }
    tags |= {"Role": ["Hugo River", "Ines Signal", "Leon Winter", "Mina Orchard"], "Country": ["Germany"]}
    ids = ["imdb://tt0000001", "tmdb://11", "tvdb://21"]
    small = {"width": 1280, "height": 720, "videoResolution": "720", "bitrate": 2000}
    optimized = {**small, "proxyType": 42, "target": "Optimized for Mobile", "optimizedForStreaming": 1}
    chapters = [
        {"tag": f"Chapter {n + 1}", "startTimeOffset": n * HOUR // 4, "endTimeOffset": (n + 1) * HOUR // 4}
        for n in range(8)
    ]
    return [
        film("The Long Harbour", 1952, guids=ids, tags=tags, chapters=chapters, markers=[_BREAK]),
        film(
            "Two Versions", 1984, versions=[{"width": 3840, "height": 2160, "videoResolution": "4k"}, small]
        ),
        film("In Two Parts", 1970, versions=[{"parts": [{"duration": HOUR}, {"duration": HOUR}]}]),
        film("Optimised", 1999, versions=[{}, optimized]),
        film("A Legacy Film", 2008, guid="com.plexapp.agents.imdb://tt1254207?lang=en"),
        film(
            "The Director's & the <Editor's> \"Cut\"",
            1982,
            editionTitle="Director's Cut",
            titleSort="Directors Cut",
        ),
        film(
            "On Windows",
            2010,
            versions=[{"parts": [{"file": "M:\\Films\\On Windows (2010)\\On Windows.mkv"}]}],
        ),
        film("Never Updated", 2015, updatedAt=None),
        film(
            "Without Numbers",
            2016,
            rating=None,
            versions=[{"bitrate": None, "videoFrameRate": None, "parts": []}],
        ),
        film("Seen", 2017, viewCount=2, lastViewedAt=catalogue.now, viewOffset=61_000, userRating=9),
    ]


def _shows(catalogue: Catalogue) -> dict[str, int]:
    made = {}
    for title, year, tvdb in (
        ("Battlestar Galactica", 1978, 71173),
        ("Battlestar Galactica", 2003, 73545),
        ("The Office", 2005, 73244),
    ):
        show = _show(catalogue, title, year, tvdb)
        made[f"{title} ({year})"] = show.key
        for number in (0, 1, 2) if year == 2003 else (1,):
            season = _season(catalogue, show, number)
            for index in (1, 2, 3):
                _episode(catalogue, season, f"{title} {number}x{index}", index)
    special = catalogue.entry(made["Battlestar Galactica (2003)"]).children[0]
    double: Fields = {"parts": [{"file": "/data/TV Shows/BSG/S00E04-E05.mkv", "duration": HOUR}]}
    _episode(
        catalogue, special, "The Long Night, Part 1", 4, versions=[double], markers=[_INTRO, _CREDITS, _BREAK]
    )
    _episode(catalogue, special, "The Long Night, Part 2", 5, versions=[double])
    daily = _show(catalogue, "The Daily Signal", 2024, 0, guid="com.plexapp.agents.thetvdb://99999?lang=en")
    season = _season(catalogue, daily, 2024)
    for day in (1, 2):
        _episode(
            catalogue,
            season,
            f"The {day} of March",
            None,
            originallyAvailableAt=f"2024-03-{day:02}",
            guids=[],
        )
    made["The Daily Signal"] = daily.key
    return made


def _show(catalogue: Catalogue, title: str, year: int, tvdb: int, **spec: Any) -> Entry:
    catalogue.set_now(catalogue.now + 60)
    facts: Fields = {
        "year": year,
        "summary": f"{title} of {year}.",
        "studio": "Meridian",
        "contentRating": "TV-14",
    }
    facts |= {
        "index": 1,
        "duration": 2_600_000,
        "audienceRating": 8,
        "originallyAvailableAt": f"{year}-09-17",
    }
    tags = {"Genre": ["Drama", "Science Fiction", "Adventure"], "Label": [f"decade {year // 10 * 10}"]}
    ids = [f"tvdb://{tvdb}", f"imdb://tt{tvdb:07}"] if tvdb else []
    return catalogue.entry(catalogue.add("show", EPISODES, title, guids=ids, tags=tags, **facts | spec))


def _season(catalogue: Catalogue, show: Entry, number: int) -> Entry:
    title = f"Season {number}" if number else "Specials"
    return catalogue.entry(catalogue.add("season", EPISODES, title, parent=show, index=number, summary=""))


def _episode(catalogue: Catalogue, season: Entry, title: str, index: int | None, **spec: Any) -> int:
    catalogue.set_now(catalogue.now + 60)
    facts: Fields = {"summary": f"{title}.", "index": index, "duration": 2_600_000, "contentRating": "TV-14"}
    year = season.parent.fields["year"] if season.parent is not None else 2000
    facts |= {"year": year, "originallyAvailableAt": f"{year}-10-{(index or 0) + 1:02}"}
    facts |= {"versions": [{}], "guids": [f"tvdb://{season.key}{index}"]}
    return catalogue.add("episode", EPISODES, title, parent=season, **facts | spec)


def _music(catalogue: Catalogue) -> list[int]:
    made = []
    for name in ("The Compass", "Winter Orchard"):
        artist = catalogue.entry(
            catalogue.add("artist", TRACKS, name, index=1, summary="", tags={"Genre": ["Pop/Rock"]})
        )
        key = catalogue.add(
            "album", TRACKS, f"{name} One", parent=artist, index=1, year=1999, studio="Virgin"
        )
        album = catalogue.entry(key)
        for index in (1, 2, 3):
            file: Fields = {"parts": [{"file": f"/data/Music/{name}/{index:02}.mp3", "duration": 200_000}]}
            title = f"Track {index} of {name}"
            made.append(
                catalogue.add(
                    "track", TRACKS, title, parent=album, index=index, duration=200_000, versions=[file]
                )
            )
    return made


def _groupings(catalogue: Catalogue, films: list[int], shows: dict[str, int], tracks: list[int]) -> None:
    years: Fields = {"summary": "", "subtype": "movie", "minYear": "1952", "maxYear": "2017"}
    tags = {"Label": ["curated"]}
    catalogue.add(
        "collection",
        FILMS,
        "Harbour Films",
        members=films[:3],
        guid="collection://29a32816",
        tags=tags,
        **years,
    )
    smart = f"/library/sections/{FILMS}/all?type=1&year>>=1990"
    catalogue.add(
        "collection",
        FILMS,
        "Since the Nineties",
        guid="collection://29a32817",
        smart=True,
        content=smart,
        **years,
    )
    both = [key for name, key in shows.items() if name.startswith("Battlestar")]
    catalogue.add(
        "collection", EPISODES, "Galactica", members=both, guid="collection://29a32818", subtype="show"
    )
    lists: Fields = {"summary": "", "smart": False}
    catalogue.add(
        "playlist", 0, "Saturday", members=[films[4], films[0]], playlistType="video", guid="", **lists
    )
    catalogue.add("playlist", 0, "Songs", members=tracks[::2], playlistType="audio", guid="", **lists)
    catalogue.add(
        "playlist",
        0,
        "Newest",
        guid="",
        playlistType="video",
        summary="",
        smart=True,
        content=f"{smart}&sort=year:desc",
    )
