"""What every test may ask for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests import programs

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
_DEMO = "tests/acceptance/"

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> "LoadScopeScheduling":
    """Keep the tests of a file, and all that share the demo, in one process where several run them."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc] # it comes without types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return _DEMO if file.startswith(_DEMO) else file

    return ByFile(config, log)


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
