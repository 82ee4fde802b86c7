"""Builds the library of a plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from load.plex_server.catalogue import Catalogue
from load.plex_server.model import Entry, Fields
from load.plex_server.plans import CLIPS, EPISODES, FILMS, TRACKS, Plan
from load.plex_server.sample import build_sample

EPOCH = 1_700_000_000
"""When the first entry came, in epoch seconds."""
_EPISODES_A_SEASON = 13
_SEASONS = 1, 9
_ADJECTIVES = [
    "Silent",
    "Golden",
    "Broken",
    "Hidden",
    "Last",
    "Northern",
    "Crimson",
    "Paper",
    "Electric",
    "Distant",
    "Hollow",
    "Frozen",
    "Second",
]
_NOUNS = [
    "Harbour",
    "Engine",
    "River",
    "Letter",
    "Kingdom",
    "Garden",
    "Signal",
    "Winter",
    "Orchard",
    "Station",
    "Mirror",
    "Compass",
    "Voyage",
]
_GENRES = [
    "Drama",
    "Comedy",
    "Crime",
    "Documentary",
    "Animation",
    "Science-Fiction",
    "Thriller",
    "Western",
    "Family",
    "Horror",
]
_NAMES = [
    "Ada",
    "Bruno",
    "Clara",
    "Dario",
    "Edith",
    "Felix",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Karla",
    "Leon",
    "Mina",
    "Nils",
    "Olga",
    "Paul",
]
_STUDIOS = ["Northlight", "Harbour", "Lane", "Blue", "Door", "Meridian"]


def build(plan: Plan, catalogue: Catalogue) -> None:
    """Fill ``catalogue`` with the library of ``plan``."""
    catalogue.set_now(EPOCH)
    match plan.library:
        case "empty":
            pass
        case "sample":
            build_sample(catalogue)
        case "big":
            _Big(catalogue, **plan.options).build()
        case "small":
            _Small(catalogue, **plan.options).build()
        case unknown:
            raise ValueError(f"there is no library {unknown}: empty, sample, big or small")
    catalogue.set_now(None)


class _Big:
    def __init__(self, catalogue: Catalogue, episodes: int, films: int, seed: int) -> None:
        self._catalogue = catalogue
        self._episodes = episodes
        self._films = films
        self._chance = random.Random(seed)
        self._instant = EPOCH

    def build(self) -> None:
        self._catalogue.add_section("movie", "Movies", ["/data/Movies"])
        self._catalogue.add_section("show", "TV Shows", ["/data/TV Shows", "/mnt/more/TV Shows"])
        films = [self._film(number) for number in range(self._films)]
        left, number = self._episodes, 0
        while left:
            left -= self._show(number, left)
            number += 1
        for place in range(min(20, len(films) // 10)):
            members = self._chance.sample(films, min(10, len(films)))
            fields: Fields = {"subtype": "movie", "summary": "", "minYear": "1950", "maxYear": "2025"}
            self._catalogue.add("collection", FILMS, f"Collection {place + 1}", members=members, **fields)

    def _stamped(self) -> Fields:
        self._instant += self._chance.randrange(1, 900)
        return {"addedAt": self._instant, "updatedAt": self._instant + self._chance.randrange(5_000)}

    def _title(self, number: int) -> str:
        return f"{self._chance.choice(_ADJECTIVES)} {self._chance.choice(_NOUNS)} {number + 1}"

    def _people(self, count: int) -> list[str]:
        return [f"{self._chance.choice(_NAMES)} {self._chance.choice(_NOUNS)}" for _ in range(count)]

    def _tags(self) -> dict[str, list[str]]:
        return {
            "Genre": self._chance.sample(_GENRES, 3),
            "Director": self._people(1),
            "Writer": self._people(2),
            "Role": self._people(6),
            "Country": ["United States of America"],
        }

    def _film(self, number: int) -> int:
        title, year = self._title(number), self._chance.randrange(1950, 2025)
        name = f"{title} ({year})"
        length = self._chance.randrange(4_200_000, 9_000_000)
        fields: Fields = {
            "summary": f"The story of {title}, told once more and at some length. " * 4,
            "year": year,
            "studio": self._chance.choice(_STUDIOS),
            "contentRating": self._chance.choice(("G", "PG", "PG-13", "R")),
            "rating": round(self._chance.uniform(3, 9), 1),
            "audienceRating": round(self._chance.uniform(3, 9), 1),
            "originallyAvailableAt": f"{year}-{self._chance.randrange(1, 13):02}-{self._chance.randrange(1, 29):02}",
            "tagline": "See it twice.",
            "duration": length,
            **self._stamped(),
        }
        file = f"/data/Movies/{name}/{name}.mkv"
        ids = [f"imdb://tt{number + 100_000:07}", f"tmdb://{number + 20_000}"]
        version = self._version(file, length, fields["addedAt"])
        return self._catalogue.add(
            "movie", FILMS, title, versions=[version], guids=ids, tags=self._tags(), **fields
        )

    def _version(self, file: str, length: int, stamp: int) -> Fields:
        size = length * self._chance.randrange(400, 900)
        return {
            "parts": [{"file": file, "size": size, "duration": length, "stamp": stamp}],
            "bitrate": size * 8 // length,
        }

    def _show(self, number: int, left: int) -> int:
        title, year = self._title(number), self._chance.randrange(1960, 2025)
        fields: Fields = {
            "index": 1,
            "summary": f"All about {title}. " * 6,
            "studio": "Northlight",
            "year": year,
        }
        fields |= {"contentRating": "TV-14", "duration": 2_700_000, "audienceRating": 7.5}
        fields |= {"originallyAvailableAt": f"{year}-09-01", **self._stamped()}
        ids = [f"imdb://tt{number + 900_000:07}", f"tmdb://{number + 70_000}", f"tvdb://{number + 300_000}"]
        show = self._entry("show", title, None, guids=ids, tags=self._tags(), **fields)
        made = 0
        root = self._chance.choice(("/data/TV Shows", "/mnt/more/TV Shows"))
        for season in range(1, self._chance.randrange(*_SEASONS) + 1):
            if made == left:
                break
            above = self._entry(
                "season", f"Season {season}", show, index=season, summary="", **self._stamped()
            )
            for episode in range(1, min(_EPISODES_A_SEASON, left - made) + 1):
                folder = f"{root}/{title} ({year})/Season {season:02}"
                self._episode(
                    above, f"{folder}/{title} - S{season:02}E{episode:02}.mkv", episode, year + season - 1
                )
                made += 1
        return made

    def _episode(self, season: Entry, file: str, index: int, year: int) -> None:
        length = self._chance.randrange(1_200_000, 3_400_000)
        fields: Fields = {
            "summary": f"Chapter {index}, in which something happens that changes everything. " * 3,
            "index": index,
            "year": year,
            "contentRating": "TV-14",
            "audienceRating": round(self._chance.uniform(5, 9), 1),
            "originallyAvailableAt": f"{year}-10-{index:02}",
            "duration": length,
            **self._stamped(),
        }
        if self._chance.random() < 0.08:
            fields["updatedAt"] = None
        key = season.key * 100 + index
        ids = [f"imdb://tt{key:07}", f"tmdb://{key}", f"tvdb://{key}"]
        tags = {"Director": self._people(1), "Writer": self._people(1)}
        version = self._version(file, length, fields["addedAt"])
        self._entry("episode", f"Episode {index}", season, versions=[version], guids=ids, tags=tags, **fields)

    def _entry(self, kind: str, title: str, parent: Entry | None, **spec: Any) -> Entry:
        return self._catalogue.entry(self._catalogue.add(kind, EPISODES, title, parent=parent, **spec))


class _Small:
    def __init__(self, catalogue: Catalogue, folder: str, files: Sequence[Fields], root: str) -> None:
        self._catalogue = catalogue
        self._folder = Path(folder)
        self._files = files
        self._root = root.rstrip("/\\")
        self._above: dict[tuple[object, ...], Entry] = {}

    def build(self) -> None:
        add = self._catalogue.add_section
        add("movie", "Movies", [self._root])
        add("show", "TV Shows", [self._root])
        add("movie", "Other Videos", [self._root], personal=True)
        add("artist", "Music", [self._root])
        for number, file in enumerate(self._files):
            self._catalogue.set_now(EPOCH + 60 * number)
            self._add(file)

    def _add(self, file: Fields) -> None:
        title = file["title"] or Path(file["name"]).stem
        spec: Fields = {"year": file["year"], "duration": file["duration"], "summary": "", **file["fields"]}
        spec["versions"] = [self._version(file)]
        if file["show"]:
            show = self._folder_of("show", EPISODES, file["show"], None, year=file["year"])
            name = f"Season {file['season']}" if file["season"] else "Specials"
            season = self._folder_of("season", EPISODES, name, show, index=file["season"])
            self._catalogue.add("episode", EPISODES, title, parent=season, index=file["index"], **spec)
        elif file["artist"]:
            artist = self._folder_of("artist", TRACKS, file["artist"], None)
            album = self._folder_of("album", TRACKS, file["album"], artist, year=file["year"])
            self._catalogue.add("track", TRACKS, title, parent=album, index=file["index"], **spec)
        elif file["clip"]:
            self._catalogue.add(
                "movie", CLIPS, title, subtype="clip", guid=f"local://{len(self._above)}{title}", **spec
            )
        else:
            self._catalogue.add("movie", FILMS, title, **spec)

    def _folder_of(self, kind: str, section: int, title: str, above: Entry | None, **fields: Any) -> Entry:
        place = (
            kind,
            title,
            above.key if above is not None else None,
            fields.get("year") if kind == "show" else None,
        )
        if place not in self._above:
            key = self._catalogue.add(kind, section, title, parent=above, **fields)
            self._above[place] = self._catalogue.entry(key)
        return self._above[place]

    def _version(self, file: Fields) -> Fields:
        disk = self._folder / file["name"]
        facts = disk.stat()
        separator = "\\" if "\\" in self._root else "/"
        part = {
            "file": separator.join((self._root, *Path(file["name"]).parts)),
            "disk": str(disk),
            "size": facts.st_size,
            "stamp": int(facts.st_mtime),
            "duration": file["duration"],
            "streams": file["streams"],
        }
        return {"parts": [part], **file["version"]}
