"""The layer contracts of pyproject.toml are kept, and would notice a breach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BREACHES = {
    "exstream/schedule/breach.py": ("import random", "exstream.schedule.breach -> random"),
    "exstream/mpegts/breach.py": ("import asyncio", "exstream.mpegts.breach -> asyncio"),
    "exstream/guide/breach.py": ("import exstream.schedule", "exstream.guide.breach -> exstream.schedule"),
    "exstream/model/breach.py": ("import exstream.clock", "exstream.model.breach -> exstream.clock"),
    "exstream/playout/breach.py": ("import exstream.store", "exstream.playout.breach -> exstream.store"),
    "exstream/jobs/breach.py": ("import sqlalchemy", "exstream.jobs.breach -> sqlalchemy"),
    "exstream/store/breach.py": ("import httpx", "exstream.store.breach -> httpx"),
    "exstream/ffmpeg/breach.py": ("import fastapi", "exstream.ffmpeg.breach -> fastapi"),
    "exstream/web/breach.py": ("import av", "exstream.web.breach -> av"),
    "exstream/stray.py": ("", "exstream.stray"),
}


def _verdict(folder: Path) -> tuple[int, str]:
    argv = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the package and its contracts."""
    shutil.copytree(ROOT / "exstream", tmp_path / "exstream", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_layers_are_kept(checkout: Path) -> None:
    """Every import goes down a row, and each library is known by its owner alone."""
    code, report = _verdict(checkout)
    assert code == 0, report
    assert "0 broken" in report


def test_every_contract_notices_its_breach(checkout: Path) -> None:
    """Imports that the design forbids, and a module that it does not know, are named in the report."""
    for name, (text, _) in BREACHES.items():
        (checkout / name).write_text(f'"""A breach."""\n\n{text}\n', encoding="utf-8")
    code, report = _verdict(checkout)
    assert code == 1
    assert "0 kept" in report
    assert [expected for _, expected in BREACHES.values() if expected not in report] == []
