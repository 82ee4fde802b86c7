"""What the README tells people to type and to open is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from exstream.cli.plex_token import WAYS
from exstream.cli.program import app
from exstream.config import OPTIONS
from exstream.definitions import load_directory
from exstream.model.profiles import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> Iterator[str]:
    """Give the README's code blocks in a language."""
    yield from re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_make_target_exists() -> None:
    """Whatever is written as ``make something`` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"`make ([a-z]+)", page.read_text())}
    named |= set(re.findall(r"^make ([a-z]+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert {"run", "test", "check", "bench"} <= named
    assert named <= targets


def test_every_command_exists() -> None:
    """Every ``exstream`` command line of the README names a command that there is."""
    written = re.findall(r"\.venv/bin/exstream ([^`\n#]+)", README)
    assert written
    for line in written:
        words = [word for word in shlex.split(line) if re.fullmatch(r"[a-z][a-z-]*", word)]
        command = get_command(app)
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands"), line


def test_every_variable_is_a_setting() -> None:
    """Every EXSTREAM_ name of the README is a setting or one of the tests' own."""
    ours = set(re.findall(r"EXSTREAM_[A-Z_]+", README))
    assert ours
    assert ours <= {option.environment for option in OPTIONS.values()}


def test_the_channel_of_the_readme_is_a_channel(tmp_path: Path) -> None:
    """The file that people are told to write has no fault."""
    (written,) = blocks("yaml")
    (tmp_path / "late-cinema.yaml").write_text(written)
    found = load_directory(tmp_path, {profile.name for profile in SHIPPED}, {}, "UTC")
    assert found.faults == ()
    assert [channel.name for channel in found.channels] == [yaml.safe_load(written)["name"]]


@pytest.mark.parametrize(
    "way",
    [
        ("F12", "X-Plex-Token"),
        ("localStorage.getItem('myPlexAccessToken')",),
        ("Preferences.xml", "PlexOnlineToken"),
    ],
)
def test_the_ways_to_a_token_are_those_that_commands_tell(way: tuple[str, ...]) -> None:
    """Each of the three ways to find a token by hand stands in the README as in what commands say."""
    assert all(word in README and word in WAYS for word in way)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links of every page lead to files of the repository, and their anchors to headings."""
    for target, _, anchor in (
        link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    ):
        if re.match(r"[a-z]+:", target):
            continue
        file = page.parent / target if target else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {
            re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings
        }


def test_every_package_of_the_table_exists() -> None:
    """The architecture's table names exactly the packages and modules there are."""
    rows = re.findall(r"^\| ((?:`[a-z0-9]+`(?:, )?)+) \|", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z0-9]+)`", row)}
    there = {path.stem for path in (ROOT / "exstream").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert named == {name for name in there if not name.startswith("_")}
