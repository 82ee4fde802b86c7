"""What the linters have no rule for: sizes, names, and reasons for every exception to a rule."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 400
FUNCTION_LINES = 60
VAGUE = re.compile(
    r"(^|_)(managers?|handlers?|helpers?|utils?|utilities|services?|engines?|misc|stuff|processors?|v\d+)$"
)
VAGUE_THING = re.compile(r"(^|_)(common|core|base|types)$")
"""Words that say nothing of a module or a class, though a function may well return a base address."""
EXCUSE = re.compile(r"#\s*(noqa|type:\s*ignore|pragma)\b(?P<rest>.*)")
REASONED = re.compile(r"(: ?[A-Z]+\d+(, ?[A-Z]+\d+)*|\[[a-z-]+(, ?[a-z-]+)*\]|: no cover) +(--|#) +\S+ +\S+")

SOURCES = sorted(
    path for top in ("exstream", "tests", "load", "migrations") for path in (ROOT / top).rglob("*.py")
)
PRODUCT = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in {"exstream", "load"}]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")


def _defined(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def faults_of_size(path: Path) -> list[str]:
    """Return a sentence for the file and each function that is longer than the budget.

    A migration is one step, however many tables it makes.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    faults = [f"{_name(path)}: {lines} lines, at most {FILE_LINES}"] if lines > FILE_LINES else []
    for node in _defined(_tree(path)):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if not isinstance(node, ast.ClassDef) and length > FUNCTION_LINES and "versions" not in path.parts:
            faults.append(
                f"{_name(path)}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"
            )
    return faults


def faults_of_names(path: Path) -> list[str]:
    """Return a sentence for each module, class and function whose name says nothing."""
    parts = [*path.relative_to(ROOT).parts[:-1], path.stem]
    things = [(1, part) for part in parts]
    functions: list[tuple[int, str]] = []
    for node in _defined(_tree(path)):
        (things if isinstance(node, ast.ClassDef) else functions).append((node.lineno, node.name))
    faults = [(line, name) for line, name in things if VAGUE_THING.search(_snake(name))]
    faults += [(line, name) for line, name in things + functions if VAGUE.search(_snake(name))]
    return [f"{_name(path)}:{line}: what is {name!r}?" for line, name in faults]


def faults_of_state(path: Path) -> list[str]:
    """Return a sentence for each ``global`` and for a module that does not explain itself."""
    tree = _tree(path)
    faults = [f"{_name(path)}: no module docstring"] if tree.body and not ast.get_docstring(tree) else []
    faults += [
        f"{_name(path)}:{node.lineno}: global" for node in ast.walk(tree) if isinstance(node, ast.Global)
    ]
    return faults


def faults_of_excuses(path: Path) -> list[str]:
    """Return a sentence for each suppressed rule that lacks its code or a reason in words."""
    with path.open("rb") as file:
        comments = [token for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT]
    return [
        f"{_name(path)}:{comment.start[0]}: {comment.string} (wanted: its code, then `-- why`)"
        for comment in comments
        if (excuse := EXCUSE.search(comment.string)) and not REASONED.match(excuse["rest"])
    ]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_keeps_to_the_house_rules(path: Path) -> None:
    """Short files and functions, telling names, no global state, a docstring, and a reason for every exception."""
    faults = [*faults_of_size(path), *faults_of_state(path), *faults_of_excuses(path)]
    if path in PRODUCT:
        faults += faults_of_names(path)
    assert faults == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("long.py", '"""Doc."""\n' + "x = 1\n" * 400, "401 lines"),
        ("long.py", '"""Doc."""\ndef f() -> None:\n' + "    pass\n" * 60, "f has 61 lines"),
        ("utils.py", '"""Doc."""\n', "what is 'utils'?"),
        ("job.py", '"""Doc."""\nclass JobManager: ...\n', "what is 'JobManager'?"),
        ("job.py", '"""Doc."""\nclass JobBase: ...\n', "what is 'JobBase'?"),
        ("job.py", '"""Doc."""\ndef plan_v2() -> None: ...\n', "what is 'plan_v2'?"),
        ("job.py", '"""Doc."""\ndef f() -> None:\n    global x\n', "global"),
        ("job.py", "x = 1\n", "no module docstring"),
        ("job.py", '"""Doc."""\nx = 1  # noqa\n', "wanted"),
        ("job.py", '"""Doc."""\nx = 1  # noqa: E501\n', "wanted"),
        ("job.py", '"""Doc."""\nx = 1  # type: ignore[misc]\n', "wanted"),
    ],
)
def test_each_rule_catches_its_breach(
    name: str, text: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A breach made on purpose is found: the rules are no decoration."""
    monkeypatch.setattr("tests.test_architecture.ROOT", tmp_path)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    checks = (faults_of_size, faults_of_names, faults_of_state, faults_of_excuses)
    assert fault in "\n".join(sentence for check in checks for sentence in check(path))


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa: S104 -- every interface is the point of a tuner",
        "x = 1  # type: ignore[attr-defined] # the package has no types",
        "handler = 1",
        "def base() -> str: ...",
    ],
)
def test_a_reasoned_exception_passes(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception with its code and a reason is no fault, nor is a word that belongs to someone else."""
    monkeypatch.setattr("tests.test_architecture.ROOT", tmp_path)
    path = tmp_path / "job.py"
    path.write_text(f'"""Doc."""\n{line}\n', encoding="utf-8")
    assert faults_of_excuses(path) + faults_of_names(path) == []
