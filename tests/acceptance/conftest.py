"""The demo as a newcomer has it: one server with its own media, made once for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reliability.library import PROFILES
from tests.reliability.patience import eventually
from tests.reliability.server import Server, served


@pytest.fixture(scope="session")
def fresh_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the demo from its first start on; its longer clips may still be in the making."""
    server = Server(tmp_path_factory.mktemp("demo"), linger_seconds=1)
    server.data_dir.mkdir()
    (server.data_dir / "exstream.yaml").write_text(PROFILES)
    with served(server):
        yield server


@pytest.fixture(scope="session")
def demo(fresh_demo: Server) -> Server:
    """Return the demo once all of its clips are made."""
    eventually(
        lambda: any(job["name"] == "demo library" and job["finished"] for job in fresh_demo.json("jobs")),
        "the demo library is made",
        seconds=600,
        pause=0.5,
    )
    assert {job["state"] for job in fresh_demo.json("jobs")} == {"done"}
    return fresh_demo
