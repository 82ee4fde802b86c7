"""Television in the page: Chromium plays what a channel sends, by HLS and as MP4."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.web.browser import Page, chromium
from tests.web.on_air import OnAir, clips, on_air
from tests.web.station import station
from tests.web.wire import served, until

pytestmark = [pytest.mark.anyio, pytest.mark.programs]
VIDEO = "document.querySelector('#player video')"
PATIENCE = 6.0
"""A machine that runs other tests beside this one takes longer than three seconds now and then."""
WITHOUT_HLS = """
const known = HTMLMediaElement.prototype.canPlayType;
HTMLMediaElement.prototype.canPlayType = function (type) {
  return type.includes("mpegurl") ? "" : known.call(this, type);
};
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make three clips."""
    return clips(tmp_path_factory.mktemp("page"))


@asynccontextmanager
async def guide(folder: Path, script: str = "") -> AsyncIterator[tuple[OnAir, Page]]:
    """Open the guide of a channel that is off the air; ``script`` runs before the page's own."""
    async with on_air(folder, length_ms=3_000) as on, chromium() as page:
        await page.command("Page.addScriptToEvaluateOnNewDocument", source=script)
        await page.size(1000, 700)
        await page.open(on.url("/"))
        yield on, page


async def figure(page: Page, name: str) -> str:
    """Return a figure of the overlay."""
    return str(await page.value(f"document.querySelector('.stats [data-figure=\"{name}\"]').textContent"))


@pytest.mark.parametrize(("mode", "script"), [("HLS", ""), ("MP4", WITHOUT_HLS)])
async def test_a_click_on_a_channel_plays_it(folder: Path, mode: str, script: str) -> None:
    """The first frame of a cold channel comes soon, and time goes on over two boundaries."""
    async with guide(folder, script) as (on, page):
        await page.value("document.querySelector('a[data-watch=one]').click()")
        await page.until(f"{VIDEO}.currentTime > 0.1")
        await page.press("i")
        await page.until("document.querySelector('.stats [data-figure=\"First frame\"]').textContent !== '–'")
        assert await figure(page, "Mode") == mode
        assert await figure(page, "Picture") == "320×180"
        assert float((await figure(page, "First frame")).removesuffix(" s")) <= PATIENCE
        began = await page.value(f"{VIDEO}.currentTime")
        await page.until(f"{VIDEO}.currentTime > {began + 7}")
        assert await page.value(f"{VIDEO}.error === null && {VIDEO}.muted && !{VIDEO}.paused")
        assert {session.kind for session in on.station.tuners.sessions()} == {mode.lower()}
        assert on.station.notes.card_seconds == 0
        await page.press("Escape")
        await page.until("!document.getElementById('player').open && location.hash === ''")
        if mode == "MP4":
            await until(lambda: not on.station.tuners.sessions(), seconds=2)
        assert page.complaints == []


async def test_the_player_is_worked_by_keys(folder: Path) -> None:
    """Enter on a channel opens it, M gives sound, the arrows change the channel, I shows figures, Escape closes."""
    async with guide(folder, WITHOUT_HLS) as (_, page):
        await page.value("document.querySelector('a[data-watch=one]').focus()")
        await page.press("Enter")
        await page.until(f"{VIDEO}.currentTime > 0.1")
        assert await page.value("location.hash") == "#watch/one"
        assert await page.value("document.getElementById('player-title').textContent") == "1.5 Channel One"
        label = "document.querySelector('[data-do=mute]').textContent"
        assert await page.value(label) == "Sound on"
        await page.press("m")
        assert await page.value(f"{VIDEO}.muted") is False
        await page.until(f"{label} === 'Sound off'")
        await page.press("i")
        assert await page.value("document.querySelector('.stats').hidden") is False
        await page.press("ArrowDown")
        await page.until(f"{VIDEO}.currentTime > 0.1")
        assert await page.value(f"{VIDEO}.muted") is False
        await page.press("Escape")
        await page.until("!document.getElementById('player').open")
        await page.until(f"{VIDEO}.networkState === HTMLMediaElement.NETWORK_EMPTY")


async def test_an_address_opens_the_player_and_back_closes_it(folder: Path) -> None:
    """A link to a channel plays it, and the browser's Back button leaves it as a page."""
    async with guide(folder, WITHOUT_HLS) as (on, page):
        await page.value("location.hash = '#watch/one'")
        await page.until(f"{VIDEO}.currentTime > 0.1")
        await page.value("history.back()")
        await page.until("!document.getElementById('player').open")
        await until(lambda: not on.station.tuners.sessions(), seconds=2)


async def test_an_address_of_no_channel_says_so() -> None:
    """The player opens with a sentence, and Escape leaves it; no key stumbles over the channel that is not there."""
    async with served(station()) as ports, chromium() as page:
        await page.open(f"http://127.0.0.1:{ports.iptv}/#watch/nosuch")
        await page.until("document.querySelector('.message').textContent === 'There is no channel nosuch.'")
        await page.press("ArrowDown")
        await page.press("Escape")
        await page.until("!document.getElementById('player').open && location.hash === ''")
        assert page.complaints == []


async def test_a_channel_that_cannot_play_says_so() -> None:
    """Without a picture there is a sentence, and it is tried again; a browser without H.264 is told at once."""
    refuse = "HTMLMediaElement.prototype.canPlayType = () => '';"
    for script, words in (("", "Trying again"), (refuse, "cannot play H.264")):
        async with served(station()) as ports, chromium() as page:
            await page.command("Page.addScriptToEvaluateOnNewDocument", source=script)
            await page.open(f"http://127.0.0.1:{ports.iptv}/#watch/seven")
            await page.until(f"document.querySelector('.message').textContent.includes('{words}')")
            assert await page.value("document.querySelector('.message').hidden") is False


@pytest.mark.parametrize("size", [(390, 844), (844, 390), (1280, 800)])
async def test_the_player_fits_every_screen(folder: Path, size: tuple[int, int]) -> None:
    """Nothing hangs over the edge, and every button is large enough for a finger."""
    async with guide(folder, WITHOUT_HLS) as (_, page):
        await page.size(*size)
        await page.value("location.hash = '#watch/one'")
        await page.until(f"{VIDEO}.currentTime > 0.1")
        boxes = await page.value(
            "[...document.querySelectorAll('#player button, #player video')].filter((each) => each.offsetParent)"
            ".map((each) => each.getBoundingClientRect().toJSON())"
        )
        assert len(boxes) >= 8
        for box in boxes:
            assert box["left"] >= 0
            assert box["right"] <= size[0]
            assert box["top"] >= 0
            assert box["bottom"] <= size[1]
            assert min(box["width"], box["height"]) >= 32
