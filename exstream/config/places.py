"""Where settings are written: the environment, ``.env`` files and exstream.yaml, each value with its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exstream.config.settings import ENVIRONMENT_PREFIX, OPTIONS
from exstream.config.values import nearest

if TYPE_CHECKING:
    import yaml

LARGEST_FILE = 1024 * 1024
"""Bytes. A file of settings is never larger; what is, was named by mistake."""

_FILE = "_FILE"
_ALIASES = {
    alias + suffix: option.name + suffix.lower()
    for option in OPTIONS.values()
    for suffix in (("", _FILE) if option.secret else ("",))
    for alias in option.aliases
}
"""Settings by the names in the environment that do not begin with the prefix."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it was written, under which name, in words where, and the folder its relative paths start from."""

    value: object
    name: str
    place: str
    folder: Path


Place = Mapping[str, Written]
"""Settings by name; a secret's ``*_FILE`` variant has ``_file`` after its name."""


def environment_place(environment: Mapping[str, str], folder: Path) -> Place:
    """Return what ``EXSTREAM_*`` variables and the other names of settings say; an empty one counts as not set."""
    return _by_setting(
        {
            name: Written(value, name, f"{name} in the environment", folder)
            for name, value in environment.items()
            if value.strip()
        }
    )


def _by_setting(variables: Place) -> Place:
    """Return what is written by the settings' names: a setting's own variable goes before its aliases."""
    return {
        **{_ALIASES[alias]: variables[alias] for alias in reversed(_ALIASES) if alias in variables},
        **{
            name.removeprefix(ENVIRONMENT_PREFIX).lower(): written
            for name, written in variables.items()
            if name.startswith(ENVIRONMENT_PREFIX)
        },
    }


def dotenv_place(path: Path, fault: Say) -> Place:
    """Return what the ``.env`` file at ``path`` says; other programs' variables in it are left alone."""
    content = read_text(path, fault)
    if content is None:
        return {}
    from io import StringIO

    from dotenv.parser import parse_stream

    found = {}
    for binding in parse_stream(StringIO(content)):
        # The parser counts the empty lines before a binding as its own.
        blank = len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
        line = binding.original.line + binding.original.string[:blank].count("\n")
        if binding.error:
            fault(f"{path}, line {line}: write NAME=value")
        elif binding.key and (binding.value or "").strip():
            found[binding.key] = Written(binding.value, binding.key, f"{path}, line {line}", path.parent)
    return _by_setting(found)


def yaml_place(path: Path, fault: Say) -> Place:
    """Return what the file of settings at ``path`` says; a key without a value counts as not set."""
    content = read_text(path, fault)
    if content is None or not content.strip():
        return {}
    import yaml

    try:
        return dict(_entries(path, content, fault))
    except RecursionError:
        fault(f"{path}: is nested too deeply")
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        fault(f"{path}{line}: is no valid YAML: {error.problem or error.context}")
    except (yaml.YAMLError, ValueError) as error:
        fault(f"{path}: is no valid YAML: {error}")
    return {}


def _entries(path: Path, content: str, fault: Say) -> Iterator[tuple[str, Written]]:
    import yaml

    loader = yaml.SafeLoader(content)
    try:
        root = loader.get_single_node()
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            fault(f"{path}, line {root.start_mark.line + 1}: write settings as `name: value`, one a line")
            return
        _refuse_repeated_keys(root, path, fault)
        for key_node, value_node in root.value:
            place = f"{path}, line {key_node.start_mark.line + 1}"
            value: Any = loader.construct_object(value_node, deep=True)
            if value is not None:
                name = str(key_node.value)
                yield name, Written(value, name, place, path.parent)
    finally:
        loader.dispose()


def _refuse_repeated_keys(root: yaml.MappingNode, path: Path, fault: Say) -> None:
    import yaml

    waiting: list[yaml.MappingNode] = [root]
    seen_nodes: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen_nodes:
            continue
        seen_nodes.add(id(node))
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            first = lines.setdefault(str(key.value), line)
            if first != line:
                fault(f"{path}, line {line}: {key.value} was set before, in line {first}: keep one of them")
            if isinstance(value, yaml.MappingNode):
                waiting.append(value)


def read_text(path: Path, fault: Say) -> str | None:
    """Return the text of the file at ``path``; None when there is none, or when it is no readable text (a fault)."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            fault(f"{path}: is larger than {LARGEST_FILE // 1024} KiB and no file of settings")
            return None
        return content.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        fault(f"{path}: is no UTF-8 text")
    except OSError as error:
        fault(f"{path}: cannot be read: {error.strerror or error}")
    return None


def known(place: Place, names: Collection[str], warn: Say) -> Place:
    """Return ``place`` without the names that are no setting there, having given ``warn`` a sentence for each."""
    for name, written in place.items():
        if name not in names:
            hint = nearest(name, names)
            if written.name.startswith(ENVIRONMENT_PREFIX):
                capitals = [each.upper() for each in names]
                hint = nearest(written.name, capitals, prefix=ENVIRONMENT_PREFIX)
            warn(f"{written.place}: {written.name} is no setting{hint or ' and does nothing'}")
    return {name: written for name, written in place.items() if name in names}
