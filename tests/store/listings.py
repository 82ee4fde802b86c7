"""A media server, its libraries and what it lists, as synchronisation hands it to the store."""

from __future__ import annotations

from dataclasses import dataclass, replace

from exstream.model.catalogue import Item, ItemKind, Marker, MarkerKind, Media, Part, Version
from exstream.model.server import Mapping, Server, Shelved, Show, SyncState
from tests.store.samples import MEDIA

ALPHA = Server("alpha", "Attic", "https://192.0.2.1:32400", "token-of-alpha", version="1.41")
BETA = Server("beta", "Barn", "http://192.0.2.2:32400", "token-of-beta", verify=False)
STATE = SyncState("1177", 1_700_000_000, pass_number=1, pass_start=500, pass_open=True)


@dataclass(frozen=True, slots=True)
class Listed:
    """A library as its server lists it."""

    key: str
    title: str = "Series"
    kind: str = "show"
    roots: tuple[str, ...] = ("/tv",)


def part(number: int, *, media: Media | None = None, stamp: int = 0) -> Part:
    """Return the file of the item that is called ``number``; another ``stamp`` is another file."""
    return Part(
        f"/library/parts/{number}/{stamp}/file.mkv", f"/tv/{number}.mkv", 1_000 + stamp, 1_320_000, "", media
    )


def listed(
    number: int, *, server: str = "alpha", digest: str = "", detailed: bool = False, stamp: int = 0
) -> Shelved:
    """Return an episode with two versions, as a listing tells of it, or with details."""
    media = replace(MEDIA, duration_ms=1_320_000, probed=0) if detailed else None
    small = Part(f"/library/parts/9{number}/0/file.mp4", f"/small/{number}.mp4", 10, 1_320_000)
    item = Item(
        f"{server}:{number}",
        ItemKind.EPISODE,
        f"Episode {number}",
        1_320_000,
        "Series",
        show="The Show",
        season=1 + number // 100,
        episode=number % 100,
        year=2003,
        summary="One night, “it” happened: 100 % true.",
        genres=("Drama", "Krimi", "Space") if detailed else ("Drama",),
        path="",
        media=media,
        added_at=1_700_000_000_000,
        updated_at=1_700_000_000_000 + number,
        show_key=f"{server}:s{number // 50}",
        show_year=2003,
        aired="2003-12-08",
        content_rating="TV-14",
        rating=8.5,
        views=number % 3,
        labels=("Night",) if detailed else (),
        people=("Anna", "Bo") if detailed else (),
        external_ids=(f"tvdb:{number}", f"imdb:tt{number}"),
        artwork=f"/library/metadata/{number}/thumb/1",
        markers=(Marker(MarkerKind.INTRO, 1_000, 31_000), Marker(MarkerKind.CHAPTER, 0, 5, "One"))
        if detailed
        else (),
        versions=(
            Version(
                f"{number}",
                (part(number, media=media, stamp=stamp),),
                1920,
                1080,
                5_000,
                "mkv",
                "h264",
                "aac",
                2,
            ),
            Version(f"9{number}", (small,), 640, 360, optimized=True),
        ),
    )
    return Shelved(item, digest or f"digest-{number}-{stamp}", 1_700_000_000 + number, detailed)


def show(number: int, *, server: str = "alpha", labels: tuple[str, ...] = ()) -> Show:
    """Return a series."""
    return Show(
        f"{server}:s{number}", "The Show", 2003, ("tvdb:1",), 50, 2, "d", "All of it.", ("Drama",), "TV-14",
        f"/library/metadata/s{number}/thumb/1", 1_700_000_000, labels,
    )  # fmt: skip


def mapping(plex_path: str, local_path: str, *, server: str = "alpha") -> Mapping:
    """Return where a folder of a server lies here."""
    return Mapping(server, plex_path, local_path)
