"""Shipped data is found in a checkout and in an installed wheel."""

import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hatchling.builders.wheel import WheelBuilder

from exstream.resources import data_path

ROOT = Path(__file__).resolve().parents[1]


def test_a_checkout_uses_its_own_folders() -> None:
    """What a developer edits is what the server reads."""
    assert data_path("migrations") == ROOT / "migrations"


def test_a_missing_folder_says_what_to_do() -> None:
    """An incomplete installation is named as such."""
    with pytest.raises(FileNotFoundError, match="install exstream again"):
        data_path("no-such-data")


def _load(path: Path) -> ModuleType:
    spec = spec_from_file_location("installed_resources", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_wheel_carries_channels_and_migrations(tmp_path: Path) -> None:
    """Unpacked anywhere, the wheel finds its own channels, migrations and templates."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    installed = tmp_path / "site" / "exstream"
    resources = _load(installed / "resources.py")
    for name, pattern in (("channels", "*.yaml"), ("migrations", "env.py")):
        folder = resources.data_path(name)
        assert folder == installed / "_data" / name
        assert sorted(p.name for p in folder.glob(pattern)) == sorted(
            p.name for p in (ROOT / name).glob(pattern)
        )
        assert any(folder.glob(pattern))
    pages = {
        p.relative_to(ROOT)
        for p in (ROOT / "exstream" / "web").rglob("*")
        if p.suffix in {".html", ".css", ".js"}
    }
    assert all((tmp_path / "site" / page).is_file() for page in pages)
