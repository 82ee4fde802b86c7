"""The pages on settings, commands and the doctor say what the product does, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from exstream.cli.program import app
from exstream.config import OPTIONS
from exstream.model.profiles import SHIPPED
from exstream.mpegts.conformance import Kind, Priority

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first heading is ``heading``."""
    lines = (DOCS / page).read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def _plain(cell: str) -> str:
    return cell.replace("`", "")


def test_every_setting_is_on_the_page_and_no_other() -> None:
    """The table has exactly the settings, in their order, each with its variable, default and meaning."""
    assert [[_plain(cell) for cell in row] for row in _table("settings.md", "setting")] == [
        [option.name, option.environment or "(exstream.yaml only)", option.default, option.meaning]
        for option in OPTIONS.values()
    ]


def test_every_command_is_on_the_page_and_no_other() -> None:
    """The table has exactly the commands, and every option of each of them."""
    documented: dict[str, set[str]] = {}
    for command, what in _table("settings.md", "command"):
        name = " ".join(word for word in _plain(command).split()[1:] if word.islower())
        documented[name] = set(re.findall(r"`(--[a-z-]+)`", what))
    common = {"--help", "--data-dir"}
    assert {name: options - common for name, options in documented.items()} == {
        name: options - common for name, options in _commands().items()
    }


def _commands() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    waiting = [("", get_command(app))]
    while waiting:
        prefix, command = waiting.pop()
        children = getattr(command, "commands", {})
        waiting += [(f"{prefix} {name}".strip(), child) for name, child in children.items()]
        if not children:
            options = [*command.params]
            found[prefix] = {
                word
                for option in options
                for word in (*option.opts, *option.secondary_opts)
                if word[:2] == "--"
            }
    return found


def test_every_shipped_profile_is_on_the_page() -> None:
    """The page names the profiles that channels can use without any setting."""
    page = (DOCS / "settings.md").read_text()
    assert [profile.name for profile in SHIPPED if f"`{profile.name}`" not in page] == []


def test_every_line_of_the_doctor_is_on_its_page() -> None:
    """The names in the table are those of the checks in the sources."""
    documented = {name for row in _table("doctor.md", "line") for name in re.findall(r"`([a-z ]+)`", row[0])}
    sources = Path(__file__).resolve().parents[2] / "exstream" / "cli"
    text = "".join(
        (sources / f"{name}.py").read_text()
        for name in ("checks", "doctor", "encoders", "plex_checks", "stored")
    )
    named = set(re.findall(r'(?:Check|passed|failed|port)\(\s*"([a-z ]+)"', text))
    named |= set(re.findall(r'\b_?(?:name|NAME) = "([a-z]+)"', text))
    assert documented == named


def test_every_kind_of_finding_is_on_its_page() -> None:
    """The table has every kind that the check knows, with its class and its number in the standard."""
    classes = {Priority.FIRST: "priority 1", Priority.SECOND: "priority 2", Priority.SPLICE: "splice"}
    assert [[_plain(cell) for cell in row[:3]] for row in _table("conformance.md", "kind")] == [
        [kind.value, classes[kind.priority], kind.indicator] for kind in Kind
    ]
