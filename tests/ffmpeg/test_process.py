"""The owner of processes: whatever happens, nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from exstream.errors import FeedError
from exstream.ffmpeg.guard import clean_environment, prctl_guard, setpriv_guard
from exstream.ffmpeg.process import Process, Processes

pytestmark = pytest.mark.anyio

DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"


@pytest.fixture
async def shell() -> AsyncIterator[Processes]:
    """Yield an owner whose program is the shell."""
    async with Processes("/bin/sh") as processes:
        yield processes


async def say(processes: Processes, script: str) -> Process:
    """Start ``script`` and wait for its first output."""
    process = await processes.start(("-c", script), name="script")
    assert await process.read()
    return process


def alive(pid: int) -> bool:
    """Tell whether ``pid`` runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone_within(seconds: float, *pids: int) -> bool:
    """Wait until none of ``pids`` runs."""
    give_up = time.monotonic() + seconds
    while any(map(alive, pids)):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def open_files() -> int:
    """Return how many descriptors this process holds."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_what_a_command_says_and_how_it_ends_is_returned(shell: Processes) -> None:
    """Output, last words and return code of a short command come back together."""
    done = await shell.run(("-c", "echo out; echo err >&2; exit 3"), 5, name="talk")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", "err", 3)
    assert shell.running() == ()


async def test_a_program_reads_what_it_is_given_and_else_nothing(shell: Processes) -> None:
    """Standard input is the given bytes, or empty: no program ever waits for a keyboard."""
    assert (await shell.run(("-c", "cat"), 5, name="cat", stdin=b"x" * 300_000)).stdout == b"x" * 300_000
    assert (await shell.run(("-c", "cat"), 5, name="cat")).stdout == b""


async def test_a_command_that_takes_too_long_is_killed(shell: Processes) -> None:
    """The deadline raises TimeoutError, and the process is gone by then."""
    with pytest.raises(TimeoutError):
        await shell.run(("-c", "sleep 100"), 0.1, name="slow")
    assert shell.running() == ()


async def test_a_deaf_process_is_killed_after_its_grace(shell: Processes) -> None:
    """SIGTERM is asked first; a second later the whole group is killed, and stop returns."""
    process = await say(shell, DEAF)
    begun = time.monotonic()
    await process.stop()
    assert 0.9 <= time.monotonic() - begun < 5
    assert process.returncode == -signal.SIGKILL
    assert not alive(process.pid)


async def test_a_polite_process_ends_at_once(shell: Processes) -> None:
    """A process that obeys SIGTERM costs no grace; stopping again costs nothing."""
    process = await say(shell, "echo ready; exec sleep 100")
    begun = time.monotonic()
    await process.stop()
    await process.stop()
    assert time.monotonic() - begun < 0.9
    assert process.returncode == -signal.SIGTERM


async def test_a_stopped_process_is_killed_too(shell: Processes) -> None:
    """A process that hangs in SIGSTOP cannot obey; it is killed all the same."""
    process = await say(shell, "echo ready; exec sleep 100")
    os.kill(process.pid, signal.SIGSTOP)
    await process.stop()
    assert process.returncode in {-signal.SIGKILL, -signal.SIGTERM}


async def test_what_a_process_started_goes_with_it(shell: Processes) -> None:
    """Children of a child end when it is stopped, and when it ends by itself."""
    stopped = await shell.start(("-c", "sleep 100 & echo $!; wait"), name="parent")
    first = int(await stopped.read())
    left = await shell.start(("-c", "sleep 100 & echo $!"), name="parent")
    second = int(await left.read())
    assert await left.wait() == 0
    await stopped.stop()
    await left.stop()
    assert gone_within(2, first, second)


async def test_leaving_the_block_stops_everything() -> None:
    """Nothing outlives its owner, deaf or not, and nothing new is started after it."""
    async with Processes("/bin/sh") as processes:
        pids = [(await say(processes, script)).pid for script in (DEAF, "echo ready; exec sleep 100", DEAF)]
    assert not any(map(alive, pids))
    assert processes.running() == ()
    with pytest.raises(FeedError, match="the server is stopping"):
        await processes.start(("-c", "true"), name="late")


async def test_leaving_the_block_by_cancellation_stops_everything() -> None:
    """A cancelled owner still waits until its processes are gone."""
    pids: list[int] = []

    async def own() -> None:
        async with Processes("/bin/sh") as processes:
            pids.append((await say(processes, DEAF)).pid)
            await asyncio.Event().wait()

    task = asyncio.create_task(own())
    while not pids:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(pids[0])


async def test_cancelling_a_stop_kills_at_once(shell: Processes) -> None:
    """Who has no time for the grace gives none: the process is killed, not forgotten."""
    process = await say(shell, DEAF)
    stop = asyncio.create_task(process.stop())
    await asyncio.sleep(0.05)
    stop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stop
    assert await process.wait() == -signal.SIGKILL


async def test_starts_and_cancellations_leak_nothing(shell: Processes) -> None:
    """After 200 processes, most of them cancelled at a random moment, no descriptor and no process is left."""
    luck = random.Random(8)
    counted: list[int] = []
    shell._count = counted.append

    async def once() -> None:
        await shell.run(("-c", "echo x; exec sleep 0.02"), 5, name="brief")

    await once()
    before = open_files()
    for _ in range(20):
        tasks = [asyncio.create_task(once()) for _ in range(10)]
        for task in tasks:
            await asyncio.sleep(luck.random() * 0.004)
            if luck.random() < 0.8:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert shell.running() == ()
    assert open_files() == before
    assert counted[-1] == 0
    assert max(counted) > 1


async def test_a_full_pipe_holds_the_writer_back(shell: Processes) -> None:
    """A program runs ahead by what its pipe holds and no further; closing the pipe ends it."""
    process = await shell.start(("-c", "exec cat /dev/zero"), name="zeros", pipe_bytes=65_536)
    await asyncio.sleep(0.2)
    taken = len(os.read(process.fd, 1_000_000))
    assert taken <= 65_536
    assert process.returncode is None
    process.close_output()
    assert await process.wait() == -signal.SIGPIPE
    assert process.fd == -1


async def test_reading_ends_when_the_pipe_is_closed_under_it(shell: Processes) -> None:
    """A reader that waits for a silent process is woken by its stop."""
    process = await say(shell, "echo ready; exec sleep 100")
    reader = asyncio.create_task(process.read())
    await asyncio.sleep(0.02)
    await process.stop()
    assert await reader == b""


async def test_only_the_last_words_are_kept(shell: Processes) -> None:
    """Whatever a program complains about for hours, memory stays bounded and the end is there."""
    script = "i=0; while [ $i -lt 30000 ]; do echo line $i of a long complaint >&2; i=$((i+1)); done"
    process = await shell.start(("-c", script), name="loud")
    await process.wait()
    lines = process.stderr().splitlines()
    assert len(lines) == 20
    assert lines[-1] == "line 29999 of a long complaint"
    assert len(process._words) <= 65_536


async def test_children_gain_no_privileges_and_know_no_secrets() -> None:
    """The environment holds a few harmless names, and no_new_privs is set; each leads a session of its own."""
    environment = {"PATH": os.environ["PATH"], "EXSTREAM_METRICS_TOKEN": "canary", "PLEX_TOKEN": "canary"}
    async with Processes("/bin/sh", environment=environment) as processes:
        told = await processes.run(
            ("-c", "env; cat /proc/self/status; ps -o sid= -p $$; echo $$"), 5, name="env"
        )
    text = told.stdout.decode()
    assert "canary" not in text
    assert "NoNewPrivs:\t1" in text
    assert "LC_ALL=C.UTF-8" in text
    assert len(set(text.split()[-2:])) == 1


def test_the_environment_passes_on_what_drivers_need() -> None:
    """Hardware encoders find their drivers; home and temporary files lie where the server says."""
    kept = clean_environment({"LIBVA_DRIVER_NAME": "iHD", "AWS_SECRET": "x"}, "/somewhere")
    assert kept["LIBVA_DRIVER_NAME"] == "iHD"
    assert kept["HOME"] == kept["TMPDIR"] == "/somewhere"
    assert "AWS_SECRET" not in kept


async def test_a_missing_program_is_named_with_the_setting() -> None:
    """The sentence says which program is missing and what to set."""
    async with Processes("/nowhere/ffmpeg") as processes:
        with pytest.raises(
            FeedError, match="/nowhere/ffmpeg is not an executable program: set EXSTREAM_FFMPEG"
        ):
            await processes.start((), name="x")
        with pytest.raises(FeedError, match="x cannot be started"):
            await processes.start(("a\0b",), name="x", program="/bin/true")
        assert processes.running() == ()


async def test_without_pidfd_the_end_is_noticed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a kernel or in a sandbox without pidfd_open a thread waits instead."""

    def refuse(pid: int) -> int:
        raise PermissionError(pid)

    monkeypatch.setattr(os, "pidfd_open", refuse)
    async with Processes("/bin/sh") as processes:
        assert (await processes.run(("-c", "echo x"), 5, name="x")).stdout == b"x\n"
        process = await say(processes, DEAF)
    assert process.returncode == -signal.SIGKILL


async def test_without_setpriv_prctl_guards_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where setpriv is missing or too old the interpreter sets the same things."""
    monkeypatch.setattr("exstream.ffmpeg.process.setpriv_guard", lambda: ("/bin/false",))
    async with Processes("/bin/sh") as processes:
        told = await processes.run(("-c", "cat /proc/self/status"), 5, name="status")
    assert b"NoNewPrivs:\t1" in told.stdout


SERVER = """
import asyncio, sys
from exstream.ffmpeg.process import Processes
import exstream.ffmpeg.process as owner
if sys.argv[1] == "prctl":
    owner.setpriv_guard = lambda: ()
async def main():
    async with Processes("/bin/sh") as processes:
        process = await processes.start(("-c", "trap '' TERM PIPE; echo ready; exec sleep 1000"), name="deaf")
        await process.read()
        print(process.pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("guard", [setpriv_guard, lambda: prctl_guard(1)], ids=["setpriv", "prctl"])
def test_nothing_survives_the_server_even_when_it_is_killed(
    guard: Callable[[], tuple[str, ...]], tmp_path: Path
) -> None:
    """kill -9 of the server ends its processes, also those that hang and write nothing."""
    if not guard():
        pytest.skip("this system has no such guard")
    name = "prctl" if "ctypes" in " ".join(guard()) else "setpriv"
    script = tmp_path / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    with subprocess.Popen([sys.executable, script, name], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert alive(pid)
        server.kill()
    assert gone_within(3, pid)
