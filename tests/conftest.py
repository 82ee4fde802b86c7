"""What every test may ask for."""

from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests import programs

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile(
    "exstream",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=programs.STRICT,
)
settings.load_profile("exstream")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on asyncio's own loop."""
    return "asyncio", {"use_uvloop": False}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes run the tests, keep a file's in one of them, and those that share the demo."""
    for item in items:
        folder = item.path.parent
        group = folder if folder.name == "acceptance" else item.path
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(ROOT))))


@pytest.fixture(autouse=True)
def _logs_of_their_own() -> Iterator[None]:
    """Undo what a command that ran in this process has set for logs."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """Return the path of the pinned ffmpeg."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """Return the folder of real footage (TEST_MEDIA, else ``../shared/media`` beside the repository)."""
    return programs.real_footage(ROOT)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Yield the address of an empty database on a PostgreSQL server that lives as long as the test run."""
    with programs.postgres_server() as url:
        yield url
