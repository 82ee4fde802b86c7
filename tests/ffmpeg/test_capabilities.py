"""Which ffmpeg is found, and what it is said to be able to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from exstream.errors import ConfigurationError
from exstream.ffmpeg.capabilities import (
    REQUIRED_ENCODERS,
    capabilities,
    ffmpeg_version,
    find_ffmpeg,
    version_warnings,
)
from exstream.ffmpeg.process import Processes

pytestmark = pytest.mark.anyio


def program(path: Path, script: str) -> str:
    """Write an executable script."""
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_setting_wins_then_ours_then_the_systems(
    ffmpeg: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A named ffmpeg is used or refused; else the one installed with us; else the path's; else a sentence."""
    mine = program(tmp_path / "ffmpeg", "exit 0")
    assert find_ffmpeg(mine) == mine
    assert find_ffmpeg() == ffmpeg
    with pytest.raises(ConfigurationError, match="EXSTREAM_FFMPEG is '/nowhere/ffmpeg'"):
        find_ffmpeg("/nowhere/ffmpeg")
    monkeypatch.setattr("exstream.ffmpeg.capabilities.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ffmpeg() == mine
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="there is no ffmpeg"):
        find_ffmpeg()


async def test_the_pinned_ffmpeg_can_do_all_that_is_needed(ffmpeg: str) -> None:
    """It really encodes pictures and sound, has every filter and raises no warning."""
    async with Processes(ffmpeg) as processes:
        found = await capabilities(processes)
    assert set(REQUIRED_ENCODERS) <= set(found.encoders)
    assert found.missing_filters == ()
    assert found.warnings == ()
    assert found.executable == ffmpeg
    assert found.version.startswith("n9.")


async def test_an_encoder_is_only_there_when_it_encodes(ffmpeg: str, tmp_path: Path) -> None:
    """An ffmpeg whose libx264 fails is not believed, and the sentence names what is lacking."""
    lame = program(tmp_path / "lame", f'case "$*" in *libx264*) exit 1;; esac; exec "{ffmpeg}" "$@"')
    async with Processes(lame) as processes:
        found = await capabilities(processes)
    assert "libx264" not in found.encoders
    assert "aac" in found.encoders
    assert any("cannot encode with libx264" in warning for warning in found.warnings)


async def test_missing_filters_are_named(ffmpeg: str, tmp_path: Path) -> None:
    """A trimmed-down ffmpeg is told apart by name."""
    poor = program(tmp_path / "poor", f'"{ffmpeg}" "$@" | grep -v -e " tpad " -e " bwdif "')
    async with Processes(poor) as processes:
        found = await capabilities(processes)
    assert found.missing_filters == ("tpad", "bwdif")
    assert any("tpad, bwdif" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "script", ["exit 1", "echo something else", "echo 'cannot open shared object' >&2; exit 127"]
)
async def test_a_broken_ffmpeg_is_a_sentence_about_the_setting(tmp_path: Path, script: str) -> None:
    """Whatever is wrong with it, the user reads which program it is and what to set."""
    async with Processes(program(tmp_path / "broken", script)) as processes:
        with pytest.raises(ConfigurationError, match="broken is not a working ffmpeg: set EXSTREAM_FFMPEG"):
            await ffmpeg_version(processes)


async def test_an_ffmpeg_that_does_not_answer_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hung program costs its deadline and no more."""
    monkeypatch.setattr("exstream.ffmpeg.capabilities._SECONDS", 0.2)
    async with Processes(program(tmp_path / "hung", "exec sleep 100")) as processes:
        with pytest.raises(ConfigurationError, match="did not answer"):
            await ffmpeg_version(processes)
        assert processes.running() == ()
    async with Processes("/nowhere/ffmpeg") as processes:
        with pytest.raises(ConfigurationError, match="cannot be started"):
            await ffmpeg_version(processes)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("5.1.9-0+deb12u1", "CVE-2026-8461"),
        ("5.1.10", ""),
        ("6.0", "CVE-2026-8461"),
        ("6.1.4", "CVE-2026-8461"),
        ("6.1.5", ""),
        ("7.1.6", ""),
        ("8.0.1", "CVE-2026-8461"),
        ("8.1.2", ""),
        ("n9.0.2-17-g2a571b6068", ""),
        ("4.4.2", "older than 5.1"),
        ("N-117000-gabcdef", ""),
    ],
)
def test_versions_with_known_holes_are_told(version: str, words: str) -> None:
    """Releases before the fix are named with the advisory; builds from sources say nothing."""
    warnings = version_warnings(version)
    assert bool(warnings) == bool(words)
    assert words in " ".join(warnings)


async def test_the_systems_ffmpeg_can_do_all_that_is_needed() -> None:
    """Debian's ffmpeg is good enough wherever it is installed."""
    system = shutil.which("ffmpeg")
    if system is None:
        pytest.skip("there is no system ffmpeg")
    async with Processes(system) as processes:
        found = await capabilities(processes)
    assert set(REQUIRED_ENCODERS) <= set(found.encoders)
    assert found.missing_filters == ()
