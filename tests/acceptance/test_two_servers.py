"""Two servers on one machine, and one server in two lives."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.acceptance.pictures import Seen, clip_of, pictures
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording
from tests.reliability.server import Server, ask, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CHANNEL = "carousel"


def identity(server: Server) -> dict[str, str]:
    """Return what must never change of the tuner."""
    told = json.loads(ask(f"{server.tuner}/discover.json").body)
    udn = ask(f"{server.tuner}/device.xml").text.partition("<UDN>")[2].partition("</UDN>")[0]
    return {"id": told["DeviceID"], "auth": told["DeviceAuth"], "udn": udn}


def test_two_servers_run_side_by_side(demo: Server, tmp_path: Path) -> None:
    """With a data directory and ports of its own a second server is another tuner, and both play at the same time."""
    with (
        served(Server(tmp_path, linger_seconds=1)) as other,
        Recording(demo.stream(CHANNEL), tmp_path / "one.ts") as one,
        Recording(other.stream(CHANNEL), tmp_path / "two.ts") as two,
    ):
        mine, yours = identity(demo), identity(other)
        assert all(mine[name] != yours[name] for name in mine)
        eventually(lambda: min(one.received, two.received) > 100_000, "both play")
        assert (len(demo.json("sessions")), len(other.json("sessions"))) == (1, 1)
        assert str(other.iptv_port) in ask(f"{other.iptv}/iptv/channels.m3u").text
        assert other.terminate() == 0
        received = one.received
        eventually(lambda: one.received > received + 100_000, "the first plays on")


def test_a_restart_changes_nothing_that_is_published(demo: Server, tmp_path: Path) -> None:
    """Identity and guide are the same afterwards, and the programme goes on at the position where it then is."""
    now = time.time()
    names = [channel["id"] for channel in demo.json("channels")]
    before = {name: demo.guide(name, now, now + 36 * 3_600) for name in names}
    kept = identity(demo)
    assert demo.terminate() == 0
    demo.start()
    assert identity(demo) == kept
    assert {name: demo.guide(name, now, now + 36 * 3_600) for name in names} == before

    path = tmp_path / "after.ts"

    def told() -> list[Seen]:
        return [picture for picture in pictures(path) if picture.code is not None]

    with Recording(demo.stream(CHANNEL), path) as recording:
        eventually(lambda: recording.received > 400_000, "the channel plays")
        eventually(lambda: len(told()) > 50, "programmes are seen", seconds=60, pause=2)
        recording.stop()
    for picture in told():
        row = next(row for row in before[CHANNEL] if row["starts"] <= picture.at + 1e-5 < row["ends"])
        clip = clip_of(row["title"], row["subtitle"])
        step = float(clip.format.rate.seconds) * (3 if clip.format.variable else 1)
        assert picture.code == clip.code
        assert -0.04 <= picture.at - row["starts"] - picture.position <= max(step, 0.04) + 0.06
