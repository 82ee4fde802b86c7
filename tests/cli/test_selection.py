"""What is told of libraries and shows that channels select by."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_commands import Shell, films, shell

__all__ = ["films", "shell"]

CHANNEL = "number: 7\nname: Seven\nprofile: 480p25\nprogrammes:\n  - pool: {library: filmz}\n  - pool: {show: Sow}\n"


def define(shell: Shell, text: str) -> None:
    """Write the channel's file."""
    (shell.data / "channels").mkdir(parents=True, exist_ok=True)
    (shell.data / "channels" / "seven.yaml").write_text(text)


def test_a_library_and_a_show_that_are_not_there_are_faults(shell: Shell, films: Path) -> None:
    """The check names file, line and the nearest name and ends with 1; with the right names it ends with 0."""
    define(shell, CHANNEL)
    assert shell("library", "add", str(films)).code == 2
    checked = shell("channels", "check")
    assert checked.code == 1
    assert checked.out.splitlines()[:2] == [
        "seven.yaml:5: library: there is no library 'filmz'; did you mean 'films'?",
        "seven.yaml:6: show: there is no show 'Sow'; did you mean 'Show'?",
    ]
    assert json.loads(shell("channels", "check", "--json").out)["faults"] == checked.out.splitlines()[:2]
    define(shell, CHANNEL.replace("filmz", "Films").replace("Sow", "show"))
    assert shell("channels", "check").code == 0


def test_the_doctor_warns_of_a_name_that_is_not_there(shell: Shell, films: Path) -> None:
    """The channel goes on air with what else it has, so it is a warning and no failure."""
    define(shell, CHANNEL)
    shell("library", "add", str(films))
    lines = [line for line in json.loads(shell("doctor", "--json").out) if line["name"] == "channels"]
    assert [(line["state"], "did you mean" in line["text"]) for line in lines] == [("warn", True)] * 2


def test_the_demo_channels_are_right_beside_a_library_of_ones_own(shell: Shell, films: Path) -> None:
    """What the first start will make is known before it."""
    assert shell("channels", "check").code == 0
    shell("library", "add", str(films))
    assert shell("channels", "check").code == 0


def test_before_there_is_a_database_no_name_is_wrong(shell: Shell) -> None:
    """Channels may be written before the first library is added; the check makes no database."""
    define(shell, CHANNEL)
    assert shell("channels", "check").code == 0
    assert not (shell.data / "exstream.db").exists()


def test_a_database_that_cannot_be_read_is_told(shell: Shell) -> None:
    """Then nothing is known of names, which is said on standard error and is no fault of the channels."""
    define(shell, CHANNEL)
    (shell.data / "exstream.db").write_text("no database")
    checked = shell("channels", "check")
    assert checked.code == 0
    assert "whether libraries and shows are there is not known" in checked.err
