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
            alive.wait(10)
            return
        check_readable(path)

    monkeypatch.setattr(reachable, "check_readable", look)
    (tmp_path / "good.mkv").write_bytes(b"x")
    looking = Reachable()
    hung = [asyncio.create_task(looking.check(str(asleep / f"{number}.mkv"))) for number in range(AT_ONCE)]
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await looking.check(str(tmp_path / "good.mkv"))
        with pytest.raises(FeedError, match="does not answer"):
            await looking.check(str(asleep / "more.mkv"))
    alive.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*hung)
        await looking.check(str(asleep / "again.mkv"))
