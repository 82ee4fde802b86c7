"""What a Plex server on this machine keeps of itself: where such files lie, and the token in their text.

Everything here is a function of what it is given; `exstream.plex.nearby` looks at the disk.
"""

from __future__ import annotations

import json
import plistlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from exstream.errors import ConfigurationError

TOKEN = "PlexOnlineToken"  # noqa: S105 -- the name of the value, not the value
LONGEST_TOKEN = 4_096
"""Characters. A classic token has 20, a signed one about a thousand."""

_FOLDER = "Plex Media Server"
_FILE = "Preferences.xml"
_SUPPORT = "Library/Application Support"
_SUPPORT_VARIABLE = "PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR"
_MAC_FILE = "Library/Preferences/com.plexapp.plexmediaserver.plist"
_REGISTRY_KEY = re.compile(r"^\s*\[?(?P<key>HKEY_[^\]\r\n]+?)\]?\s*$")
_REGISTRY_VALUE = re.compile(r'^\s*"(?P<name>(?:[^"\\]|\\.)*)"="(?P<value>(?:[^"\\]|\\.)*)"\s*$')
_QUERIED_VALUE = re.compile(r"^\s+(?P<name>\w+)\s+REG_SZ\s+(?P<value>\S.*?)\s*$")
_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_TOKEN_NAMES = ("plexonlinetoken", "xplextoken", "plextoken", "myplexaccesstoken", "authtoken", "token")
_ADDRESS_NAMES = ("plexbaseurl", "plexurl", "baseurl", "serverurl", "url")

_LINUX = (
    f"/var/lib/plexmediaserver/{_SUPPORT}/{_FOLDER}",  # Debian, Ubuntu, Fedora, CentOS
    f"/var/snap/plexmediaserver/common/{_SUPPORT}/{_FOLDER}",
    f"/var/lib/plex/{_FOLDER}",  # Arch, NixOS
    f"/config/{_SUPPORT}/{_FOLDER}",  # inside the containers of Plex and of LinuxServer.io
    f"/config/{_FOLDER}",  # inside those of binhex and hotio
    f"/volume*/PlexMediaServer/AppData/{_FOLDER}",  # Synology, DSM 7
    f"/volume*/Plex/{_SUPPORT}/{_FOLDER}",  # Synology, DSM 6
    f"/volume*/Plex/Library/{_FOLDER}",  # Asustor
    f"/share/*/.qpkg/PlexMediaServer/Library/{_FOLDER}",  # QNAP
    f"/apps/plexmediaserver*/MediaLibrary/{_FOLDER}",  # ReadyNAS
    f"/mnt/HD/HD_a2/plex_conf/{_FOLDER}",  # My Cloud
    f"/home/plex/{_SUPPORT}/{_FOLDER}",  # TerraMaster
    f"/mnt/user/appdata/*/{_SUPPORT}/{_FOLDER}",  # Unraid
    f"/mnt/user/appdata/*/{_FOLDER}",
    f"/opt/plex/*/{_SUPPORT}/{_FOLDER}",  # customary folders of a container's /config
    f"/opt/plex/{_SUPPORT}/{_FOLDER}",
    f"/opt/appdata/plex/{_SUPPORT}/{_FOLDER}",
    f"/srv/plex/{_SUPPORT}/{_FOLDER}",
    f"/srv/plex/*/{_SUPPORT}/{_FOLDER}",
)
_FREEBSD = (
    f"/usr/local/plexdata/{_FOLDER}",
    f"/usr/local/plexdata-plexpass/{_FOLDER}",
    f"/Plex Media Server/{_FOLDER}",
    f"/config/{_FOLDER}",
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a file says of a server. ``token`` is its owner's."""

    token: str = field(repr=False)
    machine: str = ""
    """The machine identifier, where the file says it."""
    name: str = ""
    user: str = ""
    addresses: tuple[str, ...] = ()
    """Where its owner says that it answers."""


def token_of(text: str) -> str:
    """Return ``text`` as a token; raises ConfigurationError, without quoting it, where it can be none."""
    token = text.strip().strip("\"'")
    if not token:
        raise ConfigurationError("the token is empty: copy it again")
    if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            "this is no token of Plex: it is one word of letters, digits, - and _: copy it again"
        )
    return token


def places(platform: str, environment: Mapping[str, str], home: PurePath) -> list[str]:
    """Return where the files lie on ``platform`` (as ``sys.platform`` has it), as patterns, the likeliest first."""
    if platform == "win32":
        local = environment.get("LOCALAPPDATA") or str(PureWindowsPath(home, "AppData", "Local"))
        return [str(PureWindowsPath(local, _FOLDER, _FILE)), str(PureWindowsPath(home, "plex.reg"))]
    own = [f"{home}/{_SUPPORT}/{_FOLDER}/{_FILE}"]
    named = environment.get(_SUPPORT_VARIABLE, "")
    first = [str(PurePosixPath(named, _FOLDER, _FILE))] if named else []
    if platform == "darwin":
        return [*first, f"{home}/{_MAC_FILE}", *own]
    known = _FREEBSD if platform.startswith("freebsd") else _LINUX
    return [*first, *(f"{folder}/{_FILE}" for folder in known), *own]


def read_preferences(content: bytes) -> Preferences | None:
    """Return what a server's file says: Preferences.xml, a property list, an export of the registry, or JSON.

    None where there is no token in it, as before the server was claimed; raises ConfigurationError where the content
    is none of these.
    """
    if content.startswith(b"bplist"):
        return _taken(_property_list(content))
    text = _text(content).lstrip()
    if text.startswith("<"):
        # A document may name an encoding of its own, which its characters have lost by now.
        body = re.sub(r"^<\?xml[^>]*\?>", "", text)
        return _taken(_property_list(content) if "<plist" in body[:400] else _attributes(body))
    if text.startswith(("{", "[")):
        return _from_json(text)
    values = dict(_registry(text))
    if not values:
        raise ConfigurationError(
            "it is neither Preferences.xml, nor an export of the registry, nor a property list, nor JSON"
        )
    return _taken(values)


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    if content[1:2] == b"\0":
        return content.decode("utf-16-le", "replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")


def _attributes(text: str) -> Mapping[str, str]:
    try:
        root = fromstring(_NOT_IN_XML.sub(b"", text.encode()))
    except (ParseError, DefusedXmlException, ValueError) as error:
        # The parser's own words may quote the text around the fault, and so the token.
        raise ConfigurationError(f"it is no readable XML ({type(error).__name__})") from None
    if root.tag != "Preferences":
        raise ConfigurationError("it is XML, but not the preferences of a Plex server")
    return dict(root.attrib)


def _property_list(content: bytes) -> Mapping[str, str]:
    try:
        found = plistlib.loads(content)
    except (ExpatError, ValueError, AttributeError, TypeError, LookupError, RecursionError) as error:
        raise ConfigurationError(f"it is no readable property list ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise ConfigurationError("it is a property list, but not the preferences of a Plex server")
    return {name: value for name, value in found.items() if isinstance(name, str) and isinstance(value, str)}


def _registry(text: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of Plex's key: of an export (.reg), or of what ``reg query`` prints."""
    ours = False
    for line in text.splitlines():
        if key := _REGISTRY_KEY.match(line):
            ours = key["key"].casefold().endswith("\\plex, inc.\\plex media server")
        elif ours and (value := _REGISTRY_VALUE.match(line)):
            yield _unescaped(value["name"]), _unescaped(value["value"])
        elif ours and (value := _QUERIED_VALUE.match(line)):
            yield value["name"], value["value"]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _from_json(text: str) -> Preferences | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError("it is no readable JSON") from None
    objects = list(_objects(found))
    for wanted in _TOKEN_NAMES:
        for each in objects:
            names = {_plain(name): value for name, value in each.items()}
            token = names.get(wanted)
            if isinstance(token, str) and token.strip():
                address = next((names[name] for name in _ADDRESS_NAMES if names.get(name)), "")
                machine = names.get("machineidentifier") or names.get("clientidentifier") or ""
                return Preferences(
                    token_of(token),
                    machine if isinstance(machine, str) else "",
                    addresses=_addresses(address) if isinstance(address, str) else (),
                )
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold())


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a JSON document, the outermost first."""
    waiting: list[Any] = [value]
    for each in waiting:
        if isinstance(each, dict):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _taken(values: Mapping[str, str]) -> Preferences | None:
    token = values.get(TOKEN, "").strip()
    if not token:
        return None
    return Preferences(
        token_of(token),
        values.get("ProcessedMachineIdentifier", "").strip(),
        values.get("FriendlyName", "").strip(),
        values.get("PlexOnlineUsername", "").strip(),
        _addresses(values.get("customConnections", "")),
    )


def _addresses(listed: str) -> tuple[str, ...]:
    found: Sequence[str] = [each.strip().rstrip("/") for each in listed.split(",")]
    return tuple(each for each in found if each.startswith(("http://", "https://")))
