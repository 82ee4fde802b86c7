"""Real players and what they ask: VLC, ffmpeg, Plex's and Kodi's requests, a browser, the validators of the guide."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import etree

from tests.programs import ordinary_user, require_program
from tests.reliability.patience import eventually
from tests.reliability.recording import Recording, leaving
from tests.reliability.server import Server, ask

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DTD = Path("/usr/share/xmltv/xmltv.dtd")
PLEX = {"User-Agent": "Lavf/60.16.100", "Range": "bytes=0-", "Icy-MetaData": "1", "Connection": "close"}
COPIED = "102"
"""The channel that sends the demo's clips as they are."""
NUMBERS = ["101", "102", "103", "104", "105", "106", "1984.1"]


@pytest.fixture(autouse=True)
def _quiet(demo: Server) -> Iterator[None]:
    """Begin and end with nobody watching: each story counts its own viewers."""
    eventually(lambda: demo.figure("exstream_channels_on_air") == 0, "nobody watches")
    yield
    eventually(lambda: demo.json("sessions") == [], "nobody watches any more")


def played(ffmpeg: str, url: str) -> str:
    """Return what ffmpeg says of the tracks of two seconds of ``url``; it decodes them without a complaint."""
    options = ["-hide_banner", "-nostdin", "-nostats", "-rw_timeout", "60000000", "-probesize", "500000"]
    done = subprocess.run(
        [ffmpeg, *options, "-i", url, "-t", "2", "-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_ffmpeg_plays_every_channel_of_both_lineups(demo: Server, ffmpeg: str) -> None:
    """The playlist and the tuner's lineup list the same channels; every address of both plays picture and sound."""
    playlist = ask(f"{demo.iptv}/iptv/channels.m3u").text
    found = re.findall(r'#EXTINF:.*tvg-chno="([^"]+)".*,(.+)\n(http\S+)', playlist)
    lineup = json.loads(ask(f"{demo.tuner}/lineup.json").body)
    assert [number for number, _, _ in found] == NUMBERS
    assert [(entry["GuideNumber"], entry["GuideName"]) for entry in lineup] == [each[:2] for each in found]
    for (_, _, by_id), entry in zip(found, lineup, strict=True):
        for url in (by_id, entry["URL"]):
            said = played(ffmpeg, url)
            size = "640x360" if entry["GuideNumber"] == COPIED else "854x480"
            assert re.search(rf"Video: h264 .*{size}.*25 fps", said), said
            assert re.search(r"Audio: aac .*48000 Hz, stereo", said), said


@pytest.mark.programs
@pytest.mark.parametrize("address", ["playlist", "channel", "hls", "tuner"])
def test_vlc_plays(demo: Server, tmp_path_factory: pytest.TempPathFactory, address: str) -> None:
    """VLC, as an ordinary user, decodes picture and sound of all channels of the playlist, of one and of the tuner."""
    cvlc = require_program("cvlc")
    url = {
        "playlist": f"{demo.iptv}/iptv/channels.m3u",
        "channel": demo.stream("parade"),
        "hls": f"{demo.iptv}/iptv/channel/parade.m3u8",
        "tuner": f"{demo.tuner}/auto/v1984.1",
    }[address]
    home = tmp_path_factory.mktemp("vlc")
    user = ordinary_user()
    if user is not None:
        shutil.chown(home, user)
        for folder in (home, home.parent, home.parent.parent):
            folder.chmod(folder.stat().st_mode | 0o011)
    options = "-vv --no-color --intf dummy --no-media-library --vout dummy --aout dummy --run-time 2 --play-and-exit"
    log = home / "vlc.txt"
    channels = len(NUMBERS) if address == "playlist" else 1
    heard = partial(_says, log)
    with (
        log.open("wb") as said,
        subprocess.Popen(
            [cvlc, *options.split(), url, "vlc://quit"],
            user=user,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        ) as vlc,
    ):
        try:
            for words in (
                "using video decoder module",
                "using audio decoder module",
                "Received first picture",
            ):
                eventually(partial(heard, words, channels), f"VLC says {words!r} of every channel: {address}")
        finally:
            vlc.terminate()
            vlc.wait(30)
    assert not heard("TS discontinuity")
    assert not heard("PCR is called too late")


def _says(log: Path, words: str, times: int = 1) -> bool:
    return log.read_text(errors="replace").count(words) >= times


def test_plex_adds_the_tuner_and_tunes(demo: Server, tmp_path: Path) -> None:
    """Discovery, scan, lineup and a tune with Plex's headers; 805 while all tuners are out."""
    device = json.loads(ask(f"{demo.tuner}/discover.json").body)
    assert (device["TunerCount"], device["BaseURL"]) == (4, demo.tuner)
    assert device["LineupURL"] == f"{demo.tuner}/lineup.json"
    status = json.loads(ask(f"{demo.tuner}/lineup_status.json").body)
    assert (status["ScanInProgress"], status["ScanPossible"]) == (0, 1)
    scan = ask(f"{demo.tuner}/lineup.post?scan=start&source=Cable", method="POST")
    assert (scan.status, scan.body) == (200, b"")
    lineup = {entry["GuideNumber"]: entry["URL"] for entry in json.loads(ask(device["LineupURL"]).body)}
    with ExitStack() as stack:
        watching: list[Recording] = []
        for place, number in enumerate(["101", "102", "103", "1984.1"]):
            recording = stack.enter_context(Recording(lineup[number], tmp_path / f"{place}.ts", headers=PLEX))
            watching.append(recording)
            assert recording.status == 200
            assert "content-length" not in recording.headers
            assert recording.headers["content-type"] == "video/mp2t"
            assert recording.headers["x-hdhomerun-resource"] == f"tuner{place}"
        refused = ask(lineup["104"], headers=PLEX)
        assert (refused.status, refused.body) == (503, b"")
        assert refused.headers["x-hdhomerun-error"] == "805 All Tuners In Use"
        watching[-1].stop()
        eventually(lambda: demo.figure("exstream_tuners_in_use") == 3, "a tuner is free")
        with Recording(lineup["104"], tmp_path / "4.ts") as late:
            assert late.headers["x-hdhomerun-resource"] == "tuner3"
    unknown = ask(f"{demo.tuner}/auto/v9999")
    assert (unknown.status, unknown.headers["x-hdhomerun-error"]) == (404, "801 Unknown Channel")


def test_kodis_burst_of_requests_keeps_one_producer_and_one_tuner(demo: Server, tmp_path: Path) -> None:
    """HEAD, GET and gone, HEAD, GET and gone, GET: one channel on air, one tuner, one or two encoders."""
    url = f"{demo.tuner}/auto/v103"
    for _ in range(2):
        head = ask(url, method="HEAD")
        assert (head.status, head.headers["content-type"]) == (200, "video/mp2t")
        leaving(url)
    with Recording(url, tmp_path / "kodi.ts") as recording:
        eventually(lambda: recording.received > 200_000, "it plays")
        assert recording.headers["x-hdhomerun-resource"] == "tuner0"
        eventually(lambda: len(demo.json("sessions")) == 1, "those that went are forgotten")
        assert demo.figure("exstream_tuners_in_use") == 1
        assert demo.figure("exstream_channels_on_air") == 1
        assert len(demo.encoders()) <= 3  # the programme, and what follows within seconds


@pytest.mark.programs
def test_the_front_page_in_chromium_shows_what_is_on(demo: Server, tmp_path: Path) -> None:
    """Every channel and the programme that is on are on the page; its picture is no empty one."""
    chromium = require_program("chromium")
    flags = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    before = demo.json("now")
    dom = _browsed([chromium, *flags, "--dump-dom", f"{demo.iptv}/"])
    after = demo.json("now")
    shown = " ".join(str(words) for words in etree.HTML(dom).itertext())
    for channel in demo.json("channels"):
        assert channel["name"] in shown
        assert channel["number"] in shown
    for earlier, later in zip(before, after, strict=True):
        assert earlier["now"]["title"] in shown or later["now"]["title"] in shown
    picture = tmp_path / "page.png"
    _browsed([chromium, *flags, "--window-size=1280,800", f"--screenshot={picture}", f"{demo.iptv}/"])
    assert _colours(picture) > 20


def _browsed(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _colours(picture: Path) -> int:
    from PIL import Image

    with Image.open(picture) as image:
        found = image.convert("RGB").getcolors(1 << 24)
    return len(found or [])


@pytest.mark.programs
def test_the_guide_of_the_demo_is_valid(demo: Server, tmp_path: Path) -> None:
    """The XMLTV guide follows its DTD, and xmltv's own validator finds nothing."""
    guide = tmp_path / "guide.xml"
    guide.write_bytes(ask(f"{demo.iptv}/iptv/xmltv.xml").body)
    validator = require_program("tv_validate_file")
    dtd = etree.DTD(str(DTD))
    assert dtd.validate(etree.parse(str(guide))), dtd.error_log
    checked = subprocess.run(
        [validator, str(guide)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={"XMLTV_SUPPLEMENT": "/usr/share/xmltv", "PATH": "/usr/bin:/bin"},
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_documented_address_answers(demo: Server) -> None:
    """What the README and the design promise under these paths is there, by id and by number."""
    iptv = [
        "/",
        "/iptv/channels.m3u",
        "/iptv/channels.m3u?mode=ts",
        "/iptv/channels.m3u?mode=hls",
        "/iptv/xmltv.xml",
        "/livez",
        "/readyz",
        "/metrics",
    ]
    iptv += [f"/iptv/logos/{channel['id']}.png" for channel in demo.json("channels")]
    iptv += [f"/api/v1/{name}" for name in ("channels", "now", "sessions", "jobs", "faults")]
    iptv += [f"/api/v1/guide?channel={quote('1984.1')}", "/api/v1/channels/parade", "/api/v1/openapi.json"]
    tuner = ["/", "/discover.json", "/lineup.json", "/lineup.xml", "/lineup.m3u", "/lineup_status.json"]
    tuner += ["/device.xml", "/status.json"]
    answers = {path: ask(f"{demo.iptv}{path}").status for path in iptv}
    answers |= {path: ask(f"{demo.tuner}{path}").status for path in tuner}
    assert {path: status for path, status in answers.items() if status != 200} == {}
    heads = [
        demo.stream("parade"),
        demo.stream("1984.1"),
        f"{demo.tuner}/auto/v1984.1",
        f"{demo.tuner}/tuner1/v101",
    ]
    assert {url: ask(url, method="HEAD").status for url in heads} == dict.fromkeys(heads, 200)
