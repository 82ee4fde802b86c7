"""The server as a process: how it is started, and that it ends with whoever started it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from load.plex_server import empty_library, plex_server

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "load.plex_server"]
pytestmark = pytest.mark.anyio


def test_it_explains_itself() -> None:
    """``--help`` names the libraries and ports."""
    told = subprocess.run(
        [*COMMAND, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert {"--library", "--port", "--guard"} <= set(told.stdout.replace(",", " ").split())


def test_it_ends_with_its_parent() -> None:
    """A guarded server goes when its standard input ends, however its parent went."""
    with subprocess.Popen(
        [*COMMAND, "--guard"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert httpx.get(f"{told['url']}/identity", trust_env=False).status_code == 200
        process.stdin.close()
        assert process.wait(10) == 0


async def test_two_servers_share_keys_and_nothing_else() -> None:
    """Several run at once, each with its own identity, ports and library, and are gone after the block."""
    async with (
        plex_server(empty_library(), machine="a") as one,
        plex_server(empty_library(), machine="b") as two,
    ):
        assert one.url != two.url
        for plex, title in ((one, "First"), (two, "Second")):
            section = plex.add_section("movie", "Films", "/data")
            assert plex.add("movie", title, section=section, versions=[{}]) == 1
            assert plex.find(title)["section"] == section
        assert {one.machine, two.machine} == {"a", "b"}
    deadline = time.monotonic() + 60
    while psutil.pid_exists(one.pid) or psutil.pid_exists(two.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{one.url}/identity", trust_env=False)


def test_a_token_is_not_in_what_is_printed_of_a_server() -> None:
    """Looking at the client in a failing test shows no token."""
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(10) == 0
    from load.plex_server import PlexServer

    assert told["token"] not in repr(PlexServer(**told))
