"""Files of servers, read through the gateway over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from exstream.model.catalogue import Item
from exstream.sources.capabilities import LONGEST_SECONDS, Capabilities, Loan
from exstream.sources.gateway import LONGEST_WAIT, RESUMES
from load.plex_server import MediaFile, running_plex_server, small_library
from load.plex_server import PlexServer as Fake
from tests.fakes import SteppedClock
from tests.sources.remote import Remote, bytes_of, remote

pytestmark = pytest.mark.anyio

SIZE = 3_000_000
PART = "/library/parts/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the server's files are."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def content(folder: Path) -> bytes:
    """Return what is in the film's file."""
    return bytes_of(folder / "film.mkv", SIZE)


@pytest.fixture
def fake(folder: Path, content: bytes) -> Iterator[Fake]:
    """Run a server with one film."""
    subtitle = folder / "film.srt"
    subtitle.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    streams = [
        {"streamType": 1, "codec": "h264", "index": 0, "width": 320, "height": 180},
        {"streamType": 3, "codec": "srt", "key": "/library/streams/77", "disk": str(subtitle)},
    ]
    film = MediaFile("film.mkv", 60_000, title="Film", streams=streams)
    with running_plex_server(small_library(folder, [film])) as server:
        yield server


@pytest.fixture
async def far(fake: Fake) -> AsyncIterator[Remote]:
    """Connect the server and serve the gateway."""
    async with remote(fake) as connected:
        yield connected


async def lent(far: Remote) -> tuple[Loan, Item]:
    """Lend the film's file."""
    (item,) = await far.items()
    location = f"plex://{far.fake.machine}{item.versions[0].parts[0].key}"
    return far.gateway.lend(location, item.key), item


async def read(url: str, **headers: str) -> httpx.Response:
    """Ask as a child does."""
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


async def test_a_part_of_a_file_comes_as_it_was_asked_for(far: Remote, content: bytes) -> None:
    """Whole, from a byte on, between two bytes, beyond the end, and its head alone; the bytes are counted."""
    loan, _ = await lent(far)
    url = far.gateway.url(loan)
    whole = await read(url)
    assert (whole.status_code, whole.content) == (200, content)
    part = await read(url, range="bytes=1000-1999")
    assert (part.status_code, part.content) == (206, content[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{SIZE}"
    assert (await read(url, range=f"bytes={SIZE - 5}-")).content == content[-5:]
    beyond = await read(url, range=f"bytes={SIZE}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{SIZE}")
    async with httpx.AsyncClient() as client:
        head = await client.head(url)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, str(SIZE), b"")
        assert (await client.post(url)).status_code == 405
    assert far.counts.bytes[far.fake.machine] == SIZE + 1000 + 5


async def test_a_capability_is_worth_nothing_once_it_is_taken_back(far: Remote) -> None:
    """A name that nobody knows, one that was taken back, and any other path are all the same: 404."""
    loan, _ = await lent(far)
    assert (await read(far.gateway.url(loan), range="bytes=0-0")).status_code == 206
    await far.gateway.take_back(loan)
    assert (await read(far.gateway.url(loan))).status_code == 404
    assert (await read(far.gateway.url(loan)[:-1])).status_code == 404
    base = far.gateway.url(loan).rpartition("/m/")[0]
    assert (await read(f"{base}/library/sections")).status_code == 404
    assert len(far.gateway.capabilities) == 0


def test_a_capability_that_nobody_takes_back_expires() -> None:
    """After a day it is good for nothing, and the next loan sweeps it away; no two names are the same."""
    clock = SteppedClock(1_800_000_000_000)
    store = Capabilities(clock)
    first = store.lend("plex://m/library/parts/1/2/a.mkv", "/library/parts/1/2/a.mkv", "m:1", 0)
    assert store.find(first.name) is first
    assert len(first.name) >= 32
    asyncio.run(clock.step(LONGEST_SECONDS))
    assert store.find(first.name) is None
    second = store.lend(first.location, first.address, "m:1", 0)
    assert (len(store), second.name != first.name) == (1, True)


async def test_nothing_tells_of_the_token_or_of_the_name(far: Remote) -> None:
    """The token goes to the server in a header alone; neither is in a log line, an address of the server or a repr."""
    far.fake.harm("reset", PART, after=100_000, times=1)
    far.fake.reset_counts()
    with structlog.testing.capture_logs() as logs:
        loan, _ = await lent(far)
        await read(far.gateway.url(loan))
        far.fake.harm("status", PART, status=403)
        await read(far.gateway.url(loan))
    asked = [each for each in far.fake.asked() if PART in each["path"]]
    assert len(asked) >= 3
    assert {each["headers"]["x-plex-token"] for each in asked} == {far.fake.token}
    told = repr(logs) + repr(loan) + repr([(each["path"], each["query"]) for each in asked])
    assert "a reading goes on" in told
    assert far.fake.token not in told
    assert loan.name not in told


@pytest.mark.parametrize("kind", ["reset", "cut"])
async def test_a_reading_that_breaks_off_goes_on_where_it_was(far: Remote, content: bytes, kind: str) -> None:
    """Three times in a row, by a range from the very byte; nobody notices."""
    far.fake.harm(kind, PART, after=1_000, times=RESUMES)
    loan, _ = await lent(far)
    answer = await read(far.gateway.url(loan))
    assert (answer.status_code, answer.content == content) == (200, True)
    assert far.counts.resumes[far.fake.machine] == RESUMES
    ranges = [each["headers"]["range"] for each in far.fake.asked() if PART in each["path"]]
    assert ranges[0] == "bytes=0-"
    assert all(each.endswith(f"-{SIZE - 1}") for each in ranges[1:])


async def test_one_that_breaks_off_again_and_again_is_given_up(far: Remote) -> None:
    """After three resumptions without progress the reader is cut off, and what was lost stays lost."""
    far.fake.harm("reset", PART, after=1_000, times=1)
    far.fake.harm("reset", PART, after=0, skip=1)
    loan, _ = await lent(far)
    told: list[str] = []
    loan.on_fault = lambda: told.append(loan.fault)
    with pytest.raises(httpx.RemoteProtocolError):
        await read(far.gateway.url(loan))
    assert (len(told), loan.lost, far.counts.resumes[far.fake.machine]) == (1, True, RESUMES)
    far.fake.heal()
    assert (await read(far.gateway.url(loan))).status_code == 502


async def test_progress_makes_up_for_what_went_wrong(far: Remote, content: bytes) -> None:
    """A line that breaks again and again, but not at once, is a bad one; the file comes whole."""
    far.fake.harm("cut", PART, after=600_000)
    loan, _ = await lent(far)
    assert (await read(far.gateway.url(loan))).content == content


async def test_a_file_that_changes_is_never_glued_to_what_was_read(
    far: Remote, folder: Path, content: bytes
) -> None:
    """With another tag or size by the time a reading is begun anew there is no more, for no fault of the server."""
    far.fake.harm("cut", PART, after=1_000_000, times=1)
    loan, _ = await lent(far)
    await far.gateway.prepare(loan)
    other = bytes_of(folder / "other.mkv", SIZE)
    key = far.fake.find("Film")["key"]
    far.fake.replace_file(key, disk=str(folder / "other.mkv"))
    with pytest.raises(httpx.RemoteProtocolError):
        await read(far.gateway.url(loan))
    assert "has changed" in loan.fault
    assert not loan.lost
    assert other != content


async def test_an_address_that_grew_old_is_asked_for_anew_once(far: Remote, folder: Path) -> None:
    """Details tell where the file lies by now; that is remembered until the next catalogue."""
    loan, item = await lent(far)
    other = bytes_of(folder / "newer.mkv", 5_000)
    far.fake.replace_file(int(item.key.rpartition(":")[2]), disk=str(folder / "newer.mkv"), size=5_000)
    far.fake.switch(strict_parts=True)
    far.fake.reset_counts()
    assert (await read(far.gateway.url(loan))).content == other
    again = far.gateway.lend(loan.location, item.key)
    assert (await read(far.gateway.url(again))).content == other
    asked = [each["path"] for each in far.fake.asked()]
    assert sum("/library/metadata/" in path for path in asked) == 1
    assert sum(loan.location.endswith(path) for path in asked) == 1


async def test_what_is_gone_is_gone(far: Remote) -> None:
    """An item that is no longer on the server: 404 at once."""
    loan, item = await lent(far)
    far.fake.remove(int(item.key.rpartition(":")[2]))
    assert (await read(far.gateway.url(loan))).status_code == 404
    assert loan.lost


async def test_a_token_that_is_refused_is_not_shown_again_and_again(far: Remote) -> None:
    """After the first 401 no file is asked for until the breaker lets somebody try."""
    loan, item = await lent(far)
    far.fake.refuse(far.fake.token)
    far.fake.reset_counts()
    for _ in range(10):
        each = far.gateway.lend(loan.location, item.key)
        assert (await read(far.gateway.url(each))).status_code == 403
    assert far.fake.requests == 1


async def test_a_busy_server_is_waited_for_but_not_for_long(far: Remote, content: bytes) -> None:
    """It names a time: a second is waited, half a minute is not."""
    loan, item = await lent(far)
    number = far.fake.harm("status", PART, status=503, headers={"Retry-After": "1"}, times=1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await read(far.gateway.url(loan), range="bytes=0-9")).content == content[:10]
    assert 1 <= loop.time() - began < LONGEST_WAIT
    far.fake.heal(number)
    far.fake.harm("status", PART, status=429, headers={"Retry-After": "30"})
    other = far.gateway.lend(loan.location, item.key)
    began = loop.time()
    assert (await read(far.gateway.url(other))).status_code == 503
    assert loop.time() - began < 1


async def test_no_other_server_is_ever_followed_to(far: Remote) -> None:
    """A redirection elsewhere is refused; the token stays where it belongs."""
    loan, _ = await lent(far)
    far.fake.harm(
        "status", PART, status=302, headers={"Location": "http://127.0.0.2:9/library/parts/1/1/a.mkv"}
    )
    assert (await read(far.gateway.url(loan))).status_code == 502


async def test_a_subtitle_beside_a_file_is_lent_as_well(far: Remote) -> None:
    """The item's media say where it is; it is read like any file of the server."""
    (item,) = await far.items()
    assert item.media is not None
    (subtitle,) = item.media.subtitles
    loan = far.gateway.lend(subtitle.path, item.key)
    assert "Hello" in (await read(far.gateway.url(loan))).text


async def test_who_leaves_lets_go_of_the_server(far: Remote) -> None:
    """A child that hangs up in the middle ends the server's connection as well, and nothing piles up meanwhile."""
    loan, _ = await lent(far)
    async with httpx.AsyncClient() as client, client.stream("GET", far.gateway.url(loan)) as answer:
        async for _data in answer.aiter_raw(1_000):
            break
        assert far.client.pool.streams == 1
        assert far.counts.bytes[far.fake.machine] < SIZE
    for _ in range(100):
        await asyncio.sleep(0.02)
        if not far.client.pool.streams:
            break
    assert far.client.pool.streams == 0
