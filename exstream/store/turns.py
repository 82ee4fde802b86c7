"""Who of several programs on one data directory writes what is known of a server now: one at a time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.model.server import ServerId

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment] # there is nothing to lock with

FOLDER = "turns"
POLL_SECONDS = 0.25


def _nothing() -> None:
    """Tell nobody."""


class Turns:
    """The turns of all servers, by locks that end with the program which holds them."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._folder = data_dir / FOLDER
        self._clock = clock

    @asynccontextmanager
    async def taken(
        self, server: ServerId, *, gives_way: bool = False, waiting: Callable[[], None] = _nothing
    ) -> AsyncIterator[None]:
        """Have the turn for as long as the block lasts; ``waiting`` is called once where another program has it.

        Who ``gives_way`` comes after all others that wait. Raises StoreError where the data directory cannot be used.
        """
        while gives_way and self.wanted(server):
            await self._clock.sleep(POLL_SECONDS)
        with self._file(server, "lock") as turn, self._file(server, "wanted") as queue:
            if not _locked(turn):
                queued = gives_way or _locked(queue, shared=True)
                waiting()
                while not _locked(turn):
                    await self._clock.sleep(POLL_SECONDS)
                    # Whoever asked just then whether somebody waits had it for an instant.
                    queued = queued or _locked(queue, shared=True)
                _unlock(queue)
            yield

    def wanted(self, server: ServerId) -> bool:
        """Tell whether somebody waits for the turn."""
        with self._file(server, "wanted") as queue:
            return not _locked(queue)

    def mark(self) -> None:
        """Note that something was changed by this program: a server that runs takes it up."""
        with suppress(OSError):  # a server that starts later reads everything anyway
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "changed").write_text(f"{os.getpid()} {self._clock.now_ms()}\n", "ascii")

    def marked(self) -> str:
        """Return what is different after each `mark`."""
        with suppress(OSError):
            return (self._folder / "changed").read_text("ascii", "replace")
        return ""

    def _file(self, server: ServerId, kind: str) -> IO[bytes]:
        name = blake2b(server.encode(), digest_size=8).hexdigest()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return (self._folder / f"{name}.{kind}").open("ab")
        except OSError as error:
            raise StoreError(
                f"{self._folder} cannot be made or written ({error.strerror}): make the data directory writable"
            ) from error


def _locked(file: IO[bytes], *, shared: bool = False) -> bool:
    """Lock ``file`` if nobody else has; True where the file system has no locks."""
    if fcntl is not None:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a file system without locks
    return True


def _unlock(file: IO[bytes]) -> None:
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
