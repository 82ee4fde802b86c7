"""Keeps what is known of bad files: written behind the players' backs, and looked at when the files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NoReturn, Protocol

import structlog

from exstream.clock import Clock
from exstream.errors import StoreError
from exstream.model.bad_file import BadFile
from exstream.sources.quarantine import Quarantine

ROUND_SECONDS = 15.0
"""How often the files that are set aside are looked at, and the record is compared."""

log = structlog.get_logger(__name__)


class Record(Protocol):
    """Where bad files are kept."""

    async def load(self) -> Sequence[BadFile]:
        """Return what is kept; raises StoreError."""

    async def update(self, keep: Sequence[BadFile], drop: Collection[str]) -> None:
        """Put ``keep`` on the record and take ``drop`` off it; raises StoreError."""


class BadFiles:
    """Keeps ``quarantine`` and the record in step. ``gauge`` is told how many files are set aside."""

    def __init__(
        self, quarantine: Quarantine, record: Record, clock: Clock, gauge: Callable[[float], object]
    ) -> None:
        self._quarantine = quarantine
        self._record = record
        self._clock = clock
        self._gauge = gauge
        self._told: frozenset[str] = frozenset()

    async def load(self) -> None:
        """Take over what is on record; raises StoreError."""
        self._quarantine.restore(await self._record.load())
        self._told = frozenset(file.path for file in self._quarantine.files())
        self._gauge(len(self._told))

    async def run(self) -> NoReturn:
        """Keep in step for ever; a database that fails is asked again in the next round."""
        while True:
            await self._clock.sleep(ROUND_SECONDS)
            await self.round()

    async def round(self) -> None:
        """Look at the files, write what is new, and let go of what somebody has taken off the record."""
        quarantine = self._quarantine
        await self._look()
        quarantine.expire()
        news = quarantine.take_news()
        try:
            await self._record.update(news.bad, news.good)
            quarantine.restore(await self._record.load())
        except StoreError as fault:
            quarantine.put_back(news)
            log.warning("the record of bad files cannot be kept", reason=str(fault))
        self._tell()

    async def _look(self) -> None:
        for file in self._quarantine.files():
            if file.path.startswith("/"):
                found = await asyncio.to_thread(_signs, file.path)
                if found is not None:
                    self._quarantine.describe(file.path, *found)

    def _tell(self) -> None:
        files = {file.path: file for file in self._quarantine.files()}
        for path in files.keys() - self._told:
            log.warning("a file is set aside", path=path, reason=files[path].reason)
        for path in self._told - files.keys():
            log.info("a file that was set aside may be played again", path=path)
        self._told = frozenset(files)
        self._gauge(len(files))


def _signs(path: str) -> tuple[int, int] | None:
    """Return size and time of a file; None where it is not there now."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
