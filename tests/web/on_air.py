"""A channel that is really on the air, behind the real sites: ffmpeg, rings, sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from exstream.model.channel import Profile
from tests import material
from tests.playout import studio
from tests.web.station import channel
from tests.web.station import station as site_station
from tests.web.wire import Ports, ask, served

ONE = channel("one", "1.5", "Channel One")
MASTER = "/iptv/channel/one.m3u8"
MEDIA = "/iptv/channel/one/live.m3u8"


@dataclass(frozen=True)
class OnAir:
    """A served station; ``port`` is the IPTV site's."""

    station: studio.Station
    ports: Ports

    @property
    def port(self) -> int:
        """Where playlists and streams are."""
        return self.ports.iptv

    def url(self, path: str) -> str:
        """Return the address of ``path``."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def numbers(self, path: str = MEDIA) -> list[int]:
        """Return the segments that the media playlist lists now."""
        reply = await ask(self.port, path)
        assert reply.status == 200, reply
        return [int(number) for number in re.findall(r"^(\d+)\.ts$", reply.text, re.MULTILINE)]

    async def segments(self, seconds: float) -> dict[int, bytes]:
        """Follow the playlist for ``seconds`` as a player does; return the bytes by number."""
        found: dict[int, bytes] = {}
        ends = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends:
            for number in await self.numbers(f"{MEDIA}?viewer=follower"):
                if number not in found:
                    reply = await ask(self.port, f"/iptv/channel/one/{number}.ts")
                    assert reply.status == 200, (number, reply)
                    found[number] = reply.body
            await asyncio.sleep(0.5)
        return found


@asynccontextmanager
async def on_air(
    folder: Path,
    *,
    clock: studio.SpeedyClock | None = None,
    length_ms: int = 5_000,
    profile: Profile = material.SMALL,
    linger: float = 0.2,
    shelf: studio.Shelf | None = None,
) -> AsyncIterator[OnAir]:
    """Serve a channel whose three clips, or else the files of ``shelf``, take turns every ``length_ms``."""
    items = list(shelf.media) if shelf is not None else [str(folder / f"{number}.mp4") for number in range(3)]
    rota = studio.Rota(items, length_ms)
    async with studio.station(rota, clock=clock, profile=profile, linger=linger, shelf=shelf) as station:
        made = site_station(channels=(ONE,), length_ms=length_ms)
        made.parts = replace(made.parts, tuners=station.tuners, clock=station.clock)
        async with served(made) as ports:
            yield OnAir(station, ports)


def clips(folder: Path) -> Path:
    """Make the clips and return their folder."""
    for number in range(3):
        material.clip(folder, f"{number}.mp4", tone=300 + 100 * number)
    return folder
