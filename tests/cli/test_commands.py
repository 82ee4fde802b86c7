"""The commands, run in this process with real databases, real media and real definitions."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import exstream
from exstream import __version__
from exstream.cli.invocation import Invocation
from exstream.cli.program import run
from exstream.config import OPTIONS, Settings

CANARY = "canary-77aa01"
CHANNEL = "number: 7\nname: Seven\nprofile: 480p25\nprogrammes:\n  - pool: {kind: film}\n"


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands with a data directory of their own."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data = data
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Answer:
        code = run(arguments)
        captured = self._capsys.readouterr()
        return Answer(code, captured.out, captured.err)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Return commands whose settings are the defaults, but for the data directory and two free ports."""
    for option in OPTIONS.values():
        monkeypatch.delenv(option.environment or "EXSTREAM", raising=False)
    monkeypatch.setenv("EXSTREAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("EXSTREAM_IPTV_PORT", "0")
    monkeypatch.setenv("EXSTREAM_HDHR_PORT", "0")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "data", capsys)


@pytest.fixture
def films(tmp_path: Path, ffmpeg: str) -> Path:
    """Return a folder with a film, an episode and a file that is none."""
    folder = tmp_path / "films"
    episode = folder / "Show" / "Season 01" / "Show - S01E01 - One.mkv"
    episode.parent.mkdir(parents=True)
    for path in (folder / "Film (2001).mkv", episode):
        source = ("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5")
        subprocess.run([ffmpeg, "-v", "error", *source, "-c:v", "libx264", str(path)], check=True)
    (folder / "broken.mkv").write_text("no film at all")
    _settle(folder)
    return folder


def _settle(folder: Path) -> None:
    import os

    for path in folder.rglob("*.mkv"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def test_the_version_is_told(shell: Shell) -> None:
    """--version says it and ends well."""
    assert shell("--version") == Answer(0, f"exstream {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("libary",), "Did you mean 'library'?"),
        (("library", "remove"), "Missing argument 'PATH'"),
        (("serve", "--prot", "1"), "No such option"),
        (("library",), "Usage: exstream library"),
        ((), "Usage: exstream"),
    ],
)
def test_a_misuse_ends_with_one(shell: Shell, arguments: Sequence[str], hint: str) -> None:
    """A usage error is exit code 1 with a hint and no traceback; a missing command shows the help."""
    answer = shell(*arguments)
    assert answer.code == 1
    assert hint in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.out + answer.err


def test_every_fault_of_the_settings_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bad settings are two lines on standard error and exit code 1."""
    monkeypatch.setenv("EXSTREAM_TUNER_COUNT", "0")
    answer = shell("serve", "--iptv-port", "x")
    assert answer.code == 1
    assert answer.err.splitlines() == [
        "exstream: --iptv-port: iptv_port must be a whole number from 0 to 65535, not 'x'",
        "exstream: EXSTREAM_TUNER_COUNT in the environment: tuner_count must be a whole number from 1 to 32, not '0'",
    ]


def test_serve_hands_the_settings_over(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options of serve beat the environment, and its exit code is the server's."""
    served: list[Settings] = []

    def serve(settings: Settings) -> int:
        served.append(settings)
        return 1

    server = ModuleType("exstream.app")
    monkeypatch.setattr(server, "serve", serve, raising=False)
    monkeypatch.setattr(exstream, "app", server, raising=False)
    monkeypatch.setitem(sys.modules, "exstream.app", server)
    answer = shell("serve", "--no-demo", "--iptv-port", "8500", "--host", "127.0.0.1", "--log-level", "DEBUG")
    assert answer == Answer(1, "", "")
    [settings] = served
    assert (settings.demo, settings.iptv_port, settings.hdhr_port) == (False, 8500, 0)
    assert (settings.host, settings.log_level) == ("127.0.0.1", "debug")


def test_config_show_tells_values_and_origins(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is shown with its origin; a misspelt name is a warning beside the values."""
    monkeypatch.setenv("EXSTREAM_TUNER_CUONT", "2")
    answer = shell("config", "show")
    lines = answer.out.splitlines()
    assert [line.split()[0] for line in lines] == list(OPTIONS)
    assert f"{shell.data}  (EXSTREAM_DATA_DIR in the environment)" in lines[0]
    assert "did you mean EXSTREAM_TUNER_COUNT?" in answer.err


@pytest.mark.parametrize("arguments", [("config", "show"), ("config", "show", "--json"), ("doctor",)])
def test_no_command_shows_a_secret(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: Sequence[str]
) -> None:
    """Tokens and a database's password are masked wherever settings are shown or a connection fails."""
    (tmp_path / "token").write_text(CANARY)
    monkeypatch.setenv("EXSTREAM_METRICS_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("EXSTREAM_DATABASE_URL", f"postgresql://u:{CANARY}@127.0.0.1:1/x?password={CANARY}")
    answer = shell(*arguments)
    assert answer.out
    assert CANARY not in answer.out + answer.err


def test_config_show_speaks_json(shell: Shell) -> None:
    """--json gives every setting with value and origin in their own types."""
    shown = json.loads(shell("config", "show", "--json").out)
    assert shown["settings"]["tuner_count"] == {"value": 4, "origin": "default"}
    assert shown["settings"]["metrics_token"]["value"] == ""
    assert shown["settings"]["profiles"]["value"]["720p30"]["rate"] == "30000/1001"
    assert set(shown["settings"]) == set(OPTIONS)


def test_a_library_lives_from_add_to_remove(shell: Shell, films: Path) -> None:
    """A folder is added, scanned, listed and removed; unreadable files are named and end with 2, media files stay."""
    added = shell("library", "add", str(films), "--name", "Cinema")
    assert (added.code, added.err) == (2, "")
    assert "Cinema: 2 new, 1 unreadable" in added.out
    assert f"unreadable: {films / 'broken.mkv'} cannot be used" in added.out
    assert "Cinema       2 items" in shell("library", "list").out
    (films / "broken.mkv").unlink()
    (films / "Film (2001).mkv").unlink()
    [scanned] = json.loads(shell("library", "scan", "Cinema", "--json").out)
    assert (scanned["added"], scanned["missing"], scanned["unreadable"]) == (0, 1, {})
    again = shell("library", "add", str(films))
    assert (again.code, "is the library 'Cinema' already" in again.err) == (0, True)
    assert "Cinema with 2 items is forgotten" in shell("library", "remove", str(films)).out
    assert json.loads(shell("library", "list", "--json").out) == []
    assert not list((shell.data / "journals").iterdir())
    assert (films / "Show" / "Season 01" / "Show - S01E01 - One.mkv").is_file()


def test_a_dry_run_changes_nothing(shell: Shell, films: Path) -> None:
    """--dry-run tells what would be done and does none of it: before the first start there is not even a database."""
    before = shell("library", "add", str(films), "--dry-run")
    assert (before.code, "3 media files" in before.out) == (0, True)
    assert not shell.data.exists()
    shell("library", "add", str(films))
    (films / "Film (2001).mkv").rename(films / "Other (2002).mkv")
    [seen] = json.loads(shell("library", "scan", "--dry-run", "--json").out)
    assert (str(films / "Other (2002).mkv") in seen["new"], seen["missing"]) == (
        True,
        [str(films / "Film (2001).mkv")],
    )
    assert "would be forgotten" in shell("library", "remove", "films", "--dry-run").out
    [listed] = json.loads(shell("library", "list", "--json").out)
    assert (listed["items"], listed["missing"]) == (2, 0)


def test_files_that_cannot_be_used_are_told_by_every_command(shell: Shell, films: Path) -> None:
    """The list counts them, a dry run names them and does not take them for new ones before they change."""
    shell("library", "add", str(films))
    assert "(1 file cannot be used: `exstream library scan` names them)" in shell("library", "list").out
    [listed] = json.loads(shell("library", "list", "--json").out)
    assert list(listed["unreadable"]) == ["broken.mkv"]
    foreseen = shell("library", "scan", "--dry-run").out
    assert "3 media files" in foreseen
    assert "0 of them not yet in the catalogue" in foreseen
    assert f"unreadable, and unchanged since: {films / 'broken.mkv'} cannot be used" in foreseen
    (films / "broken.mkv").write_text("another text that is no film")
    [seen] = json.loads(shell("library", "scan", "--dry-run", "--json").out)
    assert (seen["new"], seen["unreadable"]) == ([str(films / "broken.mkv")], {})
    (films / "broken.mkv").unlink()
    (films / "Film (2001).mkv").unlink()
    shell("library", "scan")
    assert shell("library", "list").out.rstrip().endswith("(1 missing)")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("absent", "there is no folder"),
        ("films/broken.mkv", "is a file: name the folder that it lies in"),
        ("films/Show", "lies inside the library 'films'"),
        (".", "holds the library 'films'"),
    ],
)
def test_a_path_that_cannot_be_a_library_is_refused(
    shell: Shell, films: Path, path: str, sentence: str
) -> None:
    """Each wrong path is one sentence on standard error and exit code 1."""
    shell("library", "add", str(films))
    answer = shell("library", "add", path)
    assert (answer.code, answer.out) == (1, "")
    assert sentence in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_database_server_that_does_not_answer_ends_with_three(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreachable PostgreSQL is told apart from failures of this machine, by commands and by the doctor."""
    monkeypatch.setenv("EXSTREAM_DATABASE_URL", "postgresql://u@127.0.0.1:1/x")
    answer = shell("library", "list")
    assert (answer.code, "PostgreSQL cannot be reached" in answer.err) == (3, True)
    assert shell("doctor").code == 3


def test_a_damaged_database_is_one_sentence(shell: Shell) -> None:
    """A file that is no database ends commands and the doctor with 1 and says what to do."""
    shell.data.mkdir()
    (shell.data / "exstream.db").write_bytes(b"not a database at all" * 100)
    answer = shell("library", "list")
    assert (answer.code, "is no SQLite database: name another file" in answer.err) == (1, True)
    diagnosis = shell("doctor")
    assert (diagnosis.code, "is no SQLite database" in diagnosis.out) == (1, True)


def test_channels_are_listed_and_checked(shell: Shell) -> None:
    """Sound definitions are listed and pass; before the first start the shipped ones are meant."""
    assert "1984.1" in shell("channels", "list").out
    assert not shell.data.exists()
    (shell.data / "channels").mkdir(parents=True)
    (shell.data / "channels" / "seven.yaml").write_text(CHANNEL)
    assert [channel["id"] for channel in json.loads(shell("channels", "list", "--json").out)] == ["seven"]
    checked = shell("channels", "check")
    assert (checked.code, "1 channel and 0 faults" in checked.out) == (0, True)


def test_all_faults_of_the_channels_are_told(shell: Shell) -> None:
    """Every fault of every file is told with file and line; the check fails, the list is partial, the doctor fails."""
    folder = shell.data / "channels"
    folder.mkdir(parents=True)
    (folder / "seven.yaml").write_text(CHANNEL)
    (folder / "eight.yaml").write_text(CHANNEL.replace("number: 7", "numbr: 8").replace("480p25", "999p"))
    checked = shell("channels", "check")
    assert checked.code == 1
    assert "eight.yaml:1:" in checked.out
    assert "eight.yaml:3:" in checked.out
    assert shell("channels", "list").code == 2
    assert len(json.loads(shell("channels", "check", "--json").out)["faults"]) >= 2
    assert shell("doctor").code == 1


def test_the_doctor_finds_a_sound_machine_sound(shell: Shell, films: Path) -> None:
    """With a real ffmpeg, free ports, a library and the shipped channels every line is there and none fails."""
    shell("library", "add", str(films))
    answer = shell("doctor", "--json")
    found = {check["name"]: check["state"] for check in json.loads(answer.out)}
    assert set(found) >= {
        "settings",
        "ffmpeg",
        "encoders",
        "guard",
        "font",
        "data",
        "database",
        "library",
        "clock",
    }
    assert set(found) >= {"iptv port", "tuner port", "channels"}
    assert (answer.code, "fail" in found.values()) == (0, False)


def test_the_doctor_says_what_to_do(shell: Shell, monkeypatch: pytest.MonkeyPatch, films: Path) -> None:
    """What is not well has a line of remedy beneath: a missing ffmpeg fails, a library without its disk warns."""
    shell("library", "add", str(films))
    films.rename(films.with_name("away"))
    monkeypatch.setenv("EXSTREAM_FFMPEG", "/absent/ffmpeg")
    answer = shell("doctor")
    lines = answer.out.splitlines()
    assert answer.code == 1
    remedies = {
        lines[at - 1].split()[1]: line for at, line in enumerate(lines) if line.lstrip().startswith("->")
    }
    assert set(remedies) >= {"ffmpeg", "library"}
    assert next(line for line in lines if " library " in line).startswith("warn")


def test_an_unforeseen_error_leaves_its_details_in_the_log(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --debug there is no traceback on the console: it is in the log, without secrets."""
    monkeypatch.setenv("EXSTREAM_METRICS_TOKEN", CANARY)
    this = Invocation()
    settings = this.settings()
    error = RuntimeError(f"it broke with {CANARY}")
    this.unforeseen(RuntimeError, error, None)
    told = capsys.readouterr().err
    assert str(settings.log_file) in told
    assert "Traceback" not in told
    assert "it broke with" not in told
    [entry] = [json.loads(line) for line in settings.log_file.read_text().splitlines()]
    assert "it broke with" in entry["exception"]
    assert CANARY not in json.dumps(entry)


def test_an_unforeseen_error_shows_its_traceback_for_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    """--debug shows the traceback; without settings the way to get it is told."""
    this = Invocation()
    this.unforeseen(RuntimeError, RuntimeError("it broke"), None)
    assert "exstream --debug" in capsys.readouterr().err
    this.debug = True
    this.unforeseen(RuntimeError, RuntimeError("it broke"), None)
    assert "RuntimeError: it broke" in capsys.readouterr().err
