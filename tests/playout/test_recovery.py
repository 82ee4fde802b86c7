"""Failures inside the running stream: judged by what a viewer receives, picture by picture."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from exstream.model.asrun import AsRunEntry, Means, Outcome
from exstream.model.recovery import Failure, Step
from tests import material
from tests.playout.shown import Shown, shown, strip_clip
from tests.playout.studio import Rota, Shelf, SpeedyClock, Station, station
from tests.referee import decode_faults, examine

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SLOT = 8.0
PICTURE = 0.04
CODES = {"one": 1, "two": 2, "bad": 3, "other": 4, "short": 5, "long": 6, "film": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make clips of 8 s, a film of 16 s, and two fillers of 3 and 5 s."""
    folder = tmp_path_factory.mktemp("recovery")
    lengths = {"short": 3, "long": 5, "film": 16}
    for name, code in CODES.items():
        strip_clip(folder, f"{name}.mp4", code, lengths.get(name, 8))
    return folder


def stub(folder: Path, name: str, harm: str, of: str = "bad") -> str:
    """Return an ffmpeg that does ``harm`` (in shell) to feeds of the file ``of``, and else what is asked of it."""
    program = folder / f"ffmpeg-{name}"
    program.write_text(
        f'#!/bin/sh\nffmpeg="{material.FFMPEG}"\n'
        f'case "$*" in *mpegts*) case "$*" in *{of}.mp4*) {harm};; esac;; esac\nexec "$ffmpeg" "$@"\n'
    )
    program.chmod(0o755)
    return str(program)


@dataclass
class Recorded:
    """What a viewer received over some slots, and what the player says of them."""

    slot: float
    """When the first slot begins."""
    seen: list[Shown]
    entries: list[AsRunEntry]
    on: Station
    pause: float
    """The longest time without a byte, in seconds."""
    length: float = SLOT
    """How long a slot is."""

    def codes(self, number: int = 0) -> list[int]:
        """Return what was shown in the ``number``-th slot, repetitions left out."""
        slot = self.slot + number * self.length
        codes = [each.code for each in self.seen if slot - 1e-3 <= each.at < slot + self.length - 1e-3]
        return [code for place, code in enumerate(codes) if not place or codes[place - 1] != code]

    def begins(self, number: int, code: int) -> bool:
        """Tell whether the very first picture of the ``number``-th slot is the first one of ``code``."""
        slot = self.slot + number * self.length
        first = min(self.seen, key=lambda each: abs(each.at - slot))
        return abs(first.at - slot) < 1e-3 and (first.code, first.position) == (code, 0.0)

    def entry(self, item: Path) -> AsRunEntry:
        """Return the first whole entry of an item."""
        whole = (each for each in self.entries if each.ended - each.started > (self.length - 0.1) * 1000)
        return next(each for each in whole if each.segment.item == str(item))


async def recorded(
    folder: Path,
    items: list[str | None],
    slots: int,
    *,
    shelf: Shelf | None = None,
    ffmpeg: str = material.FFMPEG,
    harm: Callable[[Station], Awaitable[None]] | None = None,
    length: float = SLOT,
) -> Recorded:
    """Record ``slots`` slots from the beginning of the first item on; no fault of any kind may be in the stream."""
    path = folder / "recorded.ts"
    rota = Rota(items, round(length * 1000))
    round_ = length * len(items)
    slot = 1_800_000_000 // round_ * round_
    # Tuned a little before the boundary, so that all of the first slot is on air.
    clock = SpeedyClock(slot - 3.0)
    async with station(rota, shelf=shelf, ffmpeg=ffmpeg, clock=clock) as on:
        times: list[float] = []
        pieces: list[bytes] = []
        async with asyncio.TaskGroup() as group:
            harming = group.create_task(_after_the_start(on, harm)) if harm else None
            async with on.tuners.tune("one", peer="127.0.0.1", agent="test") as viewer:
                async for data in viewer:
                    pieces.append(data)
                    times.append(clock.air())
                    if clock.air() > slot + slots * length:
                        break
            if harming is not None:
                harming.cancel()
    data = b"".join(pieces)
    path.write_bytes(data)
    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    pause = max(late - early for early, late in pairwise(times))
    result = Recorded(slot, list(shown(path, slot)), on.notes.entries, on, pause, length)
    _judge_positions(result, rota)
    return result


async def _after_the_start(on: Station, harm: Callable[[Station], Awaitable[None]]) -> None:
    while not on.feeds.feeds:
        await asyncio.sleep(0.05)
    await on.clock.sleep(4.5)
    await harm(on)


def _judge_positions(result: Recorded, rota: Rota) -> None:
    """Whatever shows an item of its slot, or its other copy, shows it where the timetable says, to the picture."""
    for each in result.seen:
        segment = rota.cue("one", round(each.at * 1000)).segment
        names = {Path(str(segment.item)).stem, "other"}
        if each.code and each.code in {CODES[name] for name in names & CODES.keys()}:
            assert abs(each.at - segment.starts / 1000 - each.position) < PICTURE, (each, segment)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGSTOP])
async def test_an_encoder_that_ends_or_hangs_in_a_programme(folder: Path, number: signal.Signals) -> None:
    """The programme goes on where it would have been, the next one begins on time to the picture, no pause is long."""
    items: list[str | None] = [str(folder / "film.mp4"), str(folder / "two.mp4")]

    async def harm(on: Station) -> None:
        victim = next(feed for feed in on.feeds.feeds if feed.order.source.location == items[0])
        assert victim.returncode is None
        os.kill(victim.pid, number)

    # No encoder is far ahead of the clock: there is something to kill.
    ffmpeg = stub(folder, "paced", 'exec "$ffmpeg" -readrate 1.05 -readrate_initial_burst 3 "$@"', "film")
    result = await recorded(folder, items, 1, ffmpeg=ffmpeg, harm=harm, length=16)

    assert set(result.codes()) <= {0, CODES["film"]}
    assert result.codes()[-1] == CODES["film"]
    assert result.begins(0, CODES["film"])
    assert result.begins(1, 2)
    assert result.pause < (6 if number is signal.SIGSTOP else 2)
    entry = result.entry(folder / "film.mp4")
    expected = {signal.SIGSEGV: Failure.BROKE, signal.SIGKILL: Failure.KILLED, signal.SIGSTOP: Failure.HUNG}
    assert [(each.step, each.failure) for each in entry.setbacks] == [(Step.PLANNED, expected[number])]
    assert result.on.notes.steps == [Step.RETRY]
    assert entry.drift_ms == 0


HARMS: Mapping[str, str] = {
    "exits at once": "exit 1",
    "floods": "yes 'it hurts' | head -c 50000000 >&2; exit 1",
    "crashes": "kill -SEGV $$",
    "writes garbage": "head -c 3000000 /dev/urandom; exit 0",
    "has no memory": 'ulimit -v 200000; exec "$ffmpeg" "$@"',
    "breaks off": '"$ffmpeg" "$@" | head -c 60000; exit 1',
}


@pytest.mark.parametrize("harm", HARMS)
async def test_a_file_whose_encoders_fail_gives_way_to_its_other_copy(folder: Path, harm: str) -> None:
    """At most three encoders of it are started, then the other copy is on, at the very position; it is suspected."""
    shelf = Shelf(others={str(folder / "bad.mp4"): str(folder / "other.mp4")})
    items: list[str | None] = [str(folder / "bad.mp4"), str(folder / "two.mp4")]
    ffmpeg = stub(folder, harm.replace(" ", "-"), HARMS[harm])
    result = await recorded(folder, items, 1, shelf=shelf, ffmpeg=ffmpeg)
    entry = result.entry(folder / "bad.mp4")
    tried = [each.step for each in entry.setbacks if each.location == str(folder / "bad.mp4")]

    assert result.codes()[-1] == CODES["other"]
    assert set(result.codes()) <= {0, CODES["bad"], CODES["other"]}
    assert result.begins(1, 2)
    assert 2 <= len(tried) <= 3
    assert tried[-1] is Step.CAREFUL
    assert Step.FILLER not in result.on.notes.steps
    assert entry.outcome in {Outcome.AIRED, Outcome.PARTLY}
    if harm == "has no memory":  # that is the machine's fault
        assert result.on.shelf.suspects == []
    elif harm != "writes garbage":  # it cannot be told from a fault of ours
        assert result.on.shelf.suspects[:2] == [str(folder / "bad.mp4")] * 2
    if harm == "exits at once":
        # Decided while the programme before was still on: the copy was there from its first picture on.
        assert result.begins(0, CODES["other"])


async def test_a_file_that_is_gone_gives_way_to_filler_that_ends_with_the_slot(folder: Path) -> None:
    """No encoder of it is started; fillers are on at once, the last one ends with the slot, to the picture."""
    fillers = {str(folder / "short.mp4"): 3_000, str(folder / "long.mp4"): 5_000}
    items: list[str | None] = [str(folder / "gone.mp4"), str(folder / "two.mp4")]
    result = await recorded(folder, items, 1, shelf=Shelf(fillers=fillers))
    entry = result.entry(folder / "gone.mp4")
    last = [each for each in result.seen if result.slot <= each.at < result.slot + SLOT - 1e-3][-1]
    length = {CODES["short"]: 3.0, CODES["long"]: 5.0}[last.code]

    assert {CODES["short"], CODES["long"]} == set(result.codes())
    assert last.position == pytest.approx(length - PICTURE)
    assert result.begins(1, 2)
    assert (entry.outcome, entry.means, entry.drift_ms, entry.cards) == (
        Outcome.FILLER,
        Means.FILLER,
        None,
        0,
    )
    assert [each.failure for each in entry.setbacks] == [Failure.MISSING, Failure.MISSING]
    assert result.on.shelf.suspects == []


async def test_a_file_that_comes_back_is_on_again_where_it_would_be(folder: Path) -> None:
    """From the card the programme is tried again, and goes on at the position that it has by then."""
    away, here = folder / "away.mp4", folder / "back.mp4"
    here.unlink(missing_ok=True)
    away.write_bytes((folder / "one.mp4").read_bytes())
    CODES["back"] = 1

    async def bring_back(on: Station) -> None:
        away.rename(here)

    result = await recorded(folder, [str(here), str(folder / "two.mp4")], 1, harm=bring_back)
    entry = result.entry(here)

    assert result.codes() == [0, 1]
    assert result.begins(1, 2)
    assert (entry.outcome, entry.means) == (Outcome.PARTLY, Means.TRANSCODE)
    assert entry.drift_ms == 0
    assert Step.AGAIN in result.on.notes.steps


@pytest.mark.parametrize("harm", ["truncated", "deleted", "replaced"])
async def test_a_file_that_is_harmed_while_it_is_on_air(folder: Path, harm: str) -> None:
    """Whatever becomes of the file, the stream has no fault and the next programme begins on time."""
    victim = folder / "victim.mp4"
    victim.write_bytes((folder / "one.mp4").read_bytes())
    CODES["victim"] = 1

    async def do(on: Station) -> None:
        if harm == "deleted":
            victim.unlink()
        elif harm == "truncated":
            os.truncate(victim, 30_000)
        else:
            (folder / "text").write_text("Not a film.\n" * 1_000)
            (folder / "text").replace(victim)

    result = await recorded(folder, [str(victim), str(folder / "two.mp4")], 1, harm=do)

    assert result.begins(0, 1)
    assert result.begins(1, 2)
    assert set(result.codes()) <= {0, 1}


async def test_an_encoder_that_never_writes_is_given_up(folder: Path) -> None:
    """One that hangs from its start is replaced before the slot is over, and the next programme is not touched."""
    shelf = Shelf(others={str(folder / "bad.mp4"): str(folder / "other.mp4")})
    items: list[str | None] = [str(folder / "two.mp4"), str(folder / "bad.mp4"), str(folder / "one.mp4")]
    ffmpeg = stub(folder, "hangs", "exec sleep 1000")
    result = await recorded(folder, items, 3, shelf=shelf, ffmpeg=ffmpeg)

    first = result.entry(folder / "bad.mp4").setbacks[0]
    assert result.begins(0, 2)
    assert set(result.codes(1)) <= {0, CODES["other"]}
    assert result.codes(2)[-1] == 1
    # It was started before its turn: it is given up when the viewers' stock is used up.
    assert (first.step, first.failure) == (Step.PLANNED, Failure.SILENT)
    assert first.at / 1000 < result.slot + SLOT + 1
    assert result.on.notes.steps[0] is Step.CAREFUL
    assert result.pause < 2


async def test_a_preset_that_is_too_slow_gives_way_to_a_cheaper_one(folder: Path) -> None:
    """When the lead stays low, the item is encoded with less effort, and no more cards are needed."""
    program = folder / "ffmpeg-slow"
    program.write_text(
        f'#!/bin/sh\nffmpeg="{material.FFMPEG}"\ncase "$*" in *"preset superfast"*)'
        ' exec "$ffmpeg" -readrate 0.6 -readrate_initial_burst 0.1 "$@";; esac\nexec "$ffmpeg" "$@"\n'
    )
    program.chmod(0o755)
    long = strip_clip(folder, "forty.mp4", 7, 40)
    rota = Rota([str(long)], 40_000)
    profile = replace(material.SMALL, preset="superfast")
    path = folder / "slow.ts"
    shelf, clock = Shelf({str(long): material.media(40)}), SpeedyClock(1_800_000_001.0)
    async with station(rota, shelf=shelf, ffmpeg=str(program), profile=profile, clock=clock) as on:
        data = await on.record(16, path)
    last = [each for each in shown(path, clock.air()) if each.at > 1_800_000_014]

    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    assert on.notes.failures == [Failure.SLOW]
    assert on.notes.steps == [Step.CHEAPER]
    assert on.feeds.feeds[-1].order.profile.preset == "ultrafast"
    assert on.notes.card_seconds > 0
    assert {each.code for each in last} == {7}
