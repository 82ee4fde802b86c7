"""What a written value may be: readers that turn text or YAML into a setting, or say in a sentence what is expected.

A reader takes the raw value and the folder that relative paths start from, and raises Unfit with the rest of a sentence
that begins with the setting's name. No reader of a secret quotes the value.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from reprlib import Repr
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
Reader = Callable[[object, Path], T]

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_DATABASES = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


class Unfit(ValueError):
    """A written value cannot be used; the text says what is expected."""


_quoting = Repr()
_quoting.maxstring = _quoting.maxlong = _quoting.maxother = 60


_NOT_OF_ADDRESSES = "@?#"
"""What goes before the name of a machine, and behind the path."""


def quoted(value: object) -> str:
    """Return ``value`` as it is shown in a sentence: short, however large or deep it is."""
    match value:
        case Mapping():
            return "fields of its own"
        case list() | tuple() | set():
            return "a list"
        case _:
            return _quoting.repr(value)


def nearest(name: str, known: Collection[str], prefix: str = "") -> str:
    """Return ``": did you mean X?"``, or nothing when no known name is like ``name``.

    ``prefix`` stands before every name and counts for no likeness.
    """
    close = get_close_matches(name.removeprefix(prefix), sorted(known), n=1, cutoff=0.6)
    return f": did you mean {prefix}{close[0]}?" if close else ""


def text(longest: int = 200) -> Reader[str]:
    """Read one line of at most ``longest`` characters."""

    def read(value: object, _folder: Path) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unfit(f"must be text, not {quoted(value)}")
        line = str(value).strip()
        if len(line) > longest or not line.isprintable():
            raise Unfit(f"must be one line of at most {longest} printable characters")
        return line

    return read


def secret(value: object, _folder: Path) -> str:
    """Read a token: a word without white space."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit("must be text")
    word = str(value).strip()
    if not word.isprintable() or len(word.split()) > 1:
        raise Unfit("must be one word without white space")
    return word


def whole(least: int, most: int) -> Reader[int]:
    """Read a whole number from ``least`` to ``most``."""

    def read(value: object, _folder: Path) -> int:
        number = _number(value, int)
        if number is None or not least <= number <= most:
            raise Unfit(f"must be a whole number from {least} to {most}, not {quoted(value)}")
        return number

    return read


def decimal(least: float, most: float) -> Reader[float]:
    """Read a number from ``least`` to ``most``."""

    def read(value: object, _folder: Path) -> float:
        number = _number(value, float)
        if number is None or not least <= number <= most:
            raise Unfit(f"must be a number from {least:g} to {most:g}, not {quoted(value)}")
        return number

    return read


def _number(value: object, kind: Callable[[str | int | float], T]) -> T | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if kind is int and isinstance(value, float):
        return None
    try:
        return kind(value)
    except ValueError:
        return None


def switch(value: object, _folder: Path) -> bool:
    """Read yes or no."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Unfit(f"must be true or false, not {quoted(value)}")


def choice(*words: str) -> Reader[str]:
    """Read one of ``words``, in capitals or not."""

    def read(value: object, _folder: Path) -> str:
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in words:
            hint = nearest(word, words)
            raise Unfit(f"must be one of {', '.join(words)}, not {quoted(value)}{hint}")
        return word

    return read


def path(value: object, folder: Path) -> Path:
    """Read a path; a relative one starts at ``folder``, ``~`` is the home directory."""
    if isinstance(value, Path):
        return folder / value
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise Unfit(f"must be a path, not {quoted(value)}")
    try:
        return folder / Path(value.strip()).expanduser()
    except RuntimeError as error:
        raise Unfit(
            f"is {quoted(value)}, but there is no such home directory: write the whole path"
        ) from error


def program(value: object, folder: Path) -> Path:
    """Read a program: a path, or a bare name to be looked up in ``PATH`` when it is started."""
    if isinstance(value, str) and value.strip() and not {"/", "\\", "~"} & set(value):
        return Path(value.strip())
    return path(value, folder)


def address(value: object, _folder: Path) -> str:
    """Read an address to listen on."""
    word = value.strip() if isinstance(value, str) else ""
    if word == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(word))
    except ValueError as error:
        raise Unfit(
            f"must be an address of this machine such as 0.0.0.0 (all) or 127.0.0.1 (only itself), not {quoted(value)}"
        ) from error


def networks(value: object, _folder: Path) -> tuple[str, ...]:
    """Read addresses and networks, as a list or separated by commas."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        raise Unfit(f"must be a list of addresses or networks, not {quoted(value)}")
    found = []
    for word in words:
        try:
            found.append(str(ipaddress.ip_network(word.strip() if isinstance(word, str) else "")))
        except ValueError as error:
            raise Unfit(
                f"must hold addresses or networks such as 192.168.1.2 or 10.0.0.0/8, not {quoted(word)}"
            ) from error
    return tuple(found)


def web_address(value: object, _folder: Path) -> str:
    """Read the address of a server, without a slash at its end. One that holds a password or a token is not shown."""
    word = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(word)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or half an IPv6 address
        sound = False
    if any(mark in word for mark in _NOT_OF_ADDRESSES):
        raise Unfit("must be the address alone, as http://192.168.1.5:8080: no name, password or token in it")
    if not sound or not word.isprintable() or " " in word:
        raise Unfit(f"must be an address with http:// or https:// before it, not {quoted(value)}")
    return word.rstrip("/")


def database(value: object, folder: Path) -> str:
    """Read a database's URL; the drivers' names may be left out, and a SQLite file's path may be relative."""
    scheme, mark, rest = value.strip().partition("://") if isinstance(value, str) else ("", "", "")
    driver = _DATABASES.get(scheme.lower())
    if not mark or driver is None:
        raise Unfit("must begin with postgresql+asyncpg:// or sqlite+aiosqlite:///")
    if driver.startswith("postgresql"):
        return f"{driver}://{rest}"
    file, question, options = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or not file or file == ":memory:":
        raise Unfit("must name the file of a SQLite database, as in sqlite+aiosqlite:////var/lib/exstream.db")
    return f"{driver}:///{folder / file}{question}{options}"


def timezone(value: object, _folder: Path) -> str:
    """Read the name of a time zone."""
    import zoneinfo

    word = value.strip() if isinstance(value, str) else ""
    try:
        zoneinfo.ZoneInfo(word)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = nearest(word, zoneinfo.available_timezones())
        raise Unfit(
            f"must be the name of a time zone such as Europe/Zurich, not {quoted(value)}{hint}"
        ) from error
    return word
