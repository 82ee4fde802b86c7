"""Bytes of files: ranges, tags, and addresses that grow old."""

from pathlib import Path

import httpx
import pytest

from load.plex_server import MediaFile, PlexServer, running_plex_server, small_library
from tests.plex_server.asking import entry, rows, session


def _address(client: httpx.Client) -> str:
    return str(rows(client, "/library/sections/1/all")[0]["Media"][0]["Part"][0]["key"])


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=999990-", 999_990, 999_999),
        ("bytes=-5", 999_995, 999_999),
        ("bytes=5-99999999", 5, 999_999),
    ],
)
def test_a_range_comes_with_206(filed: PlexServer, tmp_path: Path, asked: str, first: int, last: int) -> None:
    """The bytes asked for come, and where they lie in the file is said."""
    with session(filed) as client:
        answer = client.get(_address(client), headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1000000"
    assert answer.content == (tmp_path / "film.mkv").read_bytes()[first : last + 1]


def test_a_whole_file_and_its_head(filed: PlexServer, tmp_path: Path) -> None:
    """Without a range all of it comes; HEAD tells how long it is; 416 beyond its end."""
    with session(filed) as client:
        address = _address(client)
        whole = client.get(address)
        assert (whole.status_code, whole.content) == (200, (tmp_path / "film.mkv").read_bytes())
        assert whole.headers["accept-ranges"] == "bytes"
        head = client.head(address)
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "1000000", b"")
        beyond = client.get(address, headers={"Range": "bytes=1000000-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */1000000")


def test_a_replaced_file_has_another_tag_and_address(filed: PlexServer, tmp_path: Path) -> None:
    """The old address still leads to the file, unless the server is strict; a range of the old is not of the new."""
    with session(filed) as client:
        old = _address(client)
        tag = client.head(old).headers["etag"]
        (tmp_path / "film.mkv").write_bytes(b"x" * 5000)
        filed.replace_file(1, size=5000)
        new = _address(client)
        assert new != old
        resumed = client.get(new, headers={"Range": "bytes=4000-", "If-Range": tag})
        assert (resumed.status_code, resumed.content) == (200, b"x" * 5000)
        assert client.get(old, headers={"Range": "bytes=0-1"}).status_code == 206
        filed.switch(strict_parts=True)
        assert client.get(old).status_code == 404
        assert client.get(new).status_code == 200


def test_a_file_that_is_nowhere_is_404(plex: PlexServer) -> None:
    """The sample library has entries without bytes."""
    with session(plex) as client:
        assert client.get(entry(client, 1)["Media"][0]["Part"][0]["key"]).status_code == 404


def test_a_download_may_be_forbidden(filed: PlexServer) -> None:
    """Whoever may not download gets 403 for that, and may read the file all the same."""
    with session(filed, filed.shared_token) as client:
        address = _address(client)
        assert client.get(address, params={"download": 1}).status_code == 403
        assert client.get(address).status_code == 200
    with session(filed) as owner:
        attached = owner.get(address, params={"download": 1})
        assert attached.headers["content-disposition"] == 'attachment; filename="film.mkv"'


def test_files_become_what_they_are_said_to_be(tmp_path: Path) -> None:
    """Films, episodes, clips and tracks with the streams and lengths the caller tells, under the server's own root."""
    for name in ("a.mp4", "b.ts", "c.mp4", "d.mp3", "e.srt"):
        (tmp_path / name).write_bytes(name.encode())
    subtitles = {
        "id": 5,
        "streamType": 3,
        "key": "/library/streams/5",
        "disk": str(tmp_path / "e.srt"),
        "codec": "srt",
    }
    files = [
        MediaFile("a.mp4", 1000, "A", streams=[{"streamType": 1, "codec": "h264"}, subtitles]),
        MediaFile("b.ts", 2000, "B", show="S", season=0, index=7),
        MediaFile("c.mp4", 3000, "C", clip=True),
        MediaFile("d.mp3", 4000, "D", artist="Someone"),
    ]
    with (
        running_plex_server(small_library(tmp_path, files, root="M:\\Media")) as plex,
        session(plex) as client,
    ):
        film = entry(client, plex.find("A")["key"])
        part = film["Media"][0]["Part"][0]
        assert (part["file"], part["duration"], part["size"]) == ("M:\\Media\\a.mp4", 1000, 5)
        assert [stream["codec"] for stream in part["Stream"]] == ["h264", "srt"]
        assert client.get("/library/streams/5").content == b"e.srt"
        (episode,) = rows(client, "/library/sections/2/all", "type=4")
        assert (episode["parentIndex"], episode["index"], episode["grandparentTitle"]) == (0, 7, "S")
        (clip,) = rows(client, "/library/sections/3/all")
        assert (clip["subtype"], clip["guid"][:8]) == ("clip", "local://")
        (track,) = rows(client, "/library/sections/4/all", "type=10")
        assert client.get(track["Media"][0]["Part"][0]["key"]).content == b"d.mp3"


def test_pictures_are_pictures(plex: PlexServer) -> None:
    """Thumbnails and their scaled form are small PNGs, for those who have a token."""
    with session(plex) as client:
        thumb = entry(client, 1)["thumb"]
        for path in (thumb, f"/photo/:/transcode?url={thumb}&width=10&height=10"):
            answer = client.get(path)
            assert (answer.headers["content-type"], answer.content[:4]) == ("image/png", b"\x89PNG")
        assert client.get(thumb, headers={"X-Plex-Token": "wrong"}).status_code == 401
