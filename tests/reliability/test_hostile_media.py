"""Files that want to be more than media: what is in them reaches nothing, and the channel beside them goes on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from exstream.mpegts.conformance import check
from tests import material
from tests.referee import decode_faults, examine
from tests.reliability.library import as_run, channel, run, settle, station
from tests.reliability.patience import eventually
from tests.reliability.recording import recordings
from tests.reliability.server import Server, command, served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CHANNELS = {"copied": "copy", "encoded": "small"}
NEVER = (
    "playlist.mp4",
    "playlist.ts",
    "joined.mkv",
    "dash.mp4",
    "described.mp4",
    "image.mp4",
    "page.mkv",
    "script.mp4",
    "rare.mkv",
)
"""Files that nothing may be taken from."""
SUBTITLES = """\
[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,../../../etc/passwd,40
[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:00.00,0:00:05.00,Default,{\\fn/etc/passwd}Words
"""


class Trap:
    """Listens where hostile files point to, and counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, name="trap", daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        """Listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    """Set a trap."""
    with closing(Trap()) as trap:
        yield trap


def lay(ffmpeg: str, folder: Path, trap: Trap, secret: Path) -> None:
    """Fill ``folder`` with hostile files, beside two films that are none."""
    address = f"http://127.0.0.1:{trap.port}/secret.ts"
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    written = {
        "playlist.mp4": playlist,
        "playlist.ts": playlist,
        "joined.mkv": f"ffconcat version 1.0\nfile '{secret}'\nfile '{address}'\n",
        "dash.mp4": (
            '<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT5S"><Period><AdaptationSet '
            f'mimeType="video/mp4"><Representation id="1"><BaseURL>{address}</BaseURL></Representation>'
            "</AdaptationSet></Period></MPD>"
        ),
        "described.mp4": f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {trap.port} RTP/AVP 96\n",
        "image.mp4": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>',
        "page.mkv": f'<html><video src="{address}"></html>' * 100,
        "script.mp4": f"#!/bin/sh\ntouch {secret}.run\n",
    }
    for name, text in written.items():
        (folder / name).write_text(text)
    source = "-f lavfi -i testsrc2=s=320x180:r=25:d=5"
    run(ffmpeg, *f"{source} -c:v magicyuv -pix_fmt gbrp".split(), str(folder / "rare.mkv"))
    run(
        ffmpeg,
        *["-f", "lavfi", "-i", "color=c=red:s=16000x16000:r=1:d=2", "-c:v", "mjpeg", "-q:v", "31"],
        str(folder / "giant.mkv"),
    )
    words = folder.parent / "words.ass"
    words.write_text(SUBTITLES)
    films = [material.clip(folder, f"{name}.mp4", seconds=5) for name in ("amber", "birch")]
    run(
        *(ffmpeg, "-i", str(films[0]), "-i", str(words), "-map", "0", "-map", "1", "-c", "copy"),
        *("-attach", str(secret), "-metadata:s:t", "mimetype=application/x-truetype-font"),
        *("-metadata:s:t", "filename=../../../../tmp/evil.ttf", str(folder / "typeface.mkv")),
    )
    settle(folder)


@pytest.fixture
def server(ffmpeg: str, tmp_path: Path, trap: Trap) -> Iterator[Server]:
    """Run a server with all of it in its library."""
    secret = tmp_path / "secret.ts"
    secret.write_bytes(
        material.run(*["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=5", "-f", "mpegts", "-"])
    )
    films = tmp_path / "films"
    films.mkdir()
    lay(ffmpeg, films, trap, secret)
    channels = {
        name: channel(str(number), name.title(), profile=profile)
        for number, (name, profile) in enumerate(CHANNELS.items(), start=1)
    }
    with served(station(tmp_path / "server", films, channels)) as server:
        yield server


def test_hostile_files_reach_nothing_and_harm_nobody(
    server: Server, trap: Trap, tmp_path: Path, ffmpeg: str
) -> None:
    """Playlists, scripts and rare codecs are named as unreadable; nobody is called, nothing is written; films air."""
    said = command(tmp_path / "look", "library", "add", str(tmp_path / "films"))
    for name in NEVER:
        assert any(f"/{name} " in line for line in said.stdout.splitlines() if "unreadable" in line), name
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        wanted = {"amber.mp4", "birch.mp4", "typeface.mkv"}
        eventually(
            lambda: wanted <= {Path(item).name for item, outcome, _ in as_run(server) if outcome == "aired"},
            "the films were on air",
            seconds=200,
            pause=1,
        )
        assert not any(each.ended.is_set() for each in recorded.values())
        data = {name: each.stop() for name, each in recorded.items()}
    aired = {Path(item).name for item, outcome, _ in as_run(server) if outcome == "aired"}
    assert not aired & set(NEVER)
    assert trap.visits == 0
    assert not (tmp_path / "secret.ts.run").exists()
    assert not Path("/tmp/evil.ttf").exists()
    for name in CHANNELS:
        assert examine(data[name]).faults == [], name
        assert check(data[name]).told() == [], name
        assert decode_faults(ffmpeg, tmp_path / f"{name}.ts") == "", name


def test_a_film_that_turns_into_a_playlist_is_not_followed(
    server: Server, trap: Trap, tmp_path: Path
) -> None:
    """What was scanned as a film and is a playlist when its turn comes is refused by the encoder itself."""
    films = tmp_path / "films"
    for name in ("amber.mp4", "birch.mp4", "typeface.mkv", "giant.mkv"):
        (films / name).write_text((films / "playlist.mp4").read_text())
    settle(films)
    with recordings({name: server.stream(name) for name in CHANNELS}, tmp_path) as recorded:
        eventually(lambda: server.figure("exstream_feed_failures_total") > 3, "encoders have refused it")
        assert not any(each.ended.is_set() for each in recorded.values())
        for name, each in recorded.items():
            assert examine(each.stop()).faults == [], name
    assert trap.visits == 0
