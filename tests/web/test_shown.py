"""The player says what its picture shows: the instant, the programme, how far behind live it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exstream.model.channel import Profile
from load.strip import BLOCKS, read_strip
from tests import copyable, material
from tests.playout.shown import HEIGHT, WIDTH, strip_clip
from tests.playout.studio import Shelf
from tests.web.browser import Page, chromium
from tests.web.on_air import OnAir, on_air
from tests.web.test_player_page import VIDEO, WITHOUT_HLS

pytestmark = [pytest.mark.anyio, pytest.mark.programs]
CLIPS = 12
LENGTH_MS = 6_000
"""A picture is told from the one a round of all clips earlier, 72 s."""
LOOK = f"""
new Promise((done) => {VIDEO}.requestVideoFrameCallback((_, frame) => {{
  const canvas = Object.assign(document.createElement("canvas"), {{ width: {WIDTH}, height: {HEIGHT} }});
  const paper = canvas.getContext("2d", {{ willReadFrequently: true }});
  const video = {VIDEO};
  paper.drawImage(video, 0, 0, {WIDTH}, {HEIGHT});
  const row = {HEIGHT} - Math.round({HEIGHT} * 0.04);
  const levels = Array.from({{ length: {BLOCKS} }}, (_, at) =>
    paper.getImageData(Math.round((at + 0.5) * {WIDTH} / {BLOCKS}), row, 1, 1).data[1]);
  done({{
    levels, told: shown.at() - 1000 * (video.currentTime - frame.mediaTime), now: Date.now(),
    what: document.querySelector("#player .what").textContent,
    behind: document.querySelector('.stats [data-figure="Behind live"]')?.textContent,
  }});
}}))
"""


@dataclass(frozen=True)
class Look:
    """One look at the player: the instant it tells and the one in the picture (Unix seconds), and its words."""

    told: float
    pictured: float
    row: int
    what: str
    behind: float
    now: float


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Make clips that tell on every picture what it is; all of them can be copied."""
    folder = tmp_path_factory.mktemp("shown")
    paths = [strip_clip(folder, f"{number:02}.mp4", number + 1, 7) for number in range(CLIPS)]
    return Shelf({str(path): copyable.known(path) for path in paths})


async def look(page: Page) -> Look:
    """Compare what the player tells with the picture that it shows."""
    seen: dict[str, Any] = await page.value(LOOK)
    gray = np.repeat(np.array(seen["levels"], np.uint8), WIDTH // BLOCKS)[None, :].repeat(HEIGHT, axis=0)
    found = read_strip(gray)
    assert found is not None, "a picture without its strip"
    code, position = found
    now = seen["now"] / 1000
    length = LENGTH_MS / 1000
    place = (now - position) / length
    row = int(place - (place - (code - 1)) % CLIPS + 0.01)
    behind = float(seen["behind"].removesuffix(" s"))
    return Look(seen["told"] / 1000, row * length + position, row, seen["what"], behind, now)


def title(on: OnAir, row: int) -> str:
    """Return how the player names a row of the guide."""
    return ("Alpha & <Omega>", 'Night Bus: The "Pilot"', "Night Bus: Second Night")[row % 3]


@pytest.mark.parametrize("profile", [material.SMALL, copyable.profile()], ids=["encoded", "copied"])
@pytest.mark.parametrize(("mode", "script"), [("HLS", ""), ("MP4", WITHOUT_HLS)])
async def test_the_player_tells_what_its_picture_shows(
    shelf: Shelf, tmp_path: Path, mode: str, script: str, profile: Profile
) -> None:
    """Over two boundaries instant, delay and title are the picture's own, however far it is behind live."""
    async with on_air(tmp_path, shelf=shelf, profile=profile, length_ms=LENGTH_MS) as on, chromium() as page:
        await page.command("Page.addScriptToEvaluateOnNewDocument", source=script)
        await page.open(on.url("/#watch/one"))
        await page.until(f"{VIDEO}.currentTime > 0.1")
        await page.press("i")
        await page.until("shown.at() !== null && document.querySelector('#player .what').textContent")
        looks: list[Look] = []
        while len({each.row for each in looks}) < 3:
            looks.append(await look(page))
            await asyncio.sleep(0.4)
        assert await page.value("mode") == mode
        assert page.complaints == []
    for each in looks:
        assert abs(each.told - each.pictured) < 0.1, each
        assert abs(each.behind - (each.now - each.pictured)) < 2, each
        into = each.pictured - each.row * LENGTH_MS / 1000
        assert each.what == title(on, each.row) or into < 1, each
