"""Which entries a listing holds, and in what order: Plex's filters, with what it ignores in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from load.plex_server.describe import tag_id
from load.plex_server.model import Entry

Pairs = Sequence[tuple[str, str]]
Test = Callable[[Entry], bool]

DATES = frozenset({"addedAt", "updatedAt", "lastViewedAt", "lastRatedAt", "originallyAvailableAt"})
NUMBERS = frozenset(
    {"year", "duration", "viewCount", "viewOffset", "index", "parentIndex", "id", "rating", "audienceRating"}
    | {"userRating", "decade", "leafCount"}
)
WORDS = frozenset({"title", "titleSort", "originalTitle", "studio", "editionTitle", "summary", "guid"})
TAGS = {
    "genre": "Genre",
    "director": "Director",
    "writer": "Writer",
    "producer": "Producer",
    "actor": "Role",
    "country": "Country",
    "collection": "Collection",
    "label": "Label",
}
FLAGS: dict[str, Callable[[Entry], bool]] = {
    "trash": lambda entry: "deletedAt" in entry.fields,
    "duplicate": lambda entry: len(entry.versions) > 1,
    "unmatched": lambda entry: entry.guid.startswith(("local://", "com.plexapp.agents.none://")),
    "inProgress": lambda entry: bool(entry.fields.get("viewOffset")),
}
SCALES = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
_FIELD = re.compile(r"^(?:(?P<level>[a-z]+)\.)?(?P<field>[A-Za-z]+)(?P<operator>!=|>>|<<|[=!<>])?$")


def chosen(entries: Iterable[Entry], pairs: Pairs, now: int) -> list[Entry]:
    """Return those of ``entries`` that the filters among ``pairs`` let through.

    A filter that Plex does not understand (``addedAt>>==1``, an unknown field) is ignored in silence.
    """
    wanted = _condition(pairs, now)
    return [entry for entry in entries if wanted(entry)]


def _condition(pairs: Pairs, now: int) -> Test:
    alternatives: list[list[Test]] = [[]]
    outer: list[list[list[Test]]] = []
    for name, value in pairs:
        if name == "push":
            outer.append(alternatives)
            alternatives = [[]]
        elif name == "pop" and outer:
            group, alternatives = _either(alternatives), outer.pop()
            alternatives[-1].append(group)
        elif name == "or":
            alternatives.append([])
        elif (test := _test(name, value, now)) is not None:
            alternatives[-1].append(test)
    return _either(alternatives)


def _either(alternatives: list[list[Test]]) -> Test:
    return lambda entry: any(all(test(entry) for test in tests) for tests in alternatives)


def _test(name: str, value: str, now: int) -> Test | None:
    parsed = _FIELD.match(name)
    if parsed is None:
        return None
    field, operator = parsed["field"], parsed["operator"] or ""
    test = _test_of_field(field, operator, value, now)
    return test if test is None or parsed["level"] is None else _at(parsed["level"], test)


def _test_of_field(field: str, operator: str, value: str, now: int) -> Test | None:
    if field == "unwatched" and not operator:
        return lambda entry: watched(entry) != (value == "1")
    if field in FLAGS and not operator:
        return lambda entry: FLAGS[field](entry) == (value == "1")
    if field in TAGS or field == "contentRating":
        return _test_of_tag(field, operator, value)
    if field in DATES:
        return _test_of_date(field, operator, value, now)
    if field in NUMBERS:
        return _test_of_number(field, operator, value)
    return _test_of_words(field, operator, value) if field in WORDS else None


def watched(entry: Entry) -> bool:
    """Tell whether somebody began to watch it: of a show, one episode is enough."""
    return any(leaf.fields.get("viewCount") for leaf in (entry, *entry.leaves()))


def _test_of_tag(field: str, operator: str, value: str) -> Test | None:
    name, asked = TAGS.get(field, ""), {tag.casefold() for tag in value.split(",")}

    def has(entry: Entry) -> bool:
        if not name:
            return str(entry.fields.get(field, "")).casefold() in asked
        tags = entry.tags.get(name) or (entry.grandparent.tags.get(name, []) if entry.grandparent else [])
        return any(tag.casefold() in asked or str(tag_id(name, tag)) in asked for tag in tags)

    return {"": has, "!": lambda entry: not has(entry)}.get(operator)


def _test_of_date(field: str, operator: str, value: str, now: int) -> Test | None:
    instant = _instant(value, now)
    if instant is None:
        return None
    tests: dict[str, Test] = {
        ">>": lambda entry: _date(entry, field) > instant,
        "<<": lambda entry: 0 < _date(entry, field) < instant,
        "": lambda entry: _date(entry, field) == instant,
        ">": lambda _: False,  # as measured: it is read, and matches nothing
        "<": lambda _: False,
    }
    return tests.get(operator)


def _test_of_number(field: str, operator: str, value: str) -> Test | None:
    try:
        numbers = [float(number) for number in value.split(",")]
    except ValueError:
        return None
    tests: dict[str, Callable[[float], bool]] = {
        "": lambda own: own in numbers,
        "!": lambda own: own not in numbers,
        ">>": lambda own: own > numbers[0],
        "<<": lambda own: own < numbers[0],
        ">": lambda own: own >= numbers[0],
        "<": lambda own: own <= numbers[0],
    }
    test = tests.get(operator)
    return None if test is None else lambda entry: test(_number(entry, field))


def _test_of_words(field: str, operator: str, value: str) -> Test | None:
    if value.startswith("=") and operator in {"", "!"}:  # ``title==Seen``, unencoded
        operator, value = f"{operator}=", value[1:]
    asked = [word.casefold() for word in value.split(",")]
    tests: dict[str, Callable[[str], bool]] = {
        "": lambda own: any(word in own for word in asked),
        "!": lambda own: not any(word in own for word in asked),
        "=": lambda own: own in asked,
        "!=": lambda own: own not in asked,
        "<": lambda own: own.startswith(tuple(asked)),
        ">": lambda own: own.endswith(tuple(asked)),
    }
    test = tests.get(operator)
    if test is None:
        return None
    if field == "guid":
        return lambda entry: value in {entry.guid, *entry.guids}
    return lambda entry: test(str(entry.fields.get(field, "")).casefold())


def _at(level: str, test: Test) -> Test:
    def anywhere(entry: Entry) -> bool:
        if entry.kind == level:
            return test(entry)
        above = [candidate for candidate in entry.ancestry() if candidate.kind == level]
        below = [leaf for child in entry.children for leaf in (child, *child.children) if leaf.kind == level]
        return any(test(candidate) for candidate in above or below)

    return anywhere


def _instant(value: str, now: int) -> float | None:
    if ago := re.fullmatch(r"-(\d+)(mon|[mhdwy])", value):
        return now - int(ago[1]) * SCALES[ago[2]]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return _days(value)
    return float(value) if re.fullmatch(r"\d+", value) else None


def _days(date: str) -> float:
    year, month, day = (int(figure) for figure in date[:10].split("-"))
    shifted, moved = (year, month) if month > 2 else (year - 1, month + 12)
    days = (
        365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + (153 * moved - 457) // 5 + day - 306
    )
    return (days - 719_163) * 86_400.0


def _date(entry: Entry, field: str) -> float:
    value = entry.fields.get(field, 0)
    return _days(value) if isinstance(value, str) else float(value)


def _number(entry: Entry, field: str) -> float:
    if field == "id":
        return float(entry.key)
    if field == "decade":
        return float(int(entry.fields.get("year", 0)) // 10 * 10)
    if field == "parentIndex":
        return float(entry.parent.fields.get("index", -1)) if entry.parent else -1.0
    value = entry.fields.get(field, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def ordered(entries: list[Entry], sort: str) -> list[Entry]:
    """Return ``entries`` by ``sort`` (``addedAt:desc``, ``titleSort,index:desc``); equal ones keep their order."""
    for criterion in reversed([part for part in sort.split(",") if part]):
        name, _, direction = criterion.partition(":")
        entries = sorted(entries, key=_sort_key(name), reverse=direction == "desc")
    return entries


def _sort_key(name: str) -> Callable[[Entry], Any]:
    level, _, field = name.rpartition(".")
    if field in {"title", "titleSort"}:
        return lambda entry: _levelled(entry, level, _sort_title)
    if field == "random":
        return lambda entry: entry.key * 2_654_435_761 % 2**32
    if field in DATES:
        return lambda entry: _levelled(entry, level, lambda own: _date(own, field))
    return lambda entry: _levelled(entry, level, lambda own: _number(own, field))


def _sort_title(entry: Entry) -> str:
    return str(entry.fields.get("titleSort") or entry.fields.get("title", "")).casefold()


def _levelled(entry: Entry, level: str, value: Callable[[Entry], Any]) -> Any:
    if not level or entry.kind == level:
        return value(entry)
    above = [candidate for candidate in entry.ancestry() if candidate.kind == level]
    below = [leaf for leaf in entry.leaves() if leaf.kind == level]
    return max((value(candidate) for candidate in above or below), default=value(entry))
