"""Playlist, guide and logos as players and independent parsers read them."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image
from starlette.requests import Request

from exstream.web.deps import WebOptions
from exstream.web.health import Health
from exstream.web.logos import initials
from tests import programs
from tests.web.station import CHANNELS, channel, station
from tests.web.wire import ask, served

pytestmark = pytest.mark.anyio

_EXTINF = re.compile(r"#EXTINF:-1((?: [a-z-]+=\"[^\"]+\")+),(.+)")


async def test_the_playlist_lists_every_channel_under_the_name_that_was_asked_for() -> None:
    """Each entry has its number, guide id, logo and an address that ends in .ts, on the host of the request."""
    async with served(station()) as ports:
        reply = await ask(ports.iptv, "/iptv/channels.m3u", host="tv.lan:8411")
    assert reply.headers["content-type"].startswith("audio/x-mpegurl")
    lines = [line for line in reply.text.splitlines() if not line.startswith("#KODIPROP")]
    assert 'x-tvg-url="http://tv.lan:8411/iptv/xmltv.xml"' in lines[0]
    entries = dict(zip(lines[2::2], lines[1::2], strict=True))
    assert list(entries) == [
        f"http://tv.lan:8411/iptv/channel/{id_}.ts" for id_ in ("seven", "retro-toons", "nineteen")
    ]
    for extinf in entries.values():
        assert _EXTINF.fullmatch(extinf), extinf
    assert 'tvg-chno="1984.1"' in entries["http://tv.lan:8411/iptv/channel/nineteen.ts"]


async def test_one_channel_can_be_listed() -> None:
    """`channel=` lists one channel, by number too, so that a link opens it in a player."""
    async with served(station()) as ports:
        one = await ask(ports.iptv, "/iptv/channels.m3u?channel=102")
        none = await ask(ports.iptv, "/iptv/channels.m3u?channel=103")
    assert one.text.count("#EXTINF") == 1
    assert "/iptv/channel/retro-toons.ts" in one.text
    assert none.status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/iptv/channels.m3u?mode=ts", 200),
        ("/iptv/channels.m3u?mode=hls", 200),
        ("/iptv/channels.m3u?mode=dash", 400),
        ("/iptv/channel/seven.m3u8", 503),
        ("/iptv/channel/none.ts", 404),
        ("/iptv/channel/none.mp4", 404),
        ("/iptv/channel/none.m3u8", 404),
        ("/iptv/channel/none/live.m3u8", 404),
        ("/iptv/channel/seven/1.ts", 404),
        ("/iptv/channel/seven.webm", 404),
        ("/iptv/logos/none.png", 404),
        ("/iptv/xmltv.xml?days=0", 400),
        ("/iptv/xmltv.xml?days=15", 400),
        ("/iptv/xmltv.xml?days=99999999999", 400),
        ("/iptv/xmltv.xml?days=-1", 400),
    ],
)
async def test_what_is_not_offered_is_refused_with_a_sentence(path: str, status: int) -> None:
    """Other forms and impossible wishes get a status and a sentence."""
    async with served(station()) as ports:
        reply = await ask(ports.iptv, path)
    assert reply.status == status
    assert reply.text.endswith("\n")


@pytest.mark.parametrize(
    "path", ["/iptv/channels.m3u", "/iptv/xmltv.xml", "/iptv/logos/seven.png", "/livez", "/readyz"]
)
async def test_head_is_get_without_a_body(path: str) -> None:
    """HEAD tells the same type and length as GET."""
    async with served(station()) as ports:
        head, get = await ask(ports.iptv, path, method="HEAD"), await ask(ports.iptv, path)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == get.headers[name]
    assert int(get.headers["content-length"]) == len(get.body)


async def test_the_guide_is_whole_and_without_holes() -> None:
    """Read by lxml: every channel's programmes follow each other without gap or overlap, from before now to the end."""
    made = station()
    async with served(made) as ports:
        reply = await ask(ports.iptv, "/iptv/xmltv.xml?days=2")
    tv = etree.fromstring(reply.body)
    assert len(tv.findall("channel")) == len(CHANNELS)
    for id_ in [each.get("id") for each in tv.findall("channel")]:
        times = [(p.get("start"), p.get("stop")) for p in tv.findall("programme") if p.get("channel") == id_]
        assert len(times) >= 2 * 48
        assert all(before[1] == after[0] for before, after in itertools.pairwise(times))


async def test_a_programme_over_midnight_is_there_once() -> None:
    """Programmes longer than a day's piece of the guide appear once each, the one that is on now among them."""
    made = station(length_ms=31 * 3_600_000)
    async with served(made) as ports:
        reply = await ask(ports.iptv, "/iptv/xmltv.xml?days=7")
    now = made.parts.clock.now_ms() // made.programmed.length_ms * made.programmed.length_ms // 1_000
    airings = etree.fromstring(reply.body).findall("programme")
    keys = [(p.get("channel"), p.get("start")) for p in airings]
    assert len(keys) == len(set(keys))
    on_now = subprocess.run(
        ["date", "-u", "-d", f"@{now}", "+%Y%m%d%H%M%S +0000"], capture_output=True, text=True, check=True
    )
    assert sum(start == on_now.stdout.strip() for _, start in keys) == len(CHANNELS)


async def test_the_guide_is_sent_compressed_and_only_when_it_changed() -> None:
    """gzip by Accept-Encoding, and 304 for a client that has the newest; a new row makes a new version."""
    made = station()
    async with served(made) as ports:
        plain = await ask(ports.iptv, "/iptv/xmltv.xml")
        packed = await ask(ports.iptv, "/iptv/xmltv.xml", Accept_Encoding="deflate, gzip;q=0.5")
        refused = await ask(ports.iptv, "/iptv/xmltv.xml", Accept_Encoding="gzip;q=0")
        etag = plain.headers["etag"]
        same = await ask(ports.iptv, "/iptv/xmltv.xml", If_None_Match=f'"x", {etag}')
        made.programmed.revisions["seven"] = 2
        changed = await ask(ports.iptv, "/iptv/xmltv.xml", If_None_Match=etag)
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == refused.body
    assert (same.status, same.body) == (304, b"")
    assert (changed.status, changed.headers["etag"] != etag) == (200, True)


async def test_a_guide_too_large_for_players_has_fewer_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is asked for by days, the guide ends with the day that makes it large, but not before the third."""
    async with served(station()) as ports:
        whole = await ask(ports.iptv, "/iptv/xmltv.xml")
        monkeypatch.setattr("exstream.web.xmltv.LARGEST", 10_000)
        short = await ask(ports.iptv, "/iptv/xmltv.xml")
        asked = await ask(ports.iptv, "/iptv/xmltv.xml?days=7")
    days = [
        {p.get("start", "")[:8] for p in etree.fromstring(body).findall("programme")}
        for body in (short.body, whole.body)
    ]
    assert days[0] < days[1]
    assert len(days[0]) >= 3
    assert asked.body == whole.body


async def test_one_hosts_guide_is_never_anothers() -> None:
    """The cache knows under which name the guide was asked for."""
    async with served(station()) as ports:
        first = await ask(ports.iptv, "/iptv/xmltv.xml", host="one.lan")
        second = await ask(ports.iptv, "/iptv/xmltv.xml", host="two.lan")
    assert b"one.lan" in first.body
    assert b"one.lan" not in second.body
    assert first.headers["etag"] != second.headers["etag"]


async def test_many_who_ask_at_once_are_served_by_one_reading() -> None:
    """The guide is made once for all who wait for it, and days that are known are not read again."""
    made = station()
    async with served(made) as ports:
        replies = await asyncio.gather(*(ask(ports.iptv, "/iptv/xmltv.xml?days=7") for _ in range(8)))
        read = made.programmed.reads
        made.programmed.revisions["seven"] = 2
        await ask(ports.iptv, "/iptv/xmltv.xml?days=7")
    assert len({reply.body for reply in replies}) == 1
    assert read == len(CHANNELS)
    assert made.programmed.reads == read + 1


@pytest.mark.programs
async def test_the_guide_passes_the_independent_validator(tmp_path: Path) -> None:
    """tv_validate_file finds nothing to complain about."""
    validator = programs.require_program("tv_validate_file")
    async with served(station()) as ports:
        (tmp_path / "guide.xml").write_bytes((await ask(ports.iptv, "/iptv/xmltv.xml")).body)
    checked = subprocess.run(
        [validator, str(tmp_path / "guide.xml")],
        env={"XMLTV_SUPPLEMENT": "/usr/share/xmltv", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Validated ok." in checked.stdout + checked.stderr
    assert shutil.which("tv_validate_file") == validator


@pytest.mark.parametrize(
    "name", ["logo.png", "../logo.png", "/etc/hostname", "missing.png", "text.png", "http://a/b.png"]
)
async def test_a_logo_is_always_a_png_of_ours(name: str, tmp_path: Path) -> None:
    """A picture beside the definitions is encoded anew; anything else, or from elsewhere, gives way to initials."""
    folder = tmp_path / "channels"
    folder.mkdir()
    for place in (folder, tmp_path):
        Image.new("RGB", (40, 20), (255, 0, 0)).save(place / "logo.png", pnginfo=None)
    (folder / "text.png").write_text("not a picture")
    made = station(channels=[channel("one", "1", "One Two", logo=name)])
    made.parts = replace(made.parts, options=WebOptions(channels_dir=folder))
    async with served(made) as ports:
        reply = await ask(ports.iptv, "/iptv/logos/one.png")
        same = await ask(ports.iptv, "/iptv/logos/1.png", If_None_Match=reply.headers["etag"])
    with Image.open(BytesIO(reply.body)) as picture:
        assert picture.format == "PNG"
        assert picture.size == ((40, 20) if name == "logo.png" else (256, 256))
    assert same.status == 304


async def test_a_changed_logo_is_noticed(tmp_path: Path) -> None:
    """A picture that the user replaces is shown at the next request."""
    made = station(channels=[channel("one", "1", "One", logo="logo.png")])
    made.parts = replace(made.parts, options=WebOptions(channels_dir=tmp_path))
    sizes = []
    async with served(made) as ports:
        for side in (30, 60):
            Image.new("RGB", (side, side)).save(tmp_path / "logo.png")
            with Image.open(BytesIO((await ask(ports.iptv, "/iptv/logos/one.png")).body)) as picture:
                sizes.append(picture.width)
    assert sizes == [30, 60]


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Retro Toons", "RT"), ("News", "NE"), ("a b c d", "ABC"), ("!!", ""), ("Éire 2", "É2"), ("", "")],
)
def test_initials(name: str, letters: str) -> None:
    """Up to three letters stand for a name."""
    assert initials(name) == letters


async def test_readiness_lists_what_is_missing() -> None:
    """`/readyz` is 503 with the reasons until nothing is missing; `/livez` does not care."""
    made = station()
    made.missing.append("Retro Toons has no timeline yet")
    async with served(made) as ports:
        waiting, alive = await ask(ports.iptv, "/readyz"), await ask(ports.iptv, "/livez")
        made.missing.clear()
        ready = await ask(ports.iptv, "/readyz")
    assert (waiting.status, ready.status, alive.status) == (503, 200, 200)
    assert "Retro Toons has no timeline yet" in waiting.text


async def test_figures_are_for_loopback() -> None:
    """`/metrics` gives loopback the figures in Prometheus's format."""
    async with served(station()) as ports:
        reply = await ask(ports.iptv, "/metrics")
    assert reply.status == 200
    assert "exstream_viewers_closed_total" in reply.text


@pytest.mark.parametrize(
    ("address", "header", "status"),
    [
        ("::ffff:127.0.0.1", "", 200),
        ("192.168.1.9", "", 403),
        ("192.168.1.9", "Bearer wrong", 403),
        ("192.168.1.9", "Basic s3cret", 403),
        ("192.168.1.9", "Bearer ", 403),
        ("192.168.1.9", "bearer s3cret", 200),
    ],
)
async def test_other_machines_need_the_token_for_figures(address: str, header: str, status: int) -> None:
    """A neighbour reads the figures with the token of the settings, and only with it."""
    made = station(options=WebOptions(metrics_token="s3cret"))
    headers = [(b"authorization", header.encode())] if header else []
    request = Request({"type": "http", "headers": headers, "client": (address, 1)})
    assert (await Health(made.parts).metrics(request)).status_code == status
    unset = Health(station().parts)
    assert (await unset.metrics(request)).status_code == (200 if address != "192.168.1.9" else 403)
