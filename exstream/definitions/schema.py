"""The definition format: one table per mapping, and what is made of it.

A new key is one line in a table (and in docs/channels.md). All faults of a file are found in one go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from exstream.definitions import values
from exstream.definitions.document import Mapping, Node, NotReadable, Sequence, Text, parse
from exstream.definitions.mentions import LIBRARY, SHOW, Mention
from exstream.definitions.values import Refused, closest, nearest, quoted
from exstream.model.channel import COPY, ChannelDefinition, Order, Pool, Query


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file wants for itself, and the lines of its keys; None where that cannot be read, or is not written."""

    id: str | None = None
    number: str | None = None
    """None also where the channel is not enabled: it may wait for a number that is in use."""
    logo: str | None = None
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """The faults of one file, as (line, sentence), and what it says that others have a say in, faults or not."""

    faults: list[tuple[int, str]] = field(default_factory=list)
    claim: Claim = field(default_factory=Claim)
    mentions: list[Mention] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> None:
        self.faults.append((line, sentence))


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping and the reader of its value."""

    name: str
    read: Callable[[Node, Report], Any]
    required: bool = False


def read_definition(
    content: bytes, stem: str, profiles: Collection[str], timezone: str, report: Report
) -> ChannelDefinition | None:
    """Read one file, named ``stem`` without its suffix; None, and a report, if it has any fault."""
    try:
        root = parse(content)
    except NotReadable as error:
        report.add(error.line, str(error))
        return None
    if root is None or (isinstance(root, Text) and root.empty):
        report.add(1, "the file is empty; a channel needs number, name, profile and programmes")
        return None
    found = _read_mapping(root, channel_keys(profiles), "channel", report)
    lines = {key.text: key.line for key, _ in root.pairs} if isinstance(root, Mapping) else {}
    if "id" not in found and "id" not in lines:
        _read_stem(stem, found, report)
    number = found.get("number") if found.get("enabled", True) else None
    report.claim = Claim(found.get("id"), number, found.get("logo"), lines)
    pools, filler = _pools(found.get("programmes", ())), found.get("filler")
    if filler is not None and filler.get("name", "filler") in {pool.name for pool in pools}:
        report.add(lines["filler"], "the filler has the name of a pool; give it another with name:")
    return None if report.faults else _definition(found, pools, timezone)


def channel_keys(profiles: Collection[str]) -> tuple[Key, ...]:
    """Return the table of a channel's keys."""
    return (
        Key("id", _simple(values.channel_id)),
        Key("number", _simple(values.channel_number), required=True),
        Key("name", _simple(values.text), required=True),
        Key("profile", _simple(values.one_of("profile", sorted({*profiles, COPY}))), required=True),
        Key("programmes", _programmes, required=True),
        Key("filler", _nested(FILLER_KEYS, "filler")),
        Key("align", _simple(values.align)),
        Key("timezone", _simple(values.timezone)),
        Key("group", _simple(values.text)),
        Key("logo", _simple(values.logo)),
        Key("enabled", _simple(values.flag)),
        Key("warm", _simple(values.flag)),
        Key("seed", _simple(values.text)),
        Key("tags", _simple(values.texts)),
    )


def _simple(read: Callable[[Node], object]) -> Callable[[Node, Report], object]:
    return lambda node, _: read(node)


def _nested(keys: tuple[Key, ...], what: str) -> Callable[[Node, Report], dict[str, Any]]:
    return lambda node, report: _read_mapping(node, keys, what, report)


def _mentioned(what: str) -> Callable[[Node, Report], tuple[str, ...]]:
    """Return a reader of names, which are noted in the report: whether there are such is not said in the file."""

    def read(node: Node, report: Report) -> tuple[str, ...]:
        names = values.texts(node)
        for entry, name in zip(values.entries(node), names, strict=True):
            report.mentions.append(Mention(entry.line, what, name))
        return names

    return read


POOL_KEYS = (
    Key("kind", _simple(values.kinds)),
    Key("show", _mentioned(SHOW)),
    Key("title", _simple(values.texts)),
    Key("library", _mentioned(LIBRARY)),
    Key("genre", _simple(values.texts)),
    Key("years", _simple(values.years)),
    Key("artist", _mentioned(SHOW)),
    Key("album", _simple(values.texts)),
    Key("server", _simple(values.texts)),
    Key("collection", _simple(values.texts)),
    Key("playlist", _simple(values.texts)),
    Key("label", _simple(values.texts)),
    Key("people", _simple(values.texts)),
    Key("rating", _simple(values.texts)),
    Key("min_rating", _simple(values.rating)),
    Key("watched", _simple(values.flag)),
    Key("aired", _simple(values.years)),
)
FILLER_KEYS = (
    Key("pool", _nested(POOL_KEYS, "pool"), required=True),
    Key("order", _simple(values.order)),
    Key("name", _simple(values.text)),
)
PROGRAMME_KEYS = (*FILLER_KEYS, Key("count", _simple(values.count)))


def _read_mapping(node: Node, keys: Iterable[Key], what: str, report: Report) -> dict[str, Any]:
    """Read every key of ``node`` that has a usable value, and report the rest.

    What stands below a key that is misspelt, or there twice, is reported too, but not used.
    """
    if not isinstance(node, Mapping):
        report.add(node.line, f"the {what} is written as keys and values here, such as 'name: value'")
        return {}
    by_name = {key.name: key for key in keys}
    first: dict[str, int] = {}
    found: dict[str, Any] = {}
    for key, value in node.pairs:
        used: dict[str, Any] = {}
        if key.text not in by_name:
            hint = nearest(key.text, by_name) or f"; there are {', '.join(by_name)}"
            report.add(key.line, f"the {what} has no key {quoted(key.text)}{hint}")
        elif key.text in first:
            report.add(key.line, f"{quoted(key.text)} is there twice, first on line {first[key.text]}")
        else:
            first[key.text] = key.line
            used = found
        meant = key.text if key.text in by_name else closest(key.text, by_name)
        if meant is not None and not (isinstance(value, Text) and value.empty):
            _read_value(by_name[meant], value, used, report)
    written = {key.text for key, value in node.pairs if not (isinstance(value, Text) and value.empty)}
    for name in [key.name for key in by_name.values() if key.required and key.name not in written]:
        report.add(first.get(name, node.line), f"the {what} needs a value for '{name}'")
    return found


def _read_value(key: Key, node: Node, found: dict[str, Any], report: Report) -> None:
    try:
        found[key.name] = key.read(node, report)
    except Refused as error:
        for line, sentence in error.faults:
            report.add(line, f"{key.name}: {sentence}")


def _programmes(node: Node, report: Report) -> list[dict[str, Any]]:
    if not isinstance(node, Sequence) or not node.nodes:
        raise Refused(node, "a list of pools is wanted here, each beginning with '- pool:'")
    if len(node.nodes) > values.MAX_LIST:
        raise Refused(node, f"there are more than {values.MAX_LIST} pools")
    read = [_read_mapping(entry, PROGRAMME_KEYS, "programme", report) for entry in node.nodes]
    for entry, programme in zip(node.nodes, read, strict=True):
        if str(programme.get("name", "")).startswith("@"):
            report.add(entry.line, "the name of a pool does not begin with @")
    names = Counter(programme["name"] for programme in read if "name" in programme)
    for name in [name for name, times in names.items() if times > 1]:
        report.add(node.line, f"two pools have the name {quoted(name)}")
    return read


def _read_stem(stem: str, found: dict[str, Any], report: Report) -> None:
    """Take the file's name for the channel's id."""
    try:
        found["id"] = values.channel_id(Text(1, stem, quoted=True))
    except Refused:
        report.add(
            1, f"the file's name {quoted(stem)} is no id: use small letters, digits and hyphens, or write id:"
        )


def _definition(found: dict[str, Any], pools: tuple[Pool, ...], timezone: str) -> ChannelDefinition:
    filler = found.get("filler")
    return ChannelDefinition(
        id=found["id"],
        number=found["number"],
        name=found["name"],
        profile=found["profile"],
        pools=pools,
        filler=_pool(filler, "filler", Order.SHUFFLE) if filler is not None else None,
        align_minutes=found.get("align", 0),
        timezone=found.get("timezone", timezone),
        group=found.get("group", ""),
        logo=found.get("logo", ""),
        enabled=found.get("enabled", True),
        warm=found.get("warm", False),
        seed=found.get("seed", ""),
        tags=found.get("tags", ()),
    )


def _pools(programmes: Iterable[dict[str, Any]]) -> tuple[Pool, ...]:
    """Make the pools of the ``programmes`` that select something.

    One without a name is named by what it selects, so that it keeps its place when it is moved.
    """
    taken = {programme["name"] for programme in programmes if "name" in programme}
    pools: list[Pool] = []
    for programme in programmes:
        if "pool" not in programme:
            continue
        selected = _described(programme["pool"])
        name, number = selected, 1
        while name in taken:
            number += 1
            name = f"{selected} #{number}"
        pool = _pool(programme, name, Order.CHRONOLOGICAL)
        taken.add(pool.name)
        pools.append(pool)
    return tuple(pools)


def _described(selected: dict[str, Any]) -> str:
    words = (
        f"{key} {_words('..' if key in {'years', 'aired'} else ', ', value)}"
        for key, value in sorted(selected.items())
    )
    return "; ".join(words) or "everything"


def _words(between: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return between.join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"


def _pool(written: dict[str, Any], name: str, order: Order) -> Pool:
    selected = written["pool"]
    query = Query(
        kinds=selected.get("kind", ()),
        shows=selected.get("show", ()),
        titles=selected.get("title", ()),
        libraries=selected.get("library", ()),
        genres=selected.get("genre", ()),
        years=selected.get("years"),
        artists=selected.get("artist", ()),
        albums=selected.get("album", ()),
        servers=selected.get("server", ()),
        collections=selected.get("collection", ()),
        playlists=selected.get("playlist", ()),
        labels=selected.get("label", ()),
        people=selected.get("people", ()),
        content_ratings=selected.get("rating", ()),
        min_rating=selected.get("min_rating"),
        watched=selected.get("watched"),
        aired=selected.get("aired"),
    )
    return Pool(written.get("name", name), query, written.get("order", order), written.get("count", 1))
