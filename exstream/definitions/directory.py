"""A folder of definitions: what is on air although some of them are broken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from exstream.definitions.document import MAX_BYTES
from exstream.definitions.schema import Report, Written, read_definition
from exstream.model.channel import ChannelDefinition, ChannelId, number_order

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Definitions:
    """The channels, and everything that is wrong with their files."""

    channels: tuple[ChannelDefinition, ...] = ()
    """Usable definitions in the order of their numbers, also those that are not enabled."""
    faults: tuple[str, ...] = ()
    """One sentence each, beginning with file and line."""
    files: Mapping[str, ChannelDefinition] = field(default_factory=dict)
    """The same channels by file name: the last good ones for the next time."""


def load_directory(
    path: Path,
    profiles: Collection[str],
    last_good: Mapping[str, ChannelDefinition],
    timezone: str = "UTC",
) -> Definitions:
    """Read every ``*.yaml`` and ``*.yml`` in ``path``; faults are reported, never raised.

    ``last_good`` is the ``files`` of an earlier result: a file with a fault keeps its definition of then. Where two
    files claim one id or one number, the one that had it before keeps it, else the first by name. ``timezone`` is
    for channels that name none.
    """
    try:
        names = sorted(entry.name for entry in path.iterdir() if _is_definition(entry.name))
    except OSError as error:
        fault = f"{path}: the folder of definitions cannot be read: {error.strerror or error}"
        return _result(dict(last_good), [fault])
    faults: list[str] = []
    written: dict[str, Written] = {}
    for name in names:
        report = Report()
        definition = _read_file(path / name, profiles, timezone, report)
        if definition is not None:
            written[name] = definition
        faults += (f"{name}:{line}: {sentence}" for line, sentence in sorted(report.faults))
    files = _settled(names, written, last_good, faults)
    return _result(files, faults)


def _read_file(path: Path, profiles: Collection[str], timezone: str, report: Report) -> Written | None:
    try:
        if not S_ISREG(path.stat().st_mode):
            report.add(1, "this is not a file")
            return None
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        report.add(1, f"the file cannot be read: {error.strerror or error}")
        return None
    written = read_definition(content, path.stem, profiles, timezone, report)
    if written is not None and (logo := written.definition.logo) and "://" not in logo:
        if (path.parent / logo).is_file():
            return written
        report.add(written.lines["logo"], f"there is no file '{logo}' beside this one")
        return None
    return written


def _settled(
    names: list[str],
    written: Mapping[str, Written],
    last_good: Mapping[str, ChannelDefinition],
    faults: list[str],
) -> dict[str, ChannelDefinition]:
    """Decide which file has which id and number."""
    claims = _Claims()
    files: dict[str, ChannelDefinition] = {}
    for name, definition in _by_claim(names, written, last_good):
        clash = claims.clash(definition)
        if clash is None:
            claims.take(name, definition)
            files[name] = definition
            continue
        what, value, owner = clash
        if name in written:
            line = written[name].lines.get(what, 1)
            faults.append(f"{name}:{line}: the {what} '{value}' is taken by {owner}; choose another one")
            former = last_good.get(name)
            if former is not None and claims.clash(former) is None:
                claims.take(name, former)
                files[name] = former
        else:
            faults.append(f"{name}:1: its last good {what} '{value}' is now taken by {owner}: not on air")
    return files


def _by_claim(
    names: list[str], written: Mapping[str, Written], last_good: Mapping[str, ChannelDefinition]
) -> Iterator[tuple[str, ChannelDefinition]]:
    """Yield each file's definition, those first that keep the id and the number they have had."""
    newcomers: list[tuple[str, ChannelDefinition]] = []
    for name in names:
        former = last_good.get(name)
        if name not in written:
            if former is not None:
                yield name, former
            continue
        definition = written[name].definition
        kept = former is not None and (former.id, former.number) == (definition.id, definition.number)
        if kept:
            yield name, definition
        else:
            newcomers.append((name, definition))
    yield from newcomers


class _Claims:
    """Who has which id and number. A channel that is not enabled may wait for a number that is in use."""

    def __init__(self) -> None:
        self._ids: dict[ChannelId, str] = {}
        self._numbers: dict[tuple[int, int], str] = {}

    def clash(self, definition: ChannelDefinition) -> tuple[str, str, str] | None:
        """Return what is taken already, its value and the file that has it."""
        if definition.id in self._ids:
            return "id", definition.id, self._ids[definition.id]
        owner = self._numbers.get(number_order(definition.number)) if definition.enabled else None
        return ("number", definition.number, owner) if owner is not None else None

    def take(self, name: str, definition: ChannelDefinition) -> None:
        self._ids[definition.id] = name
        if definition.enabled:
            self._numbers[number_order(definition.number)] = name


def _result(files: dict[str, ChannelDefinition], faults: list[str]) -> Definitions:
    channels = sorted(
        files.values(), key=lambda definition: (*number_order(definition.number), definition.id)
    )
    return Definitions(tuple(channels), tuple(faults), files)


def _is_definition(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith(".")
