"""Whether files can be read, found out in threads of its own: a share that hangs holds up nobody else's files."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

from exstream.errors import FileUnavailable

AT_ONCE = 4
"""How many files of one folder are looked at together."""
PATIENCE = 1.0
"""How long one more waits for its turn, in seconds: a folder that gives no answer in that time gives none at all."""


class Reachable:
    """Looks at files. The threads are daemons: one that hangs does not keep the server from ending."""

    def __init__(self) -> None:
        self._under_way: Counter[Path] = Counter()
        self._answered = asyncio.Event()

    async def check(self, path: str) -> None:
        """Return when the file at ``path`` can be read; raises `FileUnavailable` with a sentence when it cannot."""
        folder = Path(path).parent
        await self._turn(folder)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[FileUnavailable | None] = loop.create_future()
        self._under_way[folder] += 1

        def tell(fault: FileUnavailable | None) -> None:
            self._under_way[folder] -= 1
            self._answered.set()
            self._answered = asyncio.Event()
            if not answer.done():
                answer.set_result(fault)

        def look() -> None:
            fault = None
            try:
                check_readable(path)
            except FileUnavailable as found:
                fault = found
            with suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(tell, fault)

        threading.Thread(target=look, name="reachable", daemon=True).start()
        fault = await answer
        if fault is not None:
            raise fault

    async def _turn(self, folder: Path) -> None:
        """Wait until fewer than `AT_ONCE` files of ``folder`` are looked at."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self._under_way[folder] >= AT_ONCE:
                    await self._answered.wait()
        except TimeoutError:
            raise FileUnavailable(
                f"{folder} does not answer: is its disk or its network share there?"
            ) from None


def check_readable(path: str) -> None:
    """Raise `FileUnavailable` with a sentence unless ``path`` is a file with something in it that we may read."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as fault:
        raise FileUnavailable(f"{path} cannot be opened: {_reason(fault)}") from fault
    if not stat.S_ISREG(found.st_mode):
        raise FileUnavailable(f"{path} is not a file")
    if found.st_size == 0:
        raise FileUnavailable(f"{path} is empty")
    if not os.access(path, os.R_OK):
        raise FileUnavailable(f"{path} may not be read by this user")


def _reason(fault: OSError | ValueError) -> str:
    match fault:
        case FileNotFoundError() | NotADirectoryError():
            return "there is no such file"
        case PermissionError():
            return "its folder may not be entered by this user"
        case OSError():
            return fault.strerror or str(fault)
        case _:
            return "its name is not a file name"
