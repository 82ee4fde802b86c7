"""A folder of definitions: what is on air although some of them are broken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from exstream.definitions.document import MAX_BYTES
from exstream.definitions.mentions import Mention
from exstream.definitions.schema import Claim, Report, read_definition
from exstream.model.channel import ChannelDefinition, ChannelId, ChannelNumber, number_order

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
    mentions: Mapping[str, tuple[Mention, ...]] = field(default_factory=dict)
    """The libraries and shows that the files select by, by file name."""


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
    written: dict[str, ChannelDefinition] = {}
    reports: dict[str, Report] = {}
    for name in names:
        report = reports[name] = Report()
        definition = _read_file(path / name, profiles, timezone, report)
        if definition is not None:
            written[name] = definition
        faults += (f"{name}:{line}: {sentence}" for line, sentence in sorted(report.faults))
    wanted = {name: report.claim for name, report in reports.items()}
    files = _settled(wanted, written, last_good, faults)
    mentions = {name: tuple(report.mentions) for name, report in reports.items() if report.mentions}
    return _result(files, faults, mentions)


def _read_file(
    path: Path, profiles: Collection[str], timezone: str, report: Report
) -> ChannelDefinition | None:
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
    logo = report.claim.logo
    if logo and "://" not in logo and not (path.parent / logo).is_file():
        report.add(report.claim.lines["logo"], f"there is no file '{logo}' beside this one")
        return None
    return written


def _settled(
    wanted: Mapping[str, Claim],
    written: Mapping[str, ChannelDefinition],
    last_good: Mapping[str, ChannelDefinition],
    faults: list[str],
) -> dict[str, ChannelDefinition]:
    """Decide which file has which id and number; all of ``wanted``, also by files with other faults, is looked at."""
    claims = _Claims()
    files: dict[str, ChannelDefinition] = {}
    for name, definition in _by_claim(list(wanted), written, last_good):
        clashes = claims.clashes(name, definition.id, _number(definition))
        if not clashes:
            claims.take(name, definition.id, _number(definition))
            files[name] = definition
        elif name in written:
            faults += _told(name, wanted[name], clashes)
            former = last_good.get(name)
            if former is not None and not claims.clashes(name, former.id, _number(former)):
                claims.take(name, former.id, _number(former))
                files[name] = former
        else:
            what, value, owner = clashes[0]
            faults.append(f"{name}:1: its last good {what} '{value}' is now taken by {owner}: not on air")
    for name, claim in wanted.items():
        if name not in written:
            faults += _told(name, claim, claims.clashes(name, claim.id, claim.number))
            claims.take(name, claim.id, claim.number)
    return files


def _told(name: str, claim: Claim, clashes: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    for what, value, owner in clashes:
        line = claim.lines.get(what, 1)
        yield f"{name}:{line}: the {what} '{value}' is taken by {owner}; choose another one"


def _number(definition: ChannelDefinition) -> ChannelNumber | None:
    """Return the number that a channel takes: one that is not enabled may wait for a number that is in use."""
    return definition.number if definition.enabled else None


def _by_claim(
    names: list[str],
    written: Mapping[str, ChannelDefinition],
    last_good: Mapping[str, ChannelDefinition],
) -> Iterator[tuple[str, ChannelDefinition]]:
    """Yield each file's definition, those first that keep the id and the number they have had."""
    newcomers: list[tuple[str, ChannelDefinition]] = []
    for name in names:
        former = last_good.get(name)
        if name not in written:
            if former is not None:
                yield name, former
            continue
        definition = written[name]
        kept = former is not None and (former.id, former.number) == (definition.id, definition.number)
        if kept:
            yield name, definition
        else:
            newcomers.append((name, definition))
    yield from newcomers


class _Claims:
    """Which file has which id and number; the first to take one has it."""

    def __init__(self) -> None:
        self._ids: dict[ChannelId, str] = {}
        self._numbers: dict[tuple[int, int], str] = {}

    def clashes(
        self, name: str, channel: ChannelId | None, number: ChannelNumber | None
    ) -> list[tuple[str, str, str]]:
        """Return what another file than ``name`` has already: what it is, its value and that file."""
        owners = {
            ("id", channel or ""): None if channel is None else self._ids.get(channel),
            ("number", number or ""): None if number is None else self._numbers.get(number_order(number)),
        }
        return [(what, value, owner) for (what, value), owner in owners.items() if owner not in {None, name}]

    def take(self, name: str, channel: ChannelId | None, number: ChannelNumber | None) -> None:
        if channel is not None:
            self._ids.setdefault(channel, name)
        if number is not None:
            self._numbers.setdefault(number_order(number), name)


def _result(
    files: dict[str, ChannelDefinition],
    faults: list[str],
    mentions: Mapping[str, tuple[Mention, ...]] | None = None,
) -> Definitions:
    channels = sorted(
        files.values(), key=lambda definition: (*number_order(definition.number), definition.id)
    )
    return Definitions(tuple(channels), tuple(faults), files, mentions or {})


def _is_definition(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.startswith(".")
