"""`exstream channels` says what copying brings."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from exstream.cli.sending import Sending
from exstream.model.profiles import SHIPPED
from exstream.model.programme import Way
from tests.cli.test_commands import Shell, shell

__all__ = ["shell"]

CHANNEL = "number: 7\nname: Mine\nprofile: copy\nprogrammes:\n  - pool: {library: mine}\n"


@pytest.fixture
def mixed(tmp_path: Path, ffmpeg: str) -> Path:
    """Return a folder with a film to copy, one with other sound, and two short ones to encode."""
    folder = tmp_path / "mine"
    folder.mkdir()
    source = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=160x96:r=25:d=6",
        "-f",
        "lavfi",
        "-i",
        "sine=d=6:r=48000",
    ]
    h264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-ac", "2"]
    for name, arguments in {
        "Copied (2001).mkv": [*h264, "-c:a", "aac"],
        "Surround (2002).mkv": [*h264, "-c:a", "ac3"],
        "Old (2003).mkv": ["-c:v", "mpeg2video", "-t", "2"],
        "Larger (2004).mkv": [*h264, "-s", "320x180", "-t", "2"],
    }.items():
        subprocess.run([ffmpeg, *source, *arguments, str(folder / name)], check=True)
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    return folder


def define(shell: Shell, text: str = CHANNEL) -> None:
    """Write the channel's file."""
    (shell.data / "channels").mkdir(parents=True, exist_ok=True)
    (shell.data / "channels" / "mine.yaml").write_text(text)


def test_the_format_and_the_hours_of_each_way_are_told(shell: Shell, mixed: Path) -> None:
    """Check and list say what a channel that copies would be sent in, and what of it is copied and encoded."""
    define(shell)
    assert shell("library", "add", str(mixed)).code == 0
    sentence = "160x96 at 25 pictures/s: 6 s sent as it is, 6 s with its sound encoded, 4 s encoded"
    checked = shell("channels", "check")
    assert (checked.code, f"mine: {sentence}\n" in checked.out) == (0, True)
    assert f"{sentence}\n" in shell("channels", "list").out
    [listed] = json.loads(shell("channels", "list", "--json").out)
    assert listed["copying"]["width"] == 160
    assert set(listed["copying"]["hours"]) == {"copy", "audio", "transcode"}
    assert json.loads(shell("channels", "check", "--json").out)["copying"] == {"mine": listed["copying"]}


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ((75_000, 0, 75_000), "1 min 15 s sent as it is, 1 min 15 s encoded"),
        ((30_000, 60_000, 60_000), "30 s sent as it is, 1 min with its sound encoded, 1 min encoded"),
        ((59_600, 0, 400), "1 min sent as it is, 0 s encoded"),
        ((3_600_000, 0, 5_400_000), "1.0 h sent as it is, 1.5 h encoded"),
    ],
)
def test_short_lengths_add_up(lengths: tuple[int, int, int], said: str) -> None:
    """Below an hour minutes and seconds are told, so that nothing is lost in rounding."""
    profile = SHIPPED[0]
    sentence = Sending(profile, dict(zip(Way, lengths, strict=True)), {}).sentence()
    assert sentence.partition(": ")[2] == said


def test_nothing_to_copy_is_told(shell: Shell, mixed: Path) -> None:
    """A channel whose items cannot be copied, and one without items, are told so; neither is a fault."""
    define(shell, CHANNEL.replace("{library: mine}", "{title: Old}"))
    checked = shell("channels", "check")
    assert (checked.code, "its pools hold nothing yet" in checked.out) == (0, True)
    assert shell("library", "add", str(mixed)).code == 0
    checked = shell("channels", "check")
    assert checked.code == 0
    assert (
        "nothing of it can be sent as it is, 2 s are encoded\n    encoded: Old: its pictures are mpeg2video, not H.264"
        in checked.out
    )


def test_channels_that_encode_ask_no_library(shell: Shell) -> None:
    """Only channels that copy need to know the library: a database that cannot be read costs them a sentence."""
    define(shell, CHANNEL.replace("copy", "480p25").replace("library: mine", "kind: film"))
    (shell.data / "exstream.db").write_text("no database")
    plain = shell("channels", "check")
    assert (plain.code, plain.err) == (0, "")
    define(shell)
    checked = shell("channels", "check")
    assert (checked.code, "1 channel and 0 faults" in checked.out) == (0, True)
    assert "what can be sent as it is is not known" in checked.err
