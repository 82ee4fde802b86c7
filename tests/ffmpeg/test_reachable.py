"""Files that can be read, and folders that do not answer."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from exstream.errors import FeedError
from exstream.ffmpeg import reachable
from exstream.ffmpeg.reachable import AT_ONCE, Reachable, check_readable

pytestmark = pytest.mark.anyio


async def test_a_folder_that_hangs_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a share does not answer, files elsewhere are looked at at once, and the share's next files are refused."""
    alive, asleep = threading.Event(), tmp_path / "share"

    def look(path: str) -> None:
        if path.startswith(str(asleep)):
            alive.wait(30)
            return
        check_readable(path)

    monkeypatch.setattr(reachable, "check_readable", look)
    (tmp_path / "good.mkv").write_bytes(b"x")
    looking = Reachable()
    hung = [asyncio.create_task(looking.check(str(asleep / f"{number}.mkv"))) for number in range(AT_ONCE)]
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await looking.check(str(tmp_path / "good.mkv"))
    assert not any(look.done() for look in hung)
    async with asyncio.timeout(2 + reachable.PATIENCE):
        with pytest.raises(FeedError, match="does not answer"):
            await looking.check(str(asleep / "more.mkv"))
    alive.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*hung)
        await looking.check(str(asleep / "again.mkv"))


async def test_many_files_of_one_folder_are_looked_at_in_turn(tmp_path: Path) -> None:
    """Forty channels may open films of one folder at once: none is refused, and what is not there is told of each."""
    for number in range(40):
        (tmp_path / f"{number}.mkv").write_bytes(b"x")
    looking = Reachable()
    films = (looking.check(str(tmp_path / f"{number}.mkv")) for number in range(44))
    found = await asyncio.gather(*films, return_exceptions=True)
    assert found[:40] == [None] * 40
    assert all("there is no such file" in str(fault) for fault in found[40:])


async def test_whoever_gives_up_takes_no_turn_for_ever(tmp_path: Path) -> None:
    """A hundred looks that are cancelled at once leave room for the next."""
    (tmp_path / "good.mkv").write_bytes(b"x")
    looking = Reachable()
    for _ in range(100):
        look = asyncio.create_task(looking.check(str(tmp_path / "good.mkv")))
        await asyncio.sleep(0)
        look.cancel()
    await looking.check(str(tmp_path / "good.mkv"))
