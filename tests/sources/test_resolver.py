"""From an item to its bytes: in memory, in order, and found again when it has left its library."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exstream.errors import SourceUnavailable
from exstream.model.catalogue import Catalogue, Item, ItemKind, Media, Part, SubtitleStream, Version
from exstream.sources import resolver as resolving
from exstream.sources.candidates import first_choice
from exstream.sources.lookup import Lookup
from exstream.sources.resolver import KEPT_SECONDS, SHORT_SECONDS, Resolver
from tests.fakes import SteppedClock

pytestmark = pytest.mark.anyio

HOUR = 3_600_000


def part(number: int, file: str = "", length: int = HOUR) -> Part:
    """Return a file of a server, and where it is mapped to."""
    return Part(f"/library/parts/{number}/1/file.mkv", f"/srv/{number}.mkv", 1_000, length, file)


def film(number: int, *versions: Version, server: str = "alpha", **fields: Any) -> Item:
    """Return a film of a server."""
    found = Item(f"{server}:{number}", ItemKind.FILM, "A Film", HOUR, "Films", year=1984, versions=versions)
    return replace(found, server=server.title(), **fields)


def one_file(number: int, file: str = "") -> Version:
    """Return a version that is one file."""
    return Version(str(number), (part(number, file),))


def remote(number: int, server: str = "alpha") -> str:
    """Return where a file lies on its server."""
    return f"plex://{server}/library/parts/{number}/1/file.mkv"


class Air:
    """A resolver of a catalogue that can be replaced, and what it counted."""

    def __init__(self, *items: Item, aside: str = "") -> None:
        self.catalogue = Catalogue.of(items)
        self.clock = SteppedClock(1_800_000_000_000)
        self.looked: Counter[bool] = Counter()
        self.aside = {aside}
        self.resolver = Resolver(
            lambda: self.catalogue,
            lambda place: "broken" if place in self.aside else "",
            self.clock,
            lambda known: self.looked.update([known]),
        )

    async def replace(self, *items: Item) -> None:
        """Put another catalogue in the place of the first."""
        self.catalogue = Catalogue.of(items)
        await self.resolver.follow(self.catalogue)

    async def place(self, item: str) -> str:
        """Return where the item is found."""
        return (await self.resolver.resolve(item)).location

    async def copies(self, item: str) -> list[str]:
        """Return where its copies are."""
        return [source.location for source in await self.resolver.copies(item)]


async def test_the_file_here_comes_before_the_one_on_the_server(tmp_path: Path) -> None:
    """Of each version in turn, the mapped file if it can be read, else the server's; what is left comes after."""
    here = tmp_path / "best.mkv"
    here.write_bytes(b"x")
    air = Air(film(1, one_file(1, str(here)), one_file(2, "/nowhere/small.mkv"), one_file(3)))
    assert await air.place("alpha:1") == str(here)
    assert await air.copies("alpha:1") == [remote(2), remote(3), remote(1)]
    here.unlink()
    assert await air.place("alpha:1") == str(here)  # for a while it counts that it was there
    await air.clock.step(KEPT_SECONDS + 1)
    assert await air.place("alpha:1") == remote(1)
    here.write_bytes(b"x")
    await air.clock.step(SHORT_SECONDS + 1)  # that it is not there counts for a moment only
    assert await air.place("alpha:1") == str(here)


async def test_a_share_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's file is taken after a moment, though the look at the mapped one never ends."""
    monkeypatch.setattr(resolving, "LOOK_SECONDS", 0.05)
    air = Air(film(1, one_file(1, "/share/film.mkv")))

    async def never(_path: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(air.resolver._reachable, "check", never)
    async with asyncio.timeout(60):
        assert await air.place("alpha:1") == remote(1)
    for look in air.resolver._looks:
        look.cancel()


async def test_nothing_is_looked_at_again_while_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty-four tunes at once share one look, later ones need none; the hits and misses are counted."""
    here = tmp_path / "a.mkv"
    here.write_bytes(b"x")
    air = Air(film(1, one_file(1, str(here))))
    looks = 0
    check = air.resolver._reachable.check

    async def counted(path: str) -> None:
        nonlocal looks
        looks += 1
        await check(path)

    monkeypatch.setattr(air.resolver._reachable, "check", counted)
    await asyncio.gather(*(air.place("alpha:1") for _ in range(34)))
    assert looks == 1
    for _ in range(10):
        await air.place("alpha:1")
    assert looks == 1
    assert air.looked == {True: 10, False: 34}


async def test_only_libraries_that_changed_are_forgotten(tmp_path: Path) -> None:
    """What is known of a library stays when another one has changed, and goes when it has changed itself."""
    films = film(1, one_file(1))
    other = film(2, one_file(2), library="Other", title="Another")
    air = Air(films, other)
    await air.replace(films, other)
    await air.place("alpha:1")
    await air.place("alpha:2")
    air.looked.clear()
    changed = replace(other, versions=(one_file(3),))
    await air.replace(films, changed)
    assert await air.place("alpha:1") == remote(1)
    assert air.looked == {True: 1}
    assert await air.place("alpha:2") == remote(3)
    assert air.looked[False] == 1


async def test_an_item_that_changed_is_seen_at_once() -> None:
    """Whoever asks between a change and its being followed gets the item as it is now."""
    air = Air(film(1, one_file(1)))
    assert await air.place("alpha:1") == remote(1)
    air.catalogue = Catalogue.of([film(1, one_file(9))])
    assert await air.place("alpha:1") == remote(9)


async def test_copies_are_found_by_the_ids_of_the_world_or_by_name() -> None:
    """Other servers and libraries, however the title is spelt there; not another film of that name, nor another cut."""
    ids: dict[str, Any] = {"external_ids": ("tmdb:10", "imdb:tt1")}
    air = Air(
        film(1, one_file(1), **ids),
        film(1, one_file(11), server="beta", title="Un film", year=1985, external_ids=("imdb:tt1",)),
        film(2, one_file(2), title="a  film"),
        film(3, one_file(3), external_ids=("tmdb:11",)),
        film(4, one_file(4), duration_ms=2 * HOUR, **ids),
        film(5, one_file(5), missing=True, **ids),
        film(6, one_file(6), kind=ItemKind.OTHER, **ids),
    )
    assert await air.copies("alpha:1") == [remote(2), remote(11, "beta")]
    air.aside.add(remote(2))
    assert await air.copies("alpha:1") == [remote(11, "beta")]


async def test_shows_of_one_name_are_told_apart_by_their_year() -> None:
    """Battlestar Galactica of 1978 is no copy of that of 2003."""
    episode: dict[str, Any] = {
        "kind": ItemKind.EPISODE,
        "show": "Battlestar Galactica",
        "season": 1,
        "episode": 1,
    }
    air = Air(
        film(1, one_file(1), show_year=1978, **episode),
        film(2, one_file(2), show_year=2003, **episode),
        film(3, one_file(3), show_year=1978, **{**episode, "show": "battlestar galactica"}),
        film(4, one_file(4), **episode),
    )
    assert await air.copies("alpha:1") == [remote(3), remote(4)]


async def test_an_item_under_another_key_is_found_again() -> None:
    """A row names an item that has vanished or is missing: the same title plays, by its ids, then by its name."""
    ids: dict[str, Any] = {"external_ids": ("imdb:tt1",)}
    air = Air(film(1, one_file(1), **ids), film(7, one_file(7), title="Nothing else like it"))
    await air.resolver.follow(air.catalogue)
    await air.replace(film(2, one_file(2), title="A Film (1984)", **ids))
    assert await air.place("alpha:1") == remote(2)
    with pytest.raises(SourceUnavailable, match="no longer in the library"):
        await air.place("alpha:7")
    await air.replace(film(1, one_file(1), missing=True, **ids), film(2, one_file(2), **ids))
    assert await air.place("alpha:1") == remote(2)
    await air.replace(film(1, one_file(1), missing=True, **ids))
    assert await air.place("alpha:1") == remote(1)  # there is no other: perhaps it is there after all


async def test_an_item_of_several_files_keeps_them_together(tmp_path: Path) -> None:
    """All of them here, or all on the server: no film begins on a share and ends elsewhere."""
    first, second = tmp_path / "pt1.mkv", tmp_path / "pt2.mkv"
    first.write_bytes(b"x")
    version = Version("1", (part(1, str(first), HOUR // 4), part(2, str(second), 3 * HOUR // 4)))
    air = Air(film(1, version))
    source = await air.resolver.resolve("alpha:1")
    assert [(reel.location, reel.duration_ms) for reel in source.reels] == [
        (remote(1), HOUR // 4),
        (remote(2), 3 * HOUR // 4),
    ]
    second.write_bytes(b"x")
    await air.clock.step(SHORT_SECONDS + 1)
    source = await air.resolver.resolve("alpha:1")
    assert [reel.location for reel in source.reels] == [str(first), str(second)]
    assert (source.location, source.item) == (str(first), "alpha:1")


async def test_subtitles_beside_a_file_come_with_it() -> None:
    """They are in the source's media, at a location of the server."""
    subtitle = SubtitleStream("subrip", language="deu", path="plex://alpha/library/streams/5")
    air = Air(film(1, one_file(1), media=Media(HOUR, subtitles=(subtitle,))))
    media = (await air.resolver.resolve("alpha:1")).media
    assert media is not None
    assert media.subtitles == (subtitle,)


async def test_what_cannot_be_played_is_told_with_its_reason() -> None:
    """One that is set aside, one without a file, and one that nobody knows."""
    folder = film(1, path="/films/a.mkv", server="local")
    air = Air(folder, film(2, server="local"), film(3, one_file(3), one_file(4)), aside="/films/a.mkv")
    assert first_choice(folder) is not None
    for key, words in (
        ("local:1", "set aside: broken"),
        ("local:2", "no file"),
        ("local:9", "no longer in the library"),
    ):
        with pytest.raises(SourceUnavailable, match=words):
            await air.resolver.resolve(key)
    air.aside = {remote(3)}
    assert await air.place("alpha:3") == remote(4)


async def test_a_lookup_keeps_nothing_that_was_dropped_or_failed() -> None:
    """A search under way when its key is dropped is not kept; a fault reaches all who wait, and is asked again."""
    clock, began, answers = SteppedClock(0), asyncio.Event(), [ValueError("no"), "old", "new"]
    searches: list[asyncio.Event] = []

    async def find(_key: str) -> str:
        number, gate = len(searches), asyncio.Event()
        searches.append(gate)
        began.set()
        await gate.wait()
        found = answers[number]
        if isinstance(found, ValueError):
            raise found
        return str(found)

    lookup: Lookup[str, str] = Lookup(find, lambda _value: 10.0, clock, size=10)
    both = [asyncio.ensure_future(lookup.get("a")) for _ in range(2)]
    await began.wait()
    searches[0].set()
    assert [type(each) for each in await asyncio.gather(*both, return_exceptions=True)] == [ValueError] * 2
    late = asyncio.ensure_future(lookup.get("a"))
    await asyncio.sleep(0.01)
    lookup.drop(lambda key: key == "a")
    searches[1].set()
    assert await late == "old"
    fresh = asyncio.ensure_future(lookup.get("a"))
    await asyncio.sleep(0.01)
    searches[2].set()
    assert await fresh == "new"
    assert await lookup.get("a") == "new"
    assert len(searches) == 3
