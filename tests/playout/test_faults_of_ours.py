"""Errors in our own code: what they cost the viewers of a channel."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from exstream.model.grid import CLOCK_HZ
from exstream.mpegts.splice import Spliced
from exstream.playout.air import Air
from exstream.playout.pump import MOST_FAULTS
from exstream.playout.recovery import Attempt, Recovery
from exstream.playout.tally import Tallies
from tests import material
from tests.playout.studio import Rota, SpeedyClock, station
from tests.referee import decode_faults, examine

pytestmark = pytest.mark.anyio
START = 1_800_000_000.0


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[str | None]:
    """Make two clips of 8 s."""
    folder = tmp_path_factory.mktemp("faults")
    return [str(material.clip(folder, f"{number}.mp4", tone=300 + 200 * number)) for number in range(2)]


async def test_a_fault_in_the_running_order_ends_nobody_s_stream(
    clips: list[str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When opening what comes next stumbles, the order is begun anew; viewers see a card at worst, and no fault."""
    open_, calls = Recovery.open, []

    async def stumble(self: Recovery, *arguments: Any) -> Attempt:
        calls.append(arguments)
        if len(calls) == 2:
            raise IndexError("a fault of ours")
        return await open_(self, *arguments)

    monkeypatch.setattr(Recovery, "open", stumble)
    path = tmp_path / "order.ts"
    async with station(Rota(clips, 4_000), clock=SpeedyClock(START)) as on:
        data = await on.record(12, path)

    assert examine(data).faults == []
    assert decode_faults(material.FFMPEG, path) == ""
    assert len(calls) > 3
    assert on.notes.card_seconds < 4


async def test_a_fault_in_the_accounts_ends_nobody_s_stream(
    clips: list[str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When what ended cannot be settled, every encoder is still closed, and the programmes go on."""
    aired, calls = Tallies.aired, []

    def stumble(self: Tallies, *arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyError("a fault of ours")
        aired(self, *arguments)

    monkeypatch.setattr(Tallies, "aired", stumble)
    path = tmp_path / "accounts.ts"
    async with station(Rota(clips, 3_000), clock=SpeedyClock(START)) as on:
        data = await on.record(12, path)
        await on.tuners.close()
        assert on.processes.running() == ()

    assert examine(data).faults == []
    assert len(calls) > 2


async def test_a_stream_that_the_pump_gives_up_is_begun_anew_for_its_viewers(
    clips: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time stamps go on where they stood; it is not begun anew for ever."""
    tick, calls = Air.tick, []

    def stumble(self: Air, now: float) -> list[Spliced]:
        calls.append(now)
        if 30 <= len(calls) < 30 + MOST_FAULTS or len(calls) > 130:
            raise ZeroDivisionError("a fault of ours")
        return tick(self, now)

    monkeypatch.setattr(Air, "tick", stumble)
    async with station(Rota(clips, 4_000), clock=SpeedyClock(START)) as on:
        data = await on.record(60)
        ended = on.clock.air()
    report = examine(data)
    shown = sorted((pts - report.video[0]) % (1 << 33) for pts in report.video)

    assert all(late - early == CLOCK_HZ // 25 for early, late in pairwise(shown[:-3]))
    assert {fault.partition(": ")[2].partition(" ")[0] for fault in report.faults} <= {
        "continuity",
        "PCR",
        "audio",
    }
    assert shown[-1] > 10 * CLOCK_HZ
    # The second loss within a minute is the end.
    assert ended - START < 30
