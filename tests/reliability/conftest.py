"""What the stories about failures share: some whole clips, and a server that airs them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import material
from tests.reliability.library import channel, settle, station
from tests.reliability.server import Server, served

FILMS = ("amber", "birch", "cedar", "dogwood")
FILM_SECONDS = 6
CHANNELS = {
    "one": channel("1", "Channel One", order="chronological"),
    "two": channel("2.5", "Channel Two"),
    "three": channel("3", "Channel Three", profile="cinema"),
}


@pytest.fixture(scope="session")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make four clips of 6 s, whole and alike; copy them to harm them."""
    folder = tmp_path_factory.mktemp("reel") / "films"
    folder.mkdir()
    for place, name in enumerate(FILMS):
        material.clip(folder, f"{name}.mp4", seconds=FILM_SECONDS, tone=300 + 60 * place)
    settle(folder)
    return folder


@pytest.fixture(scope="session")
def published(reel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish three channels of the clips once; return the folder that holds ``films`` and the server's ``data``."""
    home = tmp_path_factory.mktemp("published")
    shutil.copytree(reel, home / "films")
    made = station(home, home / "films", CHANNELS)
    with served(made):
        made.terminate()
    return home


@pytest.fixture
def films(reel: Path, published: Path) -> Path:
    """Return the library's folder with its clips whole; a test may harm them."""
    shutil.rmtree(published / "films")
    return Path(shutil.copytree(reel, published / "films"))


@pytest.fixture
def prepared(films: Path, published: Path, tmp_path: Path) -> Server:
    """Return a server with three channels, not yet started; channel one airs the films in the order of their names."""
    home = tmp_path / "server"
    shutil.copytree(published / "data", home / "data")
    return Server(home, demo="false", horizon_days=2, linger_seconds=1)


@pytest.fixture
def server(prepared: Server) -> Iterator[Server]:
    """Run that server."""
    with served(prepared):
        yield prepared
