"""The lineup, on real folders."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from exstream.errors import ConfigurationError
from exstream.jobs.lineup import Lineup
from exstream.resources import data_path
from tests.fakes import SteppedClock, turn

pytestmark = pytest.mark.anyio

GOOD = """\
number: "{number}"
name: {name}
profile: 480p25
programmes:
  - pool: {{library: Films}}
"""
BROKEN = "number: 7\nname: [\n"


def make(tmp_path: Path, shipped: Path | None = None) -> Lineup:
    return Lineup(
        tmp_path / "channels",
        {"480p25"},
        shipped=shipped,
        memory=tmp_path / "state" / "last-good.json",
        clock=SteppedClock(0),
    )


def write(tmp_path: Path, name: str, number: str, title: str = "A channel", more: str = "") -> None:
    folder = tmp_path / "channels"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(GOOD.format(number=number, name=title) + more)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen")


async def test_the_first_start_copies_the_shipped_channels(tmp_path: Path) -> None:
    """A folder that is not there is filled with the shipped channels, which are all right and may be edited."""
    shipped = data_path("channels")
    lineup = Lineup(
        tmp_path / "channels",
        {"480p25", "720p25", "720p30", "1080p25"},
        shipped=shipped,
        memory=tmp_path / "last-good.json",
        clock=SteppedClock(0),
    )
    await lineup.load()
    assert lineup.faults == ()
    assert len(lineup.enabled()) >= 6
    assert len(lineup.channels) > len(lineup.enabled())
    copies = {file.name for file in (tmp_path / "channels").iterdir()}
    assert copies == {file.name for file in shipped.iterdir() if file.is_file()}


async def test_a_folder_that_is_there_is_the_users(tmp_path: Path) -> None:
    """A folder that exists is never filled, not even when it is empty; without shipped channels a new one is empty."""
    (tmp_path / "channels").mkdir()
    lineup = make(tmp_path, data_path("channels"))
    await lineup.load()
    assert lineup.channels == ()
    bare = make(tmp_path / "other")
    await bare.load()
    assert list((tmp_path / "other" / "channels").iterdir()) == []


async def test_channels_are_found_by_id_and_number(tmp_path: Path) -> None:
    """Channels on air are listed by number and found by id or number; one that is not enabled is not."""
    write(tmp_path, "late", "1984.1")
    write(tmp_path, "early", "102")
    write(tmp_path, "off", "5", more="enabled: false\n")
    lineup = make(tmp_path)
    await lineup.load()
    assert [channel.id for channel in lineup.enabled()] == ["early", "late"]
    assert [channel.id for channel in lineup.channels] == ["off", "early", "late"]
    found = lineup.by_number("1984.1")
    assert found is not None
    assert found == lineup.by_id("late")
    assert lineup.by_id("off") is lineup.by_number("5") is lineup.by_id("nowhere") is None


async def test_a_broken_file_keeps_its_channel_on_air(tmp_path: Path) -> None:
    """A file that breaks is a fault, its channel stays as it was, also over a restart, until it is mended."""
    write(tmp_path, "one", "7", "Before")
    first = make(tmp_path)
    await first.load()
    (tmp_path / "channels" / "one.yaml").write_text(BROKEN)
    await first.refresh()
    again = make(tmp_path)
    await again.load()
    for lineup in (first, again):
        assert [channel.name for channel in lineup.enabled()] == ["Before"]
        assert lineup.faults
        assert lineup.faults[0].startswith("one.yaml:")
    assert first.revision == 1
    write(tmp_path, "one", "7", "After")
    await again.refresh()
    assert [channel.name for channel in again.enabled()] == ["After"]
    assert again.faults == ()


async def test_a_deleted_file_takes_its_channel_away_for_good(tmp_path: Path) -> None:
    """Without its file a channel is off the air, and is not remembered at the next start."""
    write(tmp_path, "one", "7")
    write(tmp_path, "two", "8")
    lineup = make(tmp_path)
    await lineup.load()
    (tmp_path / "channels" / "one.yaml").unlink()
    await lineup.refresh()
    assert [channel.id for channel in lineup.enabled()] == ["two"]
    (tmp_path / "channels" / "one.yaml").write_text(BROKEN)
    again = make(tmp_path)
    await again.load()
    assert [channel.id for channel in again.enabled()] == ["two"]


async def test_memory_that_cannot_be_read_or_kept(tmp_path: Path) -> None:
    """A damaged memory of the last good definitions, or a place it cannot be kept in, stops nothing."""
    write(tmp_path, "one", "7")
    memory = tmp_path / "state" / "last-good.json"
    memory.parent.mkdir()
    memory.write_text('{"one.yaml": {"id": 3}}')
    lineup = make(tmp_path)
    await lineup.load()
    assert [channel.id for channel in lineup.enabled()] == ["one"]
    memory.unlink()
    memory.mkdir()
    write(tmp_path, "two", "8")
    await lineup.refresh()
    assert [channel.id for channel in lineup.enabled()] == ["one", "two"]


async def test_listeners_hear_of_changes_only(tmp_path: Path) -> None:
    """A listener is called when a channel changes, not when a file is merely written again."""
    write(tmp_path, "one", "7")
    lineup = make(tmp_path)
    heard: list[int] = []

    async def listener() -> None:
        heard.append(lineup.revision)

    lineup.listen(listener)
    await lineup.load()
    write(tmp_path, "one", "7", more="# a remark\n")
    await lineup.refresh()
    await lineup.refresh()
    assert heard == [1]
    write(tmp_path, "one", "9")
    await lineup.refresh()
    assert heard == [1, 2]


async def test_the_folder_is_followed(tmp_path: Path) -> None:
    """While it watches, the lineup takes up files as they are written, and a folder that comes back."""
    write(tmp_path, "one", "7")
    clock = SteppedClock(0)
    lineup = Lineup(
        tmp_path / "channels", {"480p25"}, shipped=None, memory=tmp_path / "last-good.json", clock=clock
    )
    await lineup.load()
    watching = asyncio.ensure_future(lineup.watch())
    try:
        await asyncio.sleep(0.2)
        write(tmp_path, "two", "8")
        await until(lambda: lineup.by_id("two") is not None)
        (tmp_path / "channels" / "two.yaml").unlink()
        await until(lambda: lineup.by_id("two") is None)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def test_a_folder_that_cannot_be_watched_is_polled(tmp_path: Path) -> None:
    """A folder that has vanished keeps the channels on air; when it is back its files count again."""
    write(tmp_path, "one", "7")
    clock = SteppedClock(0)
    lineup = Lineup(
        tmp_path / "channels", {"480p25"}, shipped=None, memory=tmp_path / "last-good.json", clock=clock
    )
    await lineup.load()
    (tmp_path / "channels").rename(tmp_path / "away")
    watching = asyncio.ensure_future(lineup.watch())
    try:
        await until(lambda: clock.sleepers == 1)
        await clock.step(11)
        await until(lambda: bool(lineup.faults))
        assert [channel.id for channel in lineup.enabled()] == ["one"]
        (tmp_path / "away").rename(tmp_path / "channels")
        write(tmp_path, "one", "9")
        await until(lambda: clock.sleepers == 1 or lineup.by_number("9") is not None)
        await clock.step(11)
        await turn()
        await until(lambda: lineup.by_number("9") is not None)
        assert lineup.faults == ()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """Where the folder cannot be made, the sentence names it and the setting."""
    (tmp_path / "file").write_text("no folder")
    lineup = Lineup(
        tmp_path / "file" / "channels",
        {"480p25"},
        shipped=None,
        memory=tmp_path / "last-good.json",
        clock=SteppedClock(0),
    )
    with pytest.raises(ConfigurationError, match="EXSTREAM_CHANNELS_DIR"):
        await lineup.load()
