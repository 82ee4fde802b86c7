"""Servers, their tokens, and where their folders lie here."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from exstream.errors import StoreError
from exstream.model.server import Mapping
from exstream.store.catalogue import CatalogueStore
from exstream.store.database import Database
from exstream.store.plex import PlexStore
from exstream.store.vault import FILE, Vault
from tests.store.listings import ALPHA, BETA, STATE, Listed, listed, mapping

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: Database, tmp_path: Path) -> PlexStore:
    return PlexStore(database, Vault(tmp_path))


def longest(mappings: Sequence[Mapping], _roots: Sequence[str]) -> Callable[[str], str]:
    """Map by the longest prefix."""

    def local(path: str) -> str:
        found = [each for each in mappings if path.startswith(each.plex_path + "/")]
        best = max(found, key=lambda each: len(each.plex_path), default=None)
        return best.local_path + path.removeprefix(best.plex_path) if best else ""

    return local


async def test_servers_come_back_with_their_tokens(store: PlexStore, database: Database) -> None:
    """Servers come back oldest first with what was told last; without a token the one before stays."""
    await store.keep_server(ALPHA)
    await store.keep_server(BETA)
    assert await store.servers() == [ALPHA, BETA]
    moved = replace(ALPHA, url="http://192.0.2.9:32400", verify=False)
    await store.keep_server(replace(moved, token=""))
    assert await store.servers() == [moved, BETA]
    await store.keep_server(replace(moved, token="another"))
    assert (await store.servers())[0].token == "another"
    await store.keep_server(replace(BETA, id="open", token=""))
    assert (await store.servers())[2].fault == ""


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_no_token_lies_in_the_database(store: PlexStore, database: Database, address: str) -> None:
    """No byte of the database's files is a token's, and a server is shown without it."""
    await store.keep_server(ALPHA)
    file = Path(address.removeprefix("sqlite+aiosqlite:///"))
    written = b"".join(each.read_bytes() for each in file.parent.glob("exstream.db*"))
    assert ALPHA.name.encode() in written
    assert ALPHA.token.encode() not in written
    assert ALPHA.token not in repr(await store.servers())


async def test_a_database_without_its_key(store: PlexStore, database: Database, tmp_path: Path) -> None:
    """A server whose token cannot be read is there without it, says to sign in again, and takes a new one."""
    await store.keep_server(ALPHA)
    (tmp_path / FILE).unlink()
    restored = PlexStore(database, Vault(tmp_path))
    server = (await restored.servers())[0]
    assert (server.token, server.url) == ("", ALPHA.url)
    assert server.fault.startswith("its token cannot be read")
    assert "sign in again" in server.fault
    await restored.keep_server(ALPHA)
    assert await restored.servers() == [ALPHA]


async def test_a_mapping_moves_the_files_of_its_server(store: PlexStore, database: Database) -> None:
    """A mapping that comes, changes or goes moves all files below it, of its server only."""
    for server in (ALPHA, BETA):
        await store.keep_server(server)
        library = (await store.take_sections(server.id, [Listed("1")]))[0].library.id
        await store.take_items(library, [listed(1, server=server.id), listed(2, server=server.id)], [], STATE)

    async def paths() -> dict[str, list[str]]:
        items = (await CatalogueStore(database).load()).items
        return {
            key: [item.path, *(part.file for version in item.versions for part in version.parts)]
            for key, item in items.items()
        }

    nowhere = await paths()
    assert await store.add_mapping(mapping("/tv", "/mnt/tv"), longest) == 2
    assert await store.add_mapping(mapping("/small", "/mnt/small"), longest) == 2
    assert (await paths())["alpha:1"] == ["/mnt/tv/1.mkv", "/mnt/tv/1.mkv", "/mnt/small/1.mp4"]
    assert (await paths())["beta:1"] == nowhere["beta:1"]
    assert await store.add_mapping(mapping("/tv", "/mnt/tv"), longest) == 0
    assert await store.add_mapping(mapping("/tv", "/srv/tv"), longest) == 2
    assert [(each.plex_path, each.local_path) for each in await store.mappings("alpha")] == [
        ("/tv", "/srv/tv"),
        ("/small", "/mnt/small"),
    ]
    assert (await paths())["alpha:2"][0] == "/srv/tv/2.mkv"
    first = (await store.mappings("alpha"))[0].id
    assert await store.remove_mapping("beta", first, longest) is None
    assert await store.remove_mapping("alpha", first, longest) == 2
    assert (await paths())["alpha:1"] == ["", "", "/mnt/small/1.mp4"]
    await store.remove_server("alpha")
    assert await store.mappings("alpha") == []


async def test_a_mapping_that_cannot_be_followed_is_not_kept(store: PlexStore, database: Database) -> None:
    """Mapping and files change together: when the files cannot be looked for, the mapping is not there either."""
    await store.keep_server(ALPHA)
    await store.take_sections("alpha", [Listed("1")])

    def broken(mappings: Sequence[Mapping], roots: Sequence[str]) -> Callable[[str], str]:
        raise OSError("the share hangs")

    with pytest.raises(OSError, match="the share hangs"):
        await store.add_mapping(mapping("/tv", "/mnt/tv"), broken)
    assert await store.mappings("alpha") == []
    with pytest.raises(StoreError, match="no server beta any more"):
        await store.add_mapping(mapping("/tv", "/mnt/tv", server="beta"), longest)


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_tokens_are_not_in_a_copy(
    store: PlexStore, database: Database, tmp_path: Path, address: str
) -> None:
    """A backup of the database holds the server, and its token sealed."""
    await store.keep_server(ALPHA)
    with closing(sqlite3.connect(address.removeprefix("sqlite+aiosqlite:///"))) as source:
        copy = "\n".join(source.iterdump())
    assert ALPHA.url in copy
    assert ALPHA.token not in copy
    async with database.read() as connection:
        assert (await connection.execute(text("SELECT token FROM server"))).scalar_one() in copy
