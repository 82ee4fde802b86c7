"""The pages: their size and words without a browser, their use in one."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.model.bad_file import BadFile
from exstream.web import grid
from exstream.web.airings import Airing
from tests.web.browser import chromium
from tests.web.station import HOUR, channel, station
from tests.web.wire import ask, head_of, send, served

pytestmark = pytest.mark.anyio

STYLE = Path(grid.__file__).parent / "static" / "exstream.css"
NOW = 1_800_000_000_000


@st.composite
def guides(draw: st.DrawFn) -> list[Airing]:
    """Draw a channel's programmes around `NOW`, with holes."""
    at = NOW - draw(st.integers(0, 4 * HOUR))
    found = []
    for number in range(draw(st.integers(0, 60))):
        at += draw(st.sampled_from([0, 0, 0, 60_000, HOUR]))
        length = draw(st.sampled_from([1, 5_000, 20_000, 90_000, 600_000, HOUR, 5 * HOUR]))
        found.append(Airing("a", at, at + length, f"P{number}"))
        at += length
    return found


@given(guides(), st.sampled_from(grid.ZOOMS), st.integers(-3, 3))
def test_a_row_fills_its_columns_with_every_programme_once(
    airings: list[Airing], zoom: grid.Zoom, moved: int
) -> None:
    """Whatever is on, a row's cells fill the grid in order, none is invisible, and nothing shown is left out."""
    window = grid.Window(NOW // zoom.label_ms * zoom.label_ms, zoom).moved(moved)
    cells = window.row(airings, NOW)
    assert sum(cell.columns for cell in cells) == grid.COLUMNS
    assert all(cell.columns >= 1 for cell in cells)
    assert cells[0].starts == window.start
    assert cells[-1].ends == window.end
    assert all(before.ends == after.starts for before, after in pairwise(cells))
    shown = [airing for cell in cells for airing in cell.airings]
    assert shown == [a for a in airings if a.ends > window.start and a.starts < window.end]
    on_now = [cell.airing for cell in cells if cell.mark is grid.Mark.NOW]
    assert all(airing is not None and airing.ends > NOW for airing in on_now)


async def test_fifty_channels_and_three_hours_are_a_small_page() -> None:
    """The widest view of 50 channels of half-hour programmes stays under 60 kB, and says so in its length."""
    channels = [channel(f"channel-{n}", str(n), f"Channel number {n}") for n in range(1, 51)]
    async with served(station(channels=channels)) as ports:
        plain = await ask(ports.iptv, "/?span=180")
        packed = await ask(ports.iptv, "/?span=180", Accept_Encoding="gzip")
    assert plain.status == 200
    assert len(plain.body) <= 60_000
    assert len(packed.body) <= 10_000
    assert plain.text.count('scope="row"') == 50


async def test_many_short_programmes_are_drawn_together() -> None:
    """Clips of 30 seconds make a page of readable size in every view."""
    channels = [channel(f"demo-{n}", str(n), f"Demo {n}") for n in range(1, 9)]
    async with served(station(channels=channels, length_ms=30_000)) as ports:
        sizes = {span: len((await ask(ports.iptv, f"/?span={span}")).body) for span in (10, 30, 60, 180)}
        usual = await ask(ports.iptv, "/")
    assert max(sizes.values()) <= 60_000 + 8 * 60 * 220
    assert sizes[180] <= 40_000
    assert 'class="grid z10"' in usual.text


async def test_titles_are_text_and_never_markup() -> None:
    """What stands in a library is escaped wherever it is shown."""
    async with served(station(length_ms=HOUR)) as ports:
        guide = (await ask(ports.iptv, "/")).text
    assert "<Omega>" not in guide
    assert "<HD>" not in guide
    assert "Retro Toons &lt;HD&gt;" in guide


async def test_the_pages_need_no_inline_script_or_style() -> None:
    """Nothing on a page breaks the policy that forbids inline code and foreign hosts."""
    made = station()
    async with served(made) as ports:
        row = made.programmed.segment("seven", made.parts.clock.now_ms() // made.programmed.length_ms)
        for path in ("/", "/channel/seven", f"/programme/seven/{row.starts}", "/nothing", "/channel/none"):
            text = (await ask(ports.iptv, path)).text
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text), path
            assert not re.findall(r'(?:src|href)="(?:https?:)?//', text), path


async def test_a_programme_has_an_address() -> None:
    """A programme's page shows what the library knows; one that is gone says so."""
    made = station()
    async with served(made) as ports:
        row = made.programmed.segment(
            "seven", made.parts.clock.now_ms() // made.programmed.length_ms // 3 * 3
        )
        found = await ask(ports.iptv, f"/programme/7/{row.starts}")
        gone = [await ask(ports.iptv, f"/programme/7/{at}") for at in (row.starts + 1, 0, 10**18)]
        wrong = await ask(ports.iptv, "/programme/none/0")
    assert "Alpha &amp; &lt;Omega&gt;" in found.text
    assert "A film." in found.text
    assert [each.status for each in [*gone, wrong]] == [404, 200, 404, 404]


@pytest.mark.parametrize(
    "query", ["?at=", "?at=x", "?at=99999999999", "?at=-5", "?span=7", "?at=²", "?at=0&span=30"]
)
async def test_nonsense_in_the_address_shows_the_guide_all_the_same(query: str) -> None:
    """An address that somebody mistyped is no error."""
    async with served(station()) as ports:
        reply = await ask(ports.iptv, "/" + query.replace("²", "%C2%B2"))
    assert reply.status == 200


async def test_the_status_line_tells_viewers_jobs_and_faults() -> None:
    """Who watches, what is being made and what is wrong stand above the guide."""
    made = station()
    made.programmed.faults = ("kids.yaml, line 3: <unknown>",)
    made.programmed.bad_files = [BadFile("/films/<a>.mkv", "moov atom not found", 3, 1, 2)]
    made.missing.append("cards are being made")
    with made.board.job("Making the demo library") as job:
        job.progress(3, 24, "Harbour Lights")
        async with served(made) as ports:
            reader, writer = await send(ports.hdhr, "/auto/v7", User_Agent="<b>VLC</b>")
            await head_of(reader)
            text = (await ask(ports.iptv, "/status")).text
            writer.close()
    for words in (
        "1 viewer",
        "1 of 2 tuners",
        "&lt;b&gt;VLC",
        "3/24",
        "1 fault",
        "&lt;unknown&gt;",
        "1 file is not played",
        "/films/&lt;a&gt;.mkv",
        "cards are being",
    ):
        assert words in text
    assert "<b>VLC" not in text


async def test_no_channel_is_explained() -> None:
    """An empty lineup says what to do."""
    async with served(station(channels=[])) as ports:
        assert "There is no channel yet" in (await ask(ports.iptv, "/")).text


def _luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
    parts = [int(full[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_meets_wcag_aa(scheme: str) -> None:
    """Text has a contrast of at least 4.5, lines that mean something at least 3, in both colour schemes."""
    roots = re.findall(r":root\s*{(.*?)}", STYLE.read_text(), re.DOTALL)
    colours = {**dict(re.findall(r"--([\w-]+):\s*(#\w+)", roots[0]))}
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+):\s*(#\w+)", roots[1]))

    def contrast(one: str, other: str) -> float:
        light, dark = sorted((_luminance(colours[one]), _luminance(colours[other])), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    for ink in ("ink", "soft", "fault"):
        for ground in ("page", "card", "cell"):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast("ink", "live") >= 4.5
    assert contrast("soft", "live") >= 4.5
    assert contrast("on-accent", "accent") >= 4.5
    for line in ("accent", "now", "live-line"):
        assert contrast(line, "page") >= 3, line


_CELLS_SHOWN = """
[...document.querySelectorAll("tbody tr")].map(
  (row) => [...row.querySelectorAll("td a")].filter((link) => link.offsetParent).length)
"""
_SMALL_TARGETS = """
[...document.querySelectorAll("tbody a, .button")]
  .filter((link) => link.offsetParent && link.offsetHeight < 32).length
"""


@pytest.mark.programs
async def test_the_guide_is_used_by_keyboard_in_a_browser() -> None:
    """One Tab stop leads into the grid, arrows move in it, Enter opens a programme and Escape closes it."""
    async with served(station()) as ports, chromium() as page:
        await page.size(1366, 800)
        await page.open(f"http://127.0.0.1:{ports.iptv}/")
        assert await page.value("document.querySelectorAll('tbody a[tabindex=\"0\"]').length") == 1
        await page.value("document.querySelector('[data-open]').focus()")
        await page.press("Tab")
        assert await page.value("document.activeElement.closest('td').classList.contains('a')")
        await page.press("ArrowRight")
        assert await page.value("document.activeElement.closest('td').classList.contains('b')")
        await page.press("ArrowDown")
        here = "document.activeElement.closest('tr').querySelector('th').innerText"
        assert "Retro Toons <HD>" in await page.value(here)
        await page.press("Home")
        assert await page.value("document.activeElement.closest('th') !== null")
        await page.press("ArrowRight")
        title = await page.value("document.activeElement.querySelector('b').innerText")
        await page.press("Enter")
        await page.until("document.querySelector('#programme[open] h2')")
        assert await page.value("document.querySelector('#programme h2').innerText") == title
        assert await page.value("document.querySelector('#programme').contains(document.activeElement)")
        await page.press("Escape")
        await page.until("!document.querySelector('#programme').open")
        assert await page.value("document.activeElement.querySelector('b').innerText") == title
        assert await page.value("getComputedStyle(document.querySelector('.now')).display") == "block"
        assert page.complaints == []


@pytest.mark.programs
@pytest.mark.parametrize("dark", [False, True])
async def test_the_guide_is_a_list_on_a_phone(dark: bool, tmp_path: Path) -> None:
    """On a narrow screen each channel shows what is on and what follows, and nothing is wider than the screen."""
    async with served(station()) as ports, chromium() as page:
        await page.size(390, 844, dark=dark)
        await page.open(f"http://127.0.0.1:{ports.iptv}/")
        assert await page.value(_CELLS_SHOWN) == [2, 2, 2]
        assert await page.value("document.scrollingElement.scrollWidth") <= 390
        assert await page.value(_SMALL_TARGETS) == 0
        await page.picture(tmp_path / "phone.png")
        assert (tmp_path / "phone.png").stat().st_size > 5_000
        assert page.complaints == []


@pytest.mark.programs
async def test_an_address_is_copied_with_one_press() -> None:
    """The dialog for players shows the addresses of this host, and a button copies one, also without TLS."""
    async with served(station()) as ports, chromium() as page:
        await page.size(1000, 800)
        await page.open(f"http://127.0.0.1:{ports.iptv}/")
        await page.value("document.querySelector('[data-open=connect]').click()")
        fields = await page.value("[...document.querySelectorAll('#connect code')].map(i => i.textContent)")
        assert fields == [
            f"http://127.0.0.1:{ports.iptv}/iptv/channels.m3u",
            f"http://127.0.0.1:{ports.iptv}/iptv/channels.m3u?mode=hls",
            f"http://127.0.0.1:{ports.iptv}/iptv/xmltv.xml",
            "http://127.0.0.1:5004",
        ]
        await page.value("document.querySelector('#connect [data-copy]').click()")
        await page.until("document.querySelector('#connect [data-copy]').innerText === 'Copied'")


@pytest.mark.programs
async def test_the_guide_renews_itself_when_a_programme_ends() -> None:
    """A page that stays open shows what is on now, without losing the place of the keyboard."""
    made = station(length_ms=6_000)
    async with served(made) as ports, chromium() as page:
        await page.size(1366, 800)
        await page.open(f"http://127.0.0.1:{ports.iptv}/")
        before = await page.value("document.querySelector('td.a a').pathname")
        await page.value(
            "document.querySelector('th a').focus(); document.querySelector('tbody th a').focus()"
        )
        place = await page.value("document.activeElement.pathname")
        await page.until(f"document.querySelector('td.a a').pathname !== '{before}'")
        assert await page.value("document.activeElement.pathname") == place
        assert page.complaints == []
