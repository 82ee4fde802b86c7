"""Tokens in what Plex servers keep of themselves, and the places where they keep it."""

from __future__ import annotations

import json
import os
import plistlib
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream.errors import ConfigurationError
from exstream.plex.nearby import LARGEST_FILE, look_nearby, read_file
from exstream.plex.preferences import LONGEST_TOKEN, places, read_preferences, token_of

CANARY = "canary-4kQzL9xWmT"
XML = (
    '<?xml version="1.0" encoding="utf-8"?>\n<Preferences OldestPreviousVersion="1.25.0" FriendlyName="Döner &amp; '
    f'Film" ProcessedMachineIdentifier="abc123" PlexOnlineToken="{CANARY}" PlexOnlineUsername="ada" '
    'customConnections="http://tower:32400/, https://plex.example.org,ftp://no" secureConnections="1"/>'
)
EXPORT = (
    "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Other]\r\n"
    '"PlexOnlineToken"="not-this-one"\r\n\r\n[HKEY_CURRENT_USER\\Software\\Plex, Inc.\\Plex Media Server]\r\n'
    '"FriendlyName"="C:\\\\Films \\"here\\""\r\n"ButlerStart"=dword:00000002\r\n'
    f'"PlexOnlineToken"="{CANARY}"\r\n"ProcessedMachineIdentifier"="abc123"\r\n'
)
QUERY = (
    "\r\nHKEY_CURRENT_USER\\Software\\Plex, Inc.\\Plex Media Server\r\n"
    f"    FriendlyName    REG_SZ    My tower\r\n    PlexOnlineToken    REG_SZ    {CANARY}\r\n"
)


def test_preferences_xml_tells_token_server_and_addresses() -> None:
    """The token, the identifier, the names and the server's own addresses are attributes of the file."""
    found = read_preferences(XML.encode())
    assert found is not None
    assert (found.token, found.machine, found.name, found.user) == (CANARY, "abc123", "Döner & Film", "ada")
    assert found.addresses == ("http://tower:32400", "https://plex.example.org")
    assert CANARY not in repr(found)


@pytest.mark.parametrize(
    "content",
    [
        XML.encode("utf-8-sig"),
        XML.replace("utf-8", "utf-16").encode("utf-16"),
        XML.replace("1.25.0", "1.25\x02.0").encode(),
        EXPORT.encode("utf-16"),
        EXPORT.encode("utf-16-le"),
        EXPORT.encode(),
        EXPORT.replace("\r\n", "\n").encode("utf-8-sig"),
        QUERY.encode(),
        plistlib.dumps({"PlexOnlineToken": CANARY, "ButlerStart": 2}),
        plistlib.dumps({"PlexOnlineToken": CANARY}, fmt=plistlib.FMT_BINARY),
        json.dumps({"plex": {"base_url": "http://tower:32400", "token": CANARY}}).encode(),
        json.dumps([{"X-Plex-Token": CANARY}]).encode(),
        json.dumps({"token": "another", "PlexOnlineToken": CANARY}).encode(),
    ],
)
def test_every_form_of_the_file_gives_the_token(content: bytes) -> None:
    """Preferences.xml, exports of the registry in any encoding, `reg query`, property lists and JSON are understood."""
    found = read_preferences(content)
    assert found is not None
    assert found.token == CANARY


def test_an_export_is_unescaped_and_only_plex_is_read() -> None:
    """Backslashes and quotes are undone; a value of the same name under another key is left alone."""
    found = read_preferences(EXPORT.encode("utf-16"))
    assert found is not None
    assert (found.token, found.name, found.machine) == (CANARY, 'C:\\Films "here"', "abc123")


@pytest.mark.parametrize(
    "content",
    [
        b'<Preferences FriendlyName="x"/>',
        b'<Preferences PlexOnlineToken=""/>',
        b'{"a": 1}',
        b'{"token": 7}',
    ],
)
def test_a_server_without_account_has_no_token(content: bytes) -> None:
    """A sound file without a token is no fault: the server was never claimed."""
    assert read_preferences(content) is None


BOMB = b'<!DOCTYPE x [<!ENTITY a "canary-4kQzL9xWmT"><!ENTITY b "&a;&a;&a;">]><Preferences PlexOnlineToken="&b;"/>'


@pytest.mark.parametrize(
    "content",
    [
        XML.encode()[:-20],
        BOMB,
        b'<?xml version="1.0"?><html><body>' + CANARY.encode() + b"</body></html>",
        b'{"token": "' + CANARY.encode(),
        b"bplist00" + CANARY.encode(),
        b"<plist><dict><key>a</key><date>x</date></dict></plist>",
        b"[" * 100_000,
        b"",
        b"\xff\xfe\x00",
        b"token: " + CANARY.encode(),
        b'<Preferences PlexOnlineToken="two words"/>',
        b'<Preferences PlexOnlineToken="line&#10;X-Evil: 1"/>',
        ('<Preferences PlexOnlineToken="' + "x" * (LONGEST_TOKEN + 1) + '"/>').encode(),
    ],
)
def test_what_is_no_such_file_is_told_without_its_content(content: bytes) -> None:
    """Half a file, a page, an entity bomb or a token with a line break is refused, and nothing of it is quoted."""
    with pytest.raises(ConfigurationError) as refused:
        read_preferences(content)
    assert CANARY not in str(refused.value)
    assert refused.value.__cause__ is None


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """Whatever the bytes are, there is a token that can stand in a header, none, or a refusal."""
    try:
        found = read_preferences(content)
    except ConfigurationError:
        return
    assert found is None or token_of(found.token) == found.token


def test_a_token_is_trimmed_and_checked() -> None:
    """Quotes and line ends of a copied token go; what cannot stand in a header is refused without being quoted."""
    assert token_of(f' "{CANARY}"\n') == CANARY
    for text in ("", "a b", "a\nb", "tokén", "x" * (LONGEST_TOKEN + 1)):
        with pytest.raises(ConfigurationError) as refused:
            token_of(text)
        assert text not in str(refused.value) or not text


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        (
            "linux",
            "/var/lib/plexmediaserver/Library/Application Support/Plex Media Server/Preferences.xml",
        ),
        ("linux", "/config/Library/Application Support/Plex Media Server/Preferences.xml"),
        (
            "linux",
            "/var/snap/plexmediaserver/common/Library/Application Support/Plex Media Server/Preferences.xml",
        ),
        ("linux", "/volume*/PlexMediaServer/AppData/Plex Media Server/Preferences.xml"),
        ("linux", "/share/*/.qpkg/PlexMediaServer/Library/Plex Media Server/Preferences.xml"),
        ("linux", "/home/ada/Library/Application Support/Plex Media Server/Preferences.xml"),
        ("freebsd14", "/usr/local/plexdata/Plex Media Server/Preferences.xml"),
        ("darwin", "/home/ada/Library/Application Support/Plex Media Server/Preferences.xml"),
        ("darwin", "/home/ada/Library/Preferences/com.plexapp.plexmediaserver.plist"),
    ],
)
def test_every_platform_has_its_places(platform: str, wanted: str) -> None:
    """The packages, snaps, network storages, containers, FreeBSD and macOS each have their folder."""
    assert wanted in places(platform, {}, PurePosixPath("/home/ada"))


def test_windows_and_a_folder_of_ones_own() -> None:
    """Windows has its folder and an export of the registry; the server's own variable names the first place to look."""
    found = places("win32", {"LOCALAPPDATA": "D:\\Local"}, PureWindowsPath("C:\\Users\\ada"))
    assert found == ["D:\\Local\\Plex Media Server\\Preferences.xml", "C:\\Users\\ada\\plex.reg"]
    named = {"PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR": "/data/plex"}
    for platform in ("linux", "darwin", "freebsd14"):
        assert (
            places(platform, named, PurePosixPath("/root"))[0]
            == "/data/plex/Plex Media Server/Preferences.xml"
        )


def _kept(root: Path, folder: str, content: str = XML) -> Path:
    path = root / folder / "Plex Media Server" / "Preferences.xml"
    path.parent.mkdir(parents=True)
    path.write_text(content, "utf-8")
    return path


def test_the_disk_is_searched(tmp_path: Path) -> None:
    """Files at known places are found, patterns included, each token once; an unclaimed server is told."""
    first = _kept(tmp_path, "var/lib/plexmediaserver/Library/Application Support")
    second = _kept(tmp_path, "volume3/PlexMediaServer/AppData", XML.replace(CANARY, "another"))
    _kept(tmp_path, "config/Library/Application Support")
    empty = _kept(tmp_path, "srv/plex/Library/Application Support", "<Preferences/>")
    nearby = look_nearby({}, platform="linux", home=Path("/nobody"), root=tmp_path)
    assert [(path, found.token) for path, found in nearby.found] == [(first, CANARY), (second, "another")]
    assert nearby.faults == (f"{empty} holds no token: its server is not signed in to an account",)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A folder, a pipe that would never answer, a file that is too large and a broken one each become a sentence."""
    folder = tmp_path / "folder.xml"
    folder.mkdir()
    pipe = tmp_path / "pipe.xml"
    os.mkfifo(pipe)
    large = tmp_path / "large.xml"
    large.write_bytes(b"<" + b" " * LARGEST_FILE)
    broken = tmp_path / "broken.xml"
    broken.write_text(XML[:-9])
    for path, why in (
        (folder, "no file"),
        (pipe, "no file"),
        (large, "1024 KiB"),
        (broken, "no readable XML"),
    ):
        with pytest.raises(ConfigurationError, match=why) as refused:
            read_file(path)
        assert str(path) in str(refused.value)
        assert CANARY not in str(refused.value)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none.xml")


def test_a_file_of_another_user_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plex's own user keeps its file to itself: the sentence says how to go on."""
    path = _kept(tmp_path, "config")

    def refused(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    nearby = look_nearby({}, platform="linux", home=Path("/nobody"), root=tmp_path)
    assert nearby.found == ()
    [fault] = nearby.faults
    assert fault.startswith(f"{path} may not be read by this user: copy it as root")
    assert "--from" in fault
    assert "exstream plex login" in fault
