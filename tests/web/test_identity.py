"""The tuner's identity."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exstream.errors import ConfigurationError
from exstream.guide.device import is_valid
from exstream.web.identity import FILE, load_device


def test_the_identity_is_made_once_and_kept(tmp_path: Path) -> None:
    """The first start makes a valid identity, later ones find the same; only its owner may read it."""
    first = load_device(tmp_path / "new", "Exstream")
    assert load_device(tmp_path / "new", "Exstream") == first
    assert is_valid(first.device_id)
    assert first.device_id.startswith("10A")
    assert len(first.auth) == 24
    assert (tmp_path / "new" / FILE).stat().st_mode & 0o777 == 0o600


def test_the_name_is_the_settings(tmp_path: Path) -> None:
    """A new name does not change who the tuner is."""
    first, second = load_device(tmp_path, "One"), load_device(tmp_path, "Two")
    assert (first.device_id, second.friendly_name) == (second.device_id, "Two")


def test_two_servers_are_two_tuners(tmp_path: Path) -> None:
    """Identities are random."""
    made = {load_device(tmp_path / str(n), "x").auth for n in range(5)}
    assert len(made) == 5


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"device_id": "10A12345"}', '{"device_id": "12345678", "udn": "x", "auth": "y"}',
     '{"device_id": 5, "udn": "x", "auth": "y"}', '{"device_id": "FFFFFFFF", "udn": "x", "auth": "y"}', "\xff"],
)  # fmt: skip
def test_a_corrupt_file_is_never_replaced(tmp_path: Path, text: str) -> None:
    """What cannot be read is named, with what to do, and stays as it is."""
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="restore it from a backup"):
        load_device(tmp_path, "Exstream")
    assert (tmp_path / FILE).read_bytes() == text.encode("latin-1")


def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    """Where nothing can be kept, the sentence names the file."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"device\.json"):
        load_device(tmp_path / "file", "Exstream")
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 -- names are enough
