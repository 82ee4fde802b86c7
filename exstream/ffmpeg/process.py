"""The one owner of processes: started, counted, and gone before the block is left.

A process is started without a single await, so that no cancellation can fall between its birth and its registration. It
leads a session of its own, writes into our pipe, and dies with the server even when that is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from exstream.errors import FeedError
from exstream.ffmpeg.guard import clean_environment, prctl_guard, setpriv_guard

GRACE_SECONDS = 1.0
"""How long a process may take to end by itself."""
PIPE_BYTES = 262_144
_STDERR_BYTES = 65_536
_STDERR_LINES = 20
_RUN_LINES = 1_000
_CHUNK = 65_536
_OPEN_FILES = 256
_OOM_SCORE = 500
"""When memory runs out the kernel takes an encoder, not the server."""


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """What a short command said and how it ended."""

    stdout: bytes
    stderr: str
    returncode: int


class Process:
    """A running program. Its pipe's read end is ``fd``: non-blocking, -1 once it is closed."""

    def __init__(
        self, name: str, child: subprocess.Popen[bytes], fd: int, stderr: int, gone: Callable[[Process], None]
    ) -> None:
        self.name = name
        self.fd = fd
        self._child = child
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._exit: asyncio.Future[int] = self._loop.create_future()
        self._ready: asyncio.Future[None] | None = None
        self._words = bytearray()
        self._stderr = stderr
        self._loop.add_reader(stderr, self._hear)
        self._pidfd = self._watch()

    def __repr__(self) -> str:
        return f"<Process {self.name} pid {self.pid} returncode {self.returncode}>"

    @property
    def pid(self) -> int:
        """The process id; also its group's and its session's."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._exit.result() if self._exit.done() else None

    def stderr(self, lines: int = _STDERR_LINES) -> str:
        """Return its last words: at most ``lines`` lines, of at most 64 kB."""
        return "\n".join(self._words.decode(errors="replace").splitlines()[-lines:])

    async def read(self) -> bytes:
        """Return the next bytes of its output; empty at the end."""
        while self.fd >= 0:
            try:
                return os.read(self.fd, _CHUNK)
            except BlockingIOError:
                await self._readable()
        return b""

    async def wait(self) -> int:
        """Return how it ended, once it has."""
        return await asyncio.shield(self._exit)

    async def stop(self) -> None:
        """Close its pipe and end it: politely, after a second by force. It is gone when this returns."""
        self.close_output()
        if not self._exit.done():
            try:
                self._signal(signal.SIGTERM)
                async with asyncio.timeout(GRACE_SECONDS):
                    await self.wait()
            except TimeoutError:
                pass
            finally:
                self._signal(signal.SIGKILL)
        await self.wait()

    def kill(self) -> None:
        """End it at once; what it has written can still be read to its end."""
        self._signal(signal.SIGKILL)

    def close_output(self) -> None:
        """Close our end of its pipe: a program that writes on ends by itself. May be called more than once."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            self._loop.remove_reader(fd)
            os.close(fd)
            self._wake()

    async def _readable(self) -> None:
        self._ready = self._loop.create_future()
        self._loop.add_reader(self.fd, self._wake)
        try:
            await self._ready
        finally:
            if self.fd >= 0:
                self._loop.remove_reader(self.fd)

    def _wake(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    def _signal(self, number: signal.Signals) -> None:
        if not self._exit.done():  # until it is reaped the number is its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _hear(self) -> None:
        try:
            while words := os.read(self._stderr, _CHUNK):
                self._words += words
                del self._words[:-_STDERR_BYTES]
        except BlockingIOError:
            return
        self._hang_up()

    def _hang_up(self) -> None:
        if self._stderr >= 0:
            self._loop.remove_reader(self._stderr)
            os.close(self._stderr)
            self._stderr = -1

    def _watch(self) -> int:
        """Have `_ended` called when the process ends; return the descriptor that tells, or -1."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except (OSError, AttributeError):  # an old kernel, another system, a strict sandbox
            threading.Thread(target=self._wait_in_thread, name=f"wait-{self.pid}", daemon=True).start()
            return -1
        self._loop.add_reader(pidfd, self._ended)
        return pidfd

    def _wait_in_thread(self) -> None:
        self._child.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        self._signal(signal.SIGKILL)  # whatever it started itself goes with it
        returncode = self._child.wait()
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1
        if self._stderr >= 0:
            self._hear()
            self._hang_up()
        self._exit.set_result(returncode)
        self._gone(self)


class Processes:
    """Starts processes and answers for them; leaving the block ends every one of them.

    ``executable`` is ffmpeg; ``count`` is told the number of running processes whenever it changes; ``environment``
    is the server's, of which children see a few names.
    """

    def __init__(
        self,
        executable: str,
        *,
        environment: Mapping[str, str] | None = None,
        count: Callable[[int], object] = lambda _: None,
        directory: str | None = None,
    ) -> None:
        self.executable = executable
        self._directory = directory or tempfile.gettempdir()
        self._environment = clean_environment(environment or os.environ, self._directory)
        self._count = count
        self._running: dict[int, Process] = {}
        self._guard: tuple[str, ...] = ()
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        self._guard = setpriv_guard()
        if not self._guard or not await self._guard_works():
            self._guard = prctl_guard(os.getpid())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        stopping = asyncio.ensure_future(self._stop_all())
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            await stopping
            raise

    def running(self) -> tuple[Process, ...]:
        """Return the processes that have not ended, oldest first."""
        return tuple(self._running.values())

    async def start(
        self,
        argv: Sequence[str],
        *,
        name: str,
        pipe_bytes: int = PIPE_BYTES,
        program: str | None = None,
        stdin: bytes | int = b"",
        nice: int = 0,
    ) -> Process:
        """Start ``program`` (ffmpeg) with the arguments ``argv``; raises `FeedError` when the system refuses.

        ``stdin`` is what it can read, or a descriptor that it reads from and that stays the caller's to close;
        ``pipe_bytes`` is how far it may run ahead of us, ``nice`` how far it stands back.
        """
        if not self._open:
            raise FeedError(f"{name} is not started: the server is stopping")
        command = [*self._guard, _absolute(program or self.executable), *argv]
        try:
            child, out, err = self._spawn(command, stdin, pipe_bytes)
        except (OSError, ValueError) as fault:
            raise FeedError(f"{name} cannot be started: {fault}") from fault
        _tame(child.pid, nice)
        process = Process(name, child, out, err, self._forget)
        self._running[child.pid] = process
        self._count(len(self._running))
        return process

    async def run(
        self,
        argv: Sequence[str],
        timeout: float,
        *,
        name: str,
        program: str | None = None,
        stdin: bytes = b"",
        nice: int = 0,
    ) -> CompletedRun:
        """Run a short command to its end; raises TimeoutError when it takes longer than ``timeout`` seconds."""
        process = await self.start(argv, name=name, program=program, stdin=stdin, nice=nice)
        stdout = bytearray()
        try:
            async with asyncio.timeout(timeout):
                while chunk := await process.read():
                    stdout += chunk
                returncode = await process.wait()
        finally:
            await process.stop()
        return CompletedRun(bytes(stdout), process.stderr(_RUN_LINES), returncode)

    async def _guard_works(self) -> bool:
        true = shutil.which("true") or "/bin/true"
        try:
            return (await self.run((), 5, name="setpriv", program=true)).returncode == 0
        except (FeedError, TimeoutError):
            return False

    async def _stop_all(self) -> None:
        while self._running:
            await asyncio.gather(*(process.stop() for process in self.running()))

    def _forget(self, process: Process) -> None:
        del self._running[process.pid]
        self._count(len(self._running))

    def _spawn(
        self, command: Sequence[str], stdin: bytes | int, pipe_bytes: int
    ) -> tuple[subprocess.Popen[bytes], int, int]:
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            out, out_end = _pipe(ours, theirs)
            err, err_end = _pipe(ours, theirs)
            _enlarge(out, pipe_bytes)
            source = stdin if isinstance(stdin, int) else subprocess.DEVNULL
            if isinstance(stdin, bytes) and stdin:
                text = theirs.enter_context(tempfile.TemporaryFile(dir=self._directory))
                text.write(stdin)
                text.seek(0)
                source = text.fileno()
            child = subprocess.Popen(
                command,
                stdin=source,
                stdout=out_end,
                stderr=err_end,
                env=self._environment,
                cwd=self._directory,
                start_new_session=True,
            )
            ours.pop_all()
            return child, out, err


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    """Return a pipe whose read end is non-blocking and ours, and whose write end is closed with ``theirs``."""
    read_end, write_end = os.pipe()
    ours.callback(os.close, read_end)
    theirs.callback(os.close, write_end)
    os.set_blocking(read_end, False)
    return read_end, write_end


def _enlarge(fd: int, size: int) -> None:
    """Ask for a pipe of ``size`` bytes; a user's limit may leave it smaller, which costs a little speed."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size)
        except OSError as fault:
            if fault.errno not in {errno.EPERM, errno.EBUSY}:
                raise


def _absolute(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise FeedError(f"{program} is not an executable program: set EXSTREAM_FFMPEG to one")
    return str(Path(found).absolute())


def _tame(pid: int, nice: int) -> None:
    """Bound what the child may use; it may already be gone, or the system may not know the limit."""
    with contextlib.suppress(OSError):
        if nice:
            os.setpriority(os.PRIO_PROCESS, pid, nice)
        if hasattr(resource, "prlimit"):
            resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
            Path(f"/proc/{pid}/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
