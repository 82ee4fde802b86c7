"""One server for one data directory: two would plan the same channels twice and be one tuner in two places."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exstream.errors import StoreError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment] # there is nothing to lock with

FILE = "server.lock"


@contextmanager
def occupied(data_dir: Path) -> Iterator[None]:
    """Hold ``data_dir`` for as long as the block lasts; raises StoreError when it cannot be written or is held."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        held = (data_dir / FILE).open("a+", encoding="ascii")
    except OSError as error:
        raise StoreError(
            f"the data directory {data_dir} cannot be made or written ({error.strerror}): "
            "set EXSTREAM_DATA_DIR to a folder that the server may write"
        ) from error
    with held:
        if fcntl is not None:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                held.seek(0)
                raise StoreError(
                    f"{data_dir} is in use by another Exstream (process {held.read().strip() or 'unknown'}): "
                    "stop it, or set EXSTREAM_DATA_DIR to a folder of this one's own"
                ) from error
            except OSError:
                pass  # a file system without locks
        _sign(held.fileno())
        yield


def _sign(fd: int) -> None:
    """Write who holds the directory; on a full disk nobody is told, and that is all."""
    try:
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
    except OSError:
        return
