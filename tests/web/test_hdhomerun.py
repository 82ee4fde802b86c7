"""The tuner's documents, as its clients read them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from lxml import etree

from exstream.guide.device import is_valid
from tests.web.station import CHANNELS, DEVICE, station
from tests.web.wire import ask, chunk_of, head_of, send, served

pytestmark = pytest.mark.anyio

_UPNP = "{urn:schemas-upnp-org:device-1-0}"


async def test_a_player_finds_its_way_from_discovery_to_a_picture() -> None:
    """discover.json leads to the lineup, and each of its addresses plays."""
    async with served(station()) as ports:
        found = json.loads((await ask(ports.hdhr, "/discover.json")).body)
        lineup = json.loads((await ask(ports.hdhr, urlsplit(found["LineupURL"]).path + "?show=found")).body)
        for entry in lineup:
            reader, writer = await send(ports.hdhr, urlsplit(entry["URL"]).path, Range="bytes=0-")
            assert (await head_of(reader))[0] == 200
            assert await chunk_of(reader)
            writer.close()
    assert is_valid(found["DeviceID"])
    assert found["TunerCount"] == 2
    assert found["BaseURL"] == f"http://127.0.0.1:{ports.hdhr}"
    assert [entry["GuideNumber"] for entry in lineup] == ["7", "102", "1984.1"]
    assert all(isinstance(entry["GuideNumber"], str) for entry in lineup)


@pytest.mark.parametrize("path", ["/discover.json", "/lineup.json", "/lineup_status.json", "/status.json"])
async def test_json_is_marked_as_real_tuners_mark_it(path: str) -> None:
    """Type, character set and the permission for other origins."""
    async with served(station()) as ports:
        reply = await ask(ports.hdhr, path)
    assert reply.headers["content-type"] == 'application/json; charset="utf-8"'
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("GET", 400), ("PUT", 400)])
async def test_a_scan_is_accepted_with_an_empty_answer(method: str, status: int) -> None:
    """Plex posts its wish to scan and takes anything but an empty 200 for a missing device."""
    async with served(station()) as ports:
        reply = await ask(
            ports.hdhr,
            "/lineup.post?scan=start&source=Cable",
            method=method,
            Content_Type="application/x-www-form-urlencoded",
        )
    assert (reply.status, reply.body) == (status, b"")


@pytest.mark.parametrize("path", ["/device.xml", "/capability"])
async def test_the_description_names_the_device(path: str) -> None:
    """UPnP clients read the same identity as the others."""
    async with served(station()) as ports:
        root = etree.fromstring((await ask(ports.hdhr, path)).body)
    device = root.find(f"{_UPNP}device")
    assert device is not None
    assert device.findtext(f"{_UPNP}serialNumber") == DEVICE.device_id
    assert device.findtext(f"{_UPNP}UDN") == f"uuid:{DEVICE.udn}"


async def test_the_other_lineups_say_the_same() -> None:
    """XML and M3U hold the same channels and addresses as JSON."""
    async with served(station()) as ports:
        urls = [entry["URL"] for entry in json.loads((await ask(ports.hdhr, "/lineup.json")).body)]
        xml = etree.fromstring((await ask(ports.hdhr, "/lineup.xml")).body)
        m3u = (await ask(ports.hdhr, "/lineup.m3u")).text
    assert [url.text for url in xml.iter("URL")] == urls
    assert [line for line in m3u.splitlines() if line.startswith("http")] == urls


async def test_the_status_shows_who_watches_what() -> None:
    """A taken tuner names channel and viewer; the free one only itself; the page for people says so too."""
    async with served(station()) as ports:
        reader, writer = await send(ports.hdhr, "/auto/v102")
        await head_of(reader)
        status = json.loads((await ask(ports.hdhr, "/status.json")).body)
        page = (await ask(ports.hdhr, "/tuners.html?page=tuner0")).text
        writer.close()
    assert status[1] == {"Resource": "tuner1"}
    assert (status[0]["VctNumber"], status[0]["TargetIP"]) == ("102", "127.0.0.1")
    assert status[0]["VctName"] == CHANNELS[1].name
    assert "102 Retro Toons &lt;HD&gt;" in page
    assert "not in use" in page
