"""Television from Plex: two servers with equal rating keys, one whose files lie here and one that has to send them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from load.plex_server import MediaFile, PlexServer, running_plex_server, small_library
from tests.material import clip
from tests.programs import ordinary_user, require_program
from tests.referee import decode_faults, examine
from tests.reliability.library import PROFILES, as_run, channel
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings
from tests.reliability.server import Server, ask, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NEAR, FAR = "canary-near-4Kd8wQ", "canary-far-7Zp1xR"
PICTURE = 3_600.0
EPISODES = 3
CHANNELS = {
    "near": channel("1", "Near", order="chronological", pool="{library: TV Shows, show: Harbour}"),
    "far": channel("2", "Far", order="chronological", pool="{library: TV Shows, show: Mountain}"),
}


@dataclass(frozen=True)
class Home:
    """A server with its two sources, and what its commands have said so far."""

    server: Server
    near: PlexServer
    far: PlexServer
    said: list[str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command and keep what it says."""
        done = command(self.server.data_dir, *arguments, demo="false")
        self.said.extend((done.stdout, done.stderr))
        return done


def _season(folder: Path, show: str, tone: int) -> list[MediaFile]:
    folder.mkdir()
    found = []
    for number in range(1, EPISODES + 1):
        name = f"{show} - S01E0{number}.mp4"
        clip(folder, name, seconds=4, tone=tone + 40 * number)
        found.append(MediaFile(name, 4_000, f"{show} {number}", show=show, index=number))
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Run both servers, synchronise by hand, and put the channels on the air."""
    base = tmp_path_factory.mktemp("plex")
    here, there = base / "here", base / "there"
    near_files, far_files = _season(here, "Harbour", 300), _season(there, "Mountain", 600)
    with ExitStack() as stack:
        near = stack.enter_context(
            running_plex_server(small_library(here, near_files), machine="m-near", name="Near")
        )
        far = stack.enter_context(
            running_plex_server(
                small_library(there, far_files, root="/volume1/tv"), machine="m-far", name="Far"
            )
        )
        server = Server(base / "home", demo="false", horizon_days=2, linger_seconds=1)
        (server.data_dir / "channels").mkdir(parents=True)
        (server.data_dir / "exstream.yaml").write_text(PROFILES)
        for name, text in CHANNELS.items():
            (server.data_dir / "channels" / f"{name}.yaml").write_text(text)
        found = Home(server, near, far, [])
        for source, token in ((near, NEAR), (far, FAR)):
            source.refuse(source.token)
            source.allow(token)
            file = base / "token"
            file.write_text(token)
            added = found.run("plex", "servers", "add", "--url", source.url, "--token-file", str(file))
            assert added.returncode == 0, added.stderr
            file.unlink()
        _synchronised(found)
        with served(server):
            yield found


def _synchronised(home: Home) -> None:
    """The first run adds everything, the second skips it."""
    first, second = (home.run("sync-all", "--json") for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert [each["added"] for each in json.loads(first.stdout)] == [EPISODES, EPISODES]
    told = json.loads(second.stdout)
    assert [(each["total"], each["skipped"], each["writes"]) for each in told] == [
        (EPISODES, EPISODES, 0)
    ] * 2


def test_channels_of_plex_pools_are_clean(home: Home, tmp_path: Path, ffmpeg: str) -> None:
    """Both channels play joins without a fault: one from files of this machine, one through the gateway alone."""
    server = home.server
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(
            lambda: all(len(_aired(server, name)) >= 3 for name in CHANNELS),
            "every channel has shown some episodes",
            seconds=120,
            pause=0.5,
        )
        commands = _command_lines(server)
        home.said.append(commands)
        files = {name: recording.stop() for name, recording in recorded.items()}
    for name, data in files.items():
        report = examine(data, PICTURE)
        assert report.faults == [], name
        assert len(report.video) > 100
        assert decode_faults(ffmpeg, recorded[name].path) == ""
    assert {item.partition(":")[0] for item in _aired(server, "near")} == {"m-near"}
    assert {item.partition(":")[0] for item in _aired(server, "far")} == {"m-far"}
    read = {
        name: _figure(server, f'exstream_plex_read_bytes_total{{server="{name}"}}')
        for name in ("m-near", "m-far")
    }
    assert read["m-near"] == 0
    assert read["m-far"] > 50_000
    assert "http://127.0.0.1" in commands
    assert str(home.server.home.parent / "here") in commands


def _aired(server: Server, name: str) -> list[str]:
    shows = {"near": "m-near", "far": "m-far"}
    return [
        item for item, outcome, _ in as_run(server) if outcome == "aired" and item.startswith(shows[name])
    ]


def _figure(server: Server, line: str) -> float:
    text = ask(f"{server.iptv}/metrics").text
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _command_lines(server: Server) -> str:
    """Return what everybody on this machine sees of the server and its children."""
    lines = [" ".join(psutil.Process(server.running.pid).cmdline())]
    for child in server.children():
        try:
            lines.append(" ".join(child.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(lines)


def test_the_running_server_takes_up_what_a_command_reads(home: Home) -> None:
    """An episode that is new on Plex is in the running server's library moments after `exstream sync`."""
    folder = home.near.on_disk(int(home.near.entries("episode")[0]["key"])).parent
    clip(folder, "Harbour - S01E09.mp4", seconds=4)
    season = home.near.entries("season")[0]
    disk = folder / "Harbour - S01E09.mp4"
    part = {"file": str(disk), "disk": str(disk), "size": disk.stat().st_size, "duration": 4_000}
    home.near.add("episode", "Harbour 9", under=season["key"], index=9, versions=[{"parts": [part]}])
    done = home.run("sync", "--title", "Harbour", "--json")
    assert done.returncode == 0, done.stderr
    eventually(lambda: _items(home.server, "Near") == EPISODES + 1, "the library has one more", seconds=30)


def _items(server: Server, name: str) -> int:
    return sum(each["items"] for each in server.json("libraries") if each["server"] == name)


def test_a_token_that_is_refused_is_told_on_the_page(home: Home) -> None:
    """One sentence says how to sign in again; the catalogue stays, and all is well when the token is right again."""
    home.far.refuse(FAR)
    home.far.cut_lines()
    try:
        (told,) = eventually(
            lambda: [each for each in home.server.json("servers") if each["sign_in_needed"]],
            "the server needs a sign-in",
            seconds=60,
        )
        assert told["name"] == "Far"
        page = ask(f"{home.server.iptv}/").text
        assert "exstream plex login" in page
        assert _items(home.server, "Far") == EPISODES
    finally:
        home.far.allow(FAR)


def test_no_token_is_to_be_found_anywhere(home: Home) -> None:
    """Playlists, guide, API, pages, figures, logs, commands, command lines and files: none of them holds a token."""
    server = home.server
    home.run("config", "show")
    home.run("plex", "servers", "list", "--json")
    home.run("doctor", "--json")
    home.run("sync-all", "--debug", "--deep")
    pages = ["/", "/status", "/metrics", "/readyz", "/iptv/channels.m3u", "/iptv/xmltv.xml", "/channel/near"]
    api = json.loads(ask(f"{server.iptv}/api/v1/openapi.json").body)["paths"]
    pages += [path for path in api if "{" not in path and not path.endswith("/guide")]
    pages += ["/api/v1/guide?channel=far", "/api/v1/channels/far/now"]
    texts = {page: ask(f"{server.iptv}{page}").text for page in pages}
    texts |= {
        page: ask(f"{server.tuner}{page}").text for page in ("/lineup.json", "/lineup.xml", "/discover.json")
    }
    texts |= {"console": server.console(), "processes": _command_lines(server), **_numbered(home.said)}
    found = [where for where, text in texts.items() if NEAR in text or FAR in text]
    files = [path for path in server.home.rglob("*") if path.is_file()]
    found += [
        str(path) for path in files if NEAR.encode() in path.read_bytes() or FAR.encode() in path.read_bytes()
    ]
    assert found == []
    assert any(path.name == "exstream.db" for path in files)
    assert any(path.name == "exstream.log" for path in files)


def _numbered(texts: list[str]) -> Mapping[str, str]:
    return {f"command {number}": text for number, text in enumerate(texts)}


@pytest.mark.programs
def test_vlc_plays_a_channel_from_plex(home: Home, tmp_path: Path) -> None:
    """VLC decodes picture and sound of the channel whose files come through the gateway."""
    cvlc = require_program("cvlc")
    user = ordinary_user()
    if user is not None:
        shutil.chown(tmp_path, user)
        for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(folder.stat().st_mode | 0o011)
    log = tmp_path / "vlc.txt"
    options = "-vv --no-color --intf dummy --no-media-library --vout dummy --aout dummy --run-time 2 --play-and-exit"
    with (
        log.open("wb") as said,
        subprocess.Popen(
            [cvlc, *options.split(), home.server.stream("far"), "vlc://quit"],
            user=user,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        ) as vlc,
    ):
        try:
            for words in ("using audio decoder module", "Received first picture"):
                eventually(partial(_says, log, words), f"VLC says {words!r}")
        finally:
            vlc.terminate()
            vlc.wait(30)
    assert not _says(log, "TS discontinuity")


def _says(log: Path, words: str) -> bool:
    return words in log.read_text(errors="replace")
