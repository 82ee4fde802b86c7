"""The order of precedence: command line, environment, ``.env``, exstream.yaml, default; every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exstream.config.places import (
    Place,
    Written,
    dotenv_place,
    environment_place,
    known,
    read_text,
    yaml_place,
)
from exstream.config.profiles import merge
from exstream.config.settings import OPTIONS, Option, Settings
from exstream.config.values import Unfit
from exstream.errors import ConfigurationError

DEFAULT = "default"
_FILE = "_file"
_LOCATING = ("data_dir", "config")
_IN_FILES = frozenset(OPTIONS) | {name + _FILE for name, option in OPTIONS.items() if option.secret}
_IN_ENVIRONMENT = _IN_FILES - {name for name, option in OPTIONS.items() if not option.environment}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, in words where each one comes from, and what looks like a mistake but does no harm."""

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...]


def load(
    overrides: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Configuration:
    """Read the settings.

    ``overrides`` are the command line's, by setting name, None where an option was not given. ``environment`` is the
    process's and ``folder`` its working directory by default. Raises ConfigurationError with one line per fault.
    """
    import os

    search = _Search(os.environ if environment is None else environment, folder or Path.cwd())
    given = {
        name: Written(value, name, "--" + name.replace("_", "-"), search.folder)
        for name, value in (overrides or {}).items()
        if value is not None
    }
    places = search.places(given)
    chosen, origins = _choose(places, search.faults)
    _check_together(chosen, origins, search.faults)
    if search.faults:
        raise ConfigurationError("\n".join(dict.fromkeys(search.faults)))
    return Configuration(Settings(**chosen), origins, tuple(search.warnings))


class _Search:
    """Finds the places of settings: where the files lie is itself a setting."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.faults: list[str] = []
        self.warnings: list[str] = []

    def places(self, given: Place) -> list[Place]:
        """Return all places, the strongest first."""
        environment = environment_place(self.environment, self.folder)
        places = [given, known(environment, _IN_ENVIRONMENT, self.warnings.append)]
        places.append(self._dotenv(self.folder))
        config = self._path("config", places)
        last = [] if config is None else [self._yaml(config)]
        if config is not None and not config.is_file():
            self.faults.append(f"{_place('config', places)}: there is no file {config}")
        data_dir = self._path("data_dir", [*places, *last]) or self._default_data_dir()
        if data_dir.resolve() != self.folder.resolve():
            places.append(self._refuse(_LOCATING, self._dotenv(data_dir)))
        if config is None:
            last = [self._refuse(_LOCATING, self._yaml(data_dir / "exstream.yaml"))]
        else:
            self._refuse(("config",), last[0])
        return places + last

    def _dotenv(self, folder: Path) -> Place:
        written = dotenv_place(folder / ".env", self.faults.append)
        return known(written, _IN_ENVIRONMENT, self.warnings.append)

    def _yaml(self, path: Path) -> Place:
        return known(yaml_place(path, self.faults.append), _IN_FILES, self.warnings.append)

    def _path(self, name: str, places: list[Place]) -> Path | None:
        for place in places:
            if name in place:
                found = _read(OPTIONS[name], place[name], self.faults)
                return found if isinstance(found, Path) else None
        return None

    def _refuse(self, names: tuple[str, ...], place: Place) -> Place:
        for name in names:
            if name in place:
                self.faults.append(
                    f"{place[name].place}: {name} is needed to find this file: set it in the environment"
                )
        return place

    def _default_data_dir(self) -> Path:
        try:
            return Settings().data_dir
        except RuntimeError as error:
            raise ConfigurationError(
                "there is no home directory for the data: set EXSTREAM_DATA_DIR to a folder that may be written"
            ) from error


def _place(name: str, places: list[Place]) -> str:
    return next(place[name].place for place in places if name in place)


def _choose(places: list[Place], faults: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    chosen: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for option in OPTIONS.values():
        origins[option.name] = DEFAULT
        written = _strongest(option, places, faults)
        if written is None:
            continue
        origins[option.name] = written.place
        if option.read is None:
            chosen[option.name] = merge(written.value, _at(written.place, faults))
        else:
            chosen[option.name] = _read(option, written, faults)
    return chosen, origins


def _at(place: str, faults: list[str]) -> Any:
    return lambda fault: faults.append(f"{place}: {fault}")


def _strongest(option: Option, places: list[Place], faults: list[str]) -> Written | None:
    for place in places:
        written, named = place.get(option.name), place.get(option.name + _FILE) if option.secret else None
        if written is not None and named is not None:
            faults.append(f"{named.place}: {option.name} is set itself as well: keep one of them")
        if named is not None:
            return _content(named, faults)
        if written is not None:
            return written
    return None


def _content(named: Written, faults: list[str]) -> Written | None:
    """Return the content of the file that a ``*_FILE`` variant names."""
    if not isinstance(named.value, str):
        faults.append(f"{named.place}: must be the path of a file")
        return None
    path = named.folder / named.value.strip()
    before = len(faults)
    content = read_text(path, lambda fault: faults.append(f"{named.place}: {fault}"))
    if content is None or not content.strip():
        if len(faults) == before:
            state = "there is no file" if content is None else "nothing is written in"
            faults.append(f"{named.place}: {state} {path}")
        return None
    return Written(content.strip(), named.name, f"{path}, named by {named.place}", named.folder)


def _read(option: Option, written: Written, faults: list[str]) -> object:
    if option.read is None:
        return None
    try:
        return option.read(written.value, written.folder)
    except Unfit as error:
        faults.append(f"{written.place}: {option.name} {error}")
        return None


def _check_together(chosen: Mapping[str, Any], origins: Mapping[str, str], faults: list[str]) -> None:
    defaults = {name: int(OPTIONS[name].default) for name in ("iptv_port", "hdhr_port")}
    iptv, hdhr = (chosen.get(name, default) for name, default in defaults.items())
    if iptv and iptv == hdhr:
        place = origins["hdhr_port"] if origins["hdhr_port"] != DEFAULT else origins["iptv_port"]
        faults.append(f"{place}: iptv_port and hdhr_port are both {iptv}: give each a port of its own")
