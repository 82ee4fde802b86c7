"""What the tests of folder libraries share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from exstream.ffmpeg.probe import Probed, Prober
from exstream.jobs.catalogue import CatalogueHolder
from exstream.model.catalogue import Item, Media

pytestmark = pytest.mark.anyio

HOUR_NS = 3_600 * 1_000_000_000


class CountingProber:
    """The real prober, and what it was asked; a test may have something happen before each answer."""

    def __init__(self, real: Prober) -> None:
        self._real = real
        self.asked: list[str] = []
        self.meanwhile: Callable[[str], object] = lambda _: None

    async def probe(self, path: str) -> Media:
        return await self._real.probe(path)

    async def probe_all(self, paths: Sequence[str]) -> AsyncIterator[Probed]:
        self.asked += [Path(path).name for path in paths]
        async for found in self._real.probe_all(paths):
            self.meanwhile(found.path)
            yield found


Put = Callable[..., Path]


def items(catalogue: CatalogueHolder) -> dict[str, Item]:
    """Return the items by their paths below the folder."""
    return {key.partition("/")[2]: item for key, item in catalogue.current.items.items()}
