"""Where a token comes from when a server is added: a file, the settings, a server nearby, or whoever types it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from exstream.cli.outcome import say
from exstream.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exstream.plex.preferences import Preferences

DEFAULT_URL = "http://127.0.0.1:32400"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

WAYS = """\
`exstream plex login` signs in with a browser and needs no token. These are the three ways to find one by hand:
1. Open Plex in a browser (http://SERVER:32400/web), press F12, choose Network, reload the page, click a request to the
   server: its request headers have X-Plex-Token.
2. On the same page, in the browser's console, write localStorage.getItem('myPlexAccessToken').
3. On the server's machine, open Preferences.xml in the folder "Plex Media Server": PlexOnlineToken is the token. On
   Windows it is in the registry, at HKEY_CURRENT_USER\\Software\\Plex, Inc.\\Plex Media Server.
A token is a password: show it to nobody."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the command line and the settings say of the token."""

    argument: str = ""
    token_file: Path | None = None
    preferences_file: Path | None = None
    setting: str = ""


def given_token(written: Written) -> str:
    """Return the token that was given, "" where none was; raises ConfigurationError where it cannot be used."""
    from exstream.plex.preferences import token_of

    named = [written.argument, written.token_file, written.preferences_file]
    if sum(bool(each) for each in named) > 1:
        raise ConfigurationError("--plex-token, --token-file and --from each name a token: give one of them")
    if written.argument:
        say(
            "exstream: warning: a token on the command line can be read by everyone on this machine, and stays in the"
            " history of the shell: use PLEX_TOKEN, --token-file or the prompt instead"
        )
        return token_of(written.argument)
    if written.token_file is not None:
        return token_of(_content(written.token_file))
    if written.preferences_file is not None:
        return _preferences(written.preferences_file).token
    return token_of(written.setting) if written.setting else ""


def _content(path: Path) -> str:
    from exstream.plex.preferences import LONGEST_TOKEN

    try:
        if not path.is_file():
            raise ConfigurationError(f"there is no file {path}: write the token into one, and name it")
        with path.open("rb") as file:
            return file.read(LONGEST_TOKEN + 2).decode("utf-8-sig", "replace")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from None


def _preferences(path: Path) -> Preferences:
    from exstream.plex.nearby import read_file

    try:
        found = read_file(path)
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}: name the Preferences.xml of a server") from None
    if found is None:
        raise ConfigurationError(f"{path} holds no token: its server is not signed in to an account")
    return found


def nearby_token(found: Sequence[tuple[Path, Preferences]], machine: str, url: str) -> str:
    """Return the token, of those ``found`` on this machine, that belongs to the server ``machine`` at ``url``.

    A token is shown to its own server only: a file that does not name one counts for an address of this machine.
    """
    here = urlsplit(url).hostname in _LOOPBACK
    for path, preferences in found:
        if preferences.machine == machine or (not preferences.machine and here):
            say(f"exstream: taking the token of {path}")
            return preferences.token
    return ""


def typed_token() -> str:
    """Return what the user types after the three ways were shown; raises ConfigurationError where nobody can."""
    from exstream.plex.preferences import token_of

    say(WAYS)
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "there is no token: set PLEX_TOKEN, name a file with --token-file, or sign in with `exstream plex login`"
        )
    import getpass

    try:
        return token_of(getpass.getpass("Token (it is not shown): "))
    except EOFError:
        raise ConfigurationError("no token was given") from None
