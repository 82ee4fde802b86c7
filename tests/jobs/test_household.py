"""The media servers of an installation: taken in when they answer, and told about."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

import pytest

from exstream.errors import ConfigurationError, SignInNeeded, StoreError, Unreachable
from exstream.jobs.adoption import FIRST_PAUSE, Adoption
from exstream.jobs.catalogue import CatalogueHolder
from exstream.jobs.elsewhere import NEWS_SECONDS, Elsewhere
from exstream.jobs.soonest import LOOK_SECONDS, Soonest
from exstream.jobs.sources_seen import SourcesSeen
from exstream.model.catalogue import Catalogue, Item, ItemKey, ItemKind, Library, LibraryKind
from exstream.model.server import PlexLibrary, Server, ServerId, SyncState
from tests.fakes import SteppedClock, until

pytestmark = pytest.mark.anyio

SERVER = Server("den", "Den", "http://den:32400", "token")


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(1_000_000)


async def test_a_server_of_the_settings_is_asked_until_it_answers(clock: SteppedClock) -> None:
    """Later and later; why it is not there yet is told meanwhile, and no more once it is."""
    asked: list[float] = []

    async def adopt() -> Server:
        asked.append(clock.air())
        if len(asked) < 3:
            raise Unreachable("nobody answers")
        return SERVER

    adoption = Adoption(adopt, clock)
    running = asyncio.create_task(adoption.run())
    await until(lambda: len(asked) == 1)
    assert "nobody answers" in adoption.fault
    await clock.step(FIRST_PAUSE)
    await until(lambda: len(asked) == 2)
    await clock.step(FIRST_PAUSE * 2)
    await running
    assert adoption.fault == ""
    assert asked[2] - asked[1] == 2 * (asked[1] - asked[0])


async def test_settings_that_will_not_do_are_not_tried_again(clock: SteppedClock) -> None:
    """What only the user can change is told once, and the server is not asked again."""

    async def adopt() -> Server:
        raise ConfigurationError("there is no token")

    adoption = Adoption(adopt, clock)
    await adoption.run()
    assert adoption.fault == "there is no token"


class _Shelf:
    def __init__(self) -> None:
        self.items: list[Item] = []
        self.faults = 0

    async def load(self) -> Catalogue:
        if self.faults:
            self.faults -= 1
            raise StoreError("the database is away")
        return Catalogue.of(self.items)


def _item(key: ItemKey, library: str = "Films", server: str = "", *, missing: bool = False) -> Item:
    return Item(key, ItemKind.FILM, key, 1_000, library, server=server, missing=missing)


async def test_what_a_command_changed_is_taken_up(clock: SteppedClock) -> None:
    """The catalogue is read when the mark is another one, again where the database was away, and not otherwise."""
    shelf, marks = _Shelf(), ["before"]
    catalogue = CatalogueHolder(shelf)
    running = asyncio.create_task(Elsewhere(lambda: marks[-1], catalogue, clock).run())
    await asyncio.sleep(0)
    shelf.items, shelf.faults = [_item("den:1")], 1
    await clock.step(NEWS_SECONDS)
    assert not catalogue.current.items
    marks.append("after")
    for _ in range(2):
        await clock.step(NEWS_SECONDS)
    await until(lambda: "den:1" in catalogue.current.items)
    running.cancel()


async def test_what_airs_soonest_comes_first(clock: SteppedClock) -> None:
    """Items that air soon come in the order in which they air, the others behind them as they came."""

    async def upcoming(keys: Collection[ItemKey]) -> Sequence[ItemKey]:
        return [key for key in ("c", "a") if key in keys]

    soonest = Soonest(upcoming, lambda: {"a", "b", "c", "d"}, clock)
    assert soonest(["a", "b"]) == ["a", "b"]
    running = asyncio.create_task(soonest.run())
    await clock.step(LOOK_SECONDS)
    assert soonest(["b", "a", "d", "c"]) == ["c", "a", "b", "d"]
    running.cancel()


class _Folders:
    async def libraries(self) -> list[Library]:
        return [Library(1, LibraryKind.FOLDER, "Films", "/films")]


class _Plex:
    def __init__(
        self, server: Server = SERVER, state: SyncState = SyncState(), *, gone: bool = False
    ) -> None:
        self.server = server
        self.library = PlexLibrary(
            Library(2, LibraryKind.PLEX, "Films", "/library/sections/1", "den"),
            "1",
            "movie",
            enabled=True,
            state=state,
            gone=gone,
        )

    async def servers(self) -> list[Server]:
        return [self.server]

    async def libraries(self, server: ServerId) -> list[PlexLibrary]:
        return [self.library] if server == self.server.id else []


CATALOGUE = Catalogue.of(
    [
        _item("local:1"),
        *(_item(f"den:{number}", server="Den", missing=number == 3) for number in (1, 2, 3)),
    ]
)


async def test_libraries_of_one_name_are_counted_apart() -> None:
    """A folder and a server's library have their own counts; when it was read whole is told, and what is held back."""
    state = SyncState(full_at=5_000, held_back=7)
    seen = SourcesSeen(_Folders(), _Plex(state=state), lambda: CATALOGUE, dict)
    folder, plex = await seen.libraries()
    assert (folder.items, folder.server, folder.synced_ms, folder.fault) == (1, "", 0, "")
    assert (plex.items, plex.missing, plex.server, plex.synced_ms) == (2, 1, "Den", 5_000)
    assert "7 items were gone" in plex.fault
    (gone,) = (await SourcesSeen(_Folders(), _Plex(gone=True), lambda: CATALOGUE, dict).libraries())[1:]
    assert "no such library" in gone.fault


async def test_what_is_wrong_with_a_server_is_told_on_every_page() -> None:
    """A sign-in that is needed, a server that does not answer, one that was not taken in: a sentence each."""
    faults = {"den": SignInNeeded("Den does not accept the token it was given")}
    seen = SourcesSeen(
        _Folders(), _Plex(), lambda: CATALOGUE, lambda: faults, lambda: "no token for http://x"
    )
    (server,) = await seen.servers()
    assert (server.sign_in, server.fault) == (True, str(faults["den"]))
    assert seen.concerns() == [str(faults["den"]), "no token for http://x"]
    down = SourcesSeen(_Folders(), _Plex(), lambda: CATALOGUE, lambda: {"den": Unreachable("silent")})
    (server,) = await down.servers()
    assert (server.sign_in, server.fault, down.concerns()) == (False, "silent", ["silent"])
    sealed = Server("den", "Den", "http://den", fault="Den: the key is gone: sign in again")
    (server,) = await SourcesSeen(_Folders(), _Plex(sealed), lambda: CATALOGUE, dict).servers()
    assert (server.sign_in, server.fault) == (True, sealed.fault)
