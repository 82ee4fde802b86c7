"""Profiles from exstream.yaml, merged over the shipped ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from exstream.config import values
from exstream.ffmpeg.copying import copying
from exstream.model.channel import COPY, Profile
from exstream.model.grid import Rate
from exstream.model.profiles import SHIPPED

RATES = (
    Rate(24_000, 1_001),
    Rate(24),
    Rate(25),
    Rate(30_000, 1_001),
    Rate(30),
    Rate(50),
    Rate(60_000, 1_001),
    Rate(60),
)
_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
_NAME_LENGTH = 32


def shipped() -> Mapping[str, Profile]:
    """Return the shipped profiles by name."""
    return MappingProxyType({profile.name: profile for profile in SHIPPED})


def _even(least: int, most: int) -> values.Reader[int]:
    number = values.whole(least, most)

    def read(value: object, folder: Path) -> int:
        found = number(value, folder)
        if found % 2:
            raise values.Unfit(f"must be even, not {found}")
        return found

    return read


def _rate(value: object, _folder: Path) -> Rate:
    written = str(value).replace(" ", "")
    for rate in RATES:
        if written == str(rate):
            return rate
    known = ", ".join(map(str, RATES))
    raise values.Unfit(f"must be an exact picture rate, one of {known}, not {values.quoted(value)}")


def _languages(value: object, _folder: Path) -> tuple[str, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(_is_language(word) for word in words):
        raise values.Unfit(
            f"must be a list of three-letter codes such as [deu, eng], not {values.quoted(value)}"
        )
    return tuple(words)


def _is_language(word: object) -> bool:
    return isinstance(word, str) and len(word) == 3 and word.isascii() and word.isalpha() and word.islower()


def _loudness(value: object, folder: Path) -> float | None:
    return None if value is None else values.decimal(-40, -5)(value, folder)


_FIELDS: Mapping[str, values.Reader[Any]] = {
    "width": _even(64, 4_096),
    "height": _even(64, 2_304),
    "rate": _rate,
    "video_kbps": values.whole(100, 100_000),
    "max_kbps": values.whole(100, 200_000),
    "audio_kbps": values.whole(32, 640),
    "preset": values.choice(*_PRESETS),
    "languages": _languages,
    "loudness": _loudness,
    "copy": values.switch,
}
_REQUIRED = tuple(
    each.name for each in fields(Profile) if each.default is MISSING and each.name not in {"name", "max_kbps"}
)


def merge(written: object, say: Callable[[str], None]) -> Mapping[str, Profile]:
    """Return the shipped profiles with what was ``written`` under ``profiles:`` over them.

    Each fault is given to ``say`` as a sentence; a faulty profile is left out.
    """
    found = dict(shipped())
    if not isinstance(written, Mapping):
        say(f"profiles must be a list of names with their fields beneath, not {values.quoted(written)}")
        return MappingProxyType(found)
    for key, described in written.items():
        name = str(key)
        faults: list[str] = []
        profile = _profile(name, described, found.get(name), faults.append)
        if profile is not None:
            found[name] = profile
        for fault in faults:
            say(f"profiles: {name}: {fault}")
    return MappingProxyType(found)


def _profile(
    name: str, described: object, before: Profile | None, say: Callable[[str], None]
) -> Profile | None:
    if complaint := _unfit_name(name):
        say(complaint)
        return None
    if not isinstance(described, Mapping):
        say(f"must have fields such as width and height, not {values.quoted(described)}")
        return None
    faults: list[str] = []
    chosen: dict[str, Any] = {} if before is None else _fields_of(before)
    for key, value in described.items():
        read = _FIELDS.get(key)
        if read is None:
            faults.append(f"has no field {values.quoted(key)}{values.nearest(str(key), _FIELDS)}")
            continue
        try:
            chosen[key] = read(value, Path())
        except values.Unfit as error:
            faults.append(f"{key} {error}")
    missing = [field for field in _REQUIRED if field not in chosen and field not in described]
    if missing:
        faults.append(f"is new and needs {', '.join(missing)}")
    if not faults:
        chosen = {"max_kbps": chosen["video_kbps"] * 7 // 6, **chosen}
        if chosen["max_kbps"] < chosen["video_kbps"]:
            faults.append(f"max_kbps must not be below video_kbps ({chosen['video_kbps']})")
    for fault in faults:
        say(fault)
    return None if faults else _made(Profile(name=name, **chosen))


def _unfit_name(name: str) -> str:
    """Return what is wrong with a profile's name, nothing if it can be used."""
    if not name.isprintable() or not 0 < len(name) <= _NAME_LENGTH:
        return f"a profile's name has 1 to {_NAME_LENGTH} printable characters"
    if name == COPY:
        return "channels of this profile are sent in the format of their items: choose another name"
    return ""


def _made(profile: Profile) -> Profile:
    return copying(profile) if profile.copy else profile


def _fields_of(profile: Profile) -> dict[str, Any]:
    return {name: getattr(profile, name) for name in _FIELDS}
